"""An app must not fetch packages over a connection that nobody checks.

``http://``, ``--trusted-host`` and ``verify_ssl = false`` let anyone between the build and the index hand out
a package of their own, and installing a package runs its code.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    --index-url http://packages.example.com/simple
    --trusted-host packages.example.com
    flask==3.1.3

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    --index-url https://packages.example.com/simple
    flask==3.1.3

References:
    - CWE-494
    - ASVS 5.0 V15.2.4
    - https://pip.pypa.io/en/stable/cli/pip/#cmdoption-trusted-host
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.source.requirement import Index

_NEAR = ("localhost", "127.0.0.1", "[::1]")


class InsecurePackageIndex(Rule):
    """Look at the scheme of each index, and for options that trust a host without a certificate."""

    area = Area.DEPENDENCIES
    severity = Severity.HIGH
    cwe = (494,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each such index and file."""
        seen: set[tuple[str, str]] = set()
        for index in project.manifests.indexes:
            problem = _problem(index)
            host = _host(index)
            if not problem or host.startswith(_NEAR) or (index.location.path, host) in seen:
                continue
            seen.add((index.location.path, host))
            public = (
                host in {"pypi.org", "pypi.python.org", "files.pythonhosted.org"}
                and index.option == "trusted-host"
            )
            yield self.found(
                index.location,
                f"{problem}, so anyone on the way can hand out packages of their own.",
                severity=Severity.MEDIUM if index.development or public else self.severity,
                confidence=Confidence.HIGH,
                remedy=f"--index-url https://{host}/...  certificate checked, no --trusted-host",
                code=problem,
                context=host,
            )


def _host(index: Index) -> str:
    rest = index.url.partition("://")[2] or index.url
    return rest.partition("/")[0].rpartition("@")[2]


def _problem(index: Index) -> str:
    if index.option == "trusted-host":
        return f"The certificate of {_host(index)} is not checked (--trusted-host)"
    if index.url.lower().startswith("http://"):
        return f"Packages come from {_host(index)} over plain HTTP"
    return "" if index.verified else f"The certificate of {_host(index)} is not checked (verify_ssl = false)"
