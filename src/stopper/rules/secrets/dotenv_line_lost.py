"""Every line of .env must arrive.

python-dotenv leaves a line out that it cannot parse, and cuts ``password #1`` to ``password``: a key that is there for the eye is shorter or
missing for the app, which starts all the same.

Bad::

    from flask import Flask
    from dotenv import load_dotenv

    load_dotenv()
    app = Flask(__name__)
    # file: .env
    SECRET KEY=aeLae9ki7ahRei3oZiu7
    MAIL_PASSWORD=winter #night

Good::

    from flask import Flask
    from dotenv import load_dotenv

    load_dotenv()
    app = Flask(__name__)
    # file: .env
    SECRET_KEY=aeLae9ki7ahRei3oZiu7
    MAIL_PASSWORD="winter #night"  # both in the vault

References:
    - CWE-1188
    - CWE-521
    - ASVS 5.0 V13.3.1
    - https://saurabh-kumar.com/python-dotenv/#file-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project

_EXAMPLE = re.compile(r"example|sample|dist|template|tmpl", re.IGNORECASE)
_LINE = re.compile(r"^[ \t]*([^\s#][^\r\n]*)", re.MULTILINE)
_NAME = regex(r"(?:export[ \t]+)?(?:'[^']+'|[A-Za-z_][\w.-]*)[ \t]*(?:=|$)")
_SECRET = re.compile(r"key|secret|password|passwd|pwd|token", re.IGNORECASE)


class DotenvLineLost(Rule):
    """Read the lines of .env files as python-dotenv does, and the mode of the file."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (1188, 521)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each line that is left out or cut, and each file that anybody may write."""
        for file in project.tree.named(".env", ".env.*", "*.env"):
            if file.role is not Role.APP or _EXAMPLE.search(file.name):
                continue
            for match in _LINE.finditer(file.text.content):
                told = _problem(match[1])
                if told:
                    name = match[1].partition("=")[0].strip()
                    yield self.found(
                        file.text.location(file.path, match.start(1), match.end(1)), told, remedy=f'{re.sub(r"[^A-Za-z0-9_]+", "_", name)}="..."',
                        code=f"{name}=...", context=name,
                    )  # fmt: skip


def _problem(line: str) -> str:
    """Return what becomes of a line, "" where it arrives whole."""
    if not _NAME.match(line):
        return "python-dotenv leaves this line out: it does not start with a name and ="
    name, _, value = line.partition("=")
    bare = value.strip()
    if bare[:1] not in "'\"" and " #" in bare and _SECRET.search(name) and " " not in bare.split(" #", 1)[1]:
        return "python-dotenv cuts the value at the #: quote it"
    return ""
