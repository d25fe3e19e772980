"""A check of dependencies that could not look must not pass.

Where the package index does not serve advisories, pip-audit leaves every package out, prints "No known vulnerabilities found" and exits
with 0. Only ``--strict`` makes it fail.

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: .github/workflows/ci.yml
    jobs:
      test:
        steps:
          - run: pip-audit -r requirements.txt

Good::

    from flask import Flask

    app = Flask(__name__)
    # file: .github/workflows/ci.yml
    jobs:
      test:
        steps:
          - run: pip-audit --strict -r requirements.txt

References:
    - CWE-1395
    - CWE-754
    - ASVS 5.0 V15.1.1
    - https://github.com/pypa/pip-audit#usage
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project

_COMMAND = re.compile(
    r"^[ \t]*-?[ \t]*(?:(?:run|script):)?[ \t|&;@]*"
    r"(?:(?:python3?|uvx?|pipx|poetry|pdm|hatch)[ \t]+(?:-m[ \t]+|run[ \t]+)?)?(pip[-_]audit(?:[ \t][^\n#]*)?)",
    re.MULTILINE,
)

_NAMES = re.compile("pip[-_]audit")


class AuditNotStrict(Rule):
    """Look for pip-audit without --strict in workflows, Makefiles, scripts and configuration of CI."""

    area = Area.DEPENDENCIES
    severity = Severity.LOW
    cwe = (1395, 754)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each command that passes without having looked."""
        for file in project.tree.named(
            "*.yml", "*.yaml", "Makefile", "justfile", "*.sh", "tox.ini", "noxfile.py", "Jenkinsfile"
        ):
            text = file.text.content
            for match in _COMMAND.finditer(text) if _NAMES.search(text) else ():
                command = match[1]
                if "--strict" not in command and " -S" not in command and "--help" not in command:
                    yield self.found(
                        file.text.location(file.path, match.start(1), match.end(1)), "what pip-audit could not look up passes as clean",
                        confidence=Confidence.MEDIUM, remedy=f"{command.split()[0]} --strict{command.removeprefix(command.split()[0])}", context=command,
                    )  # fmt: skip
