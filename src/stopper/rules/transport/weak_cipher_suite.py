"""TLS must offer only suites that keep what was said, also when the key is lost later.

Suites without ECDHE let whoever gets the key one day read what was recorded today, and those with CBC or SHA-1 have been attacked again and
again. Browsers need none of them.

Bad::

    import ssl
    from flask import Flask

    app = Flask(__name__)
    context = ssl.create_default_context()
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:RC4-MD5")

Good::

    import ssl
    from flask import Flask

    app = Flask(__name__)
    context = ssl.create_default_context()
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5")

Bad::

    > GET https://blog.example.org/
    > suites: AES128-SHA, ECDHE-RSA-AES128-SHA
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

References:
    - CWE-326
    - CWE-327
    - ASVS 5.0 V12.1.2
    - https://wiki.mozilla.org/Security/Server_Side_TLS
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage, few
from stopper.policy import TLS_CURVES
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import constant
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


_WEAK = regex(
    r"(?:^|[+_-])(?:RC4|3?DES|CBC3|MD5|[ae]?NULL|EXP\w*|ADH|AECDH|LOW|SEED|IDEA|RC2)(?:$|[+_-])|-SHA$"
)


class WeakCipherSuite(Rule):
    """Read the suites that code asks for, and offer a server nothing but suites outside Mozilla's intermediate profile."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (326, 327)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the lists of suites that name a weak one; what stands behind ``!`` or ``-`` is left out of a list."""
        for call in project.code.every_call("set_ciphers"):
            asked = constant(call.argument(0, "ciphers"))
            if call.module.role is not Role.APP or not isinstance(asked, str):
                continue
            weak = [one for one in re.split(r"[:, ]+", asked) if one[:1] not in "!-@" and _WEAK.search(one)]
            if weak:
                yield self.found(
                    call.location, f"{few(weak, 4)} can be broken, or read later by whoever gets the key",
                    remedy="Take the line out: Python's own list is a good one.", context=call.function,
                )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the suites and curves that were taken."""
        if site.tls is None:
            return
        where = f"{site.origin.host}:{site.origin.port}"
        curves = tuple(one for one in site.tls.curves if one not in TLS_CURVES)
        for kind, taken, severity in (
            ("suite", site.tls.weak, Severity.LOW),
            ("curve", curves, Severity.INFO),
        ):
            if taken:
                yield self.seen(
                    "proxy:tls", f"{where} takes {few(taken, 4)}, which Mozilla's intermediate profile leaves out", vantage=Vantage.WIRE,
                    severity=severity, context=kind, remedy=f"stopper deploy nginx {site.origin.host}  # prints the right list",
                )  # fmt: skip
