"""Files of the project must not be served.

A repository, a .env file or a backup below the web root gives away the code, the keys and often the data. Scanners try these names
within minutes of a site's first day.

Bad::

    > GET https://blog.example.org/.git/HEAD
    > leak
    HTTP/1.1 200 OK
    Content-Type: text/plain

    ref: refs/heads/main

Bad::

    > GET https://blog.example.org/.env
    > leak
    HTTP/1.1 200 OK
    Content-Type: application/octet-stream

    SECRET_KEY=x

Good::

    > GET https://blog.example.org/.git/HEAD
    > leak
    HTTP/1.1 404 Not Found
    Content-Type: text/html

    <h1>Not found</h1>

Good::

    > GET https://blog.example.org/.env
    > leak
    HTTP/1.1 200 OK
    Content-Type: text/html

    <h1>Welcome</h1>

References:
    - CWE-538
    - CWE-527
    - ASVS 5.0 V13.4.1
    - https://owasp.org/www-project-web-security-testing-guide/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.exchange import Exchange
    from stopper.wire.site import Site

_SIGNS = {
    ".git/HEAD": r"^(?:ref: |[0-9a-f]{40})", ".git/config": r"^\[core\]", ".env": r"^[A-Za-z_][A-Za-z0-9_]*\s*=", ".hg/requires": r"^\w+$",
    ".svn/entries": r"^\d+", ".DS_Store": r"Bud1", ".py": r"^(?:import |from |def |class |[A-Z_]+\s*=)", ".py~": r"^(?:import |from |[A-Z_]+\s*=)",
    ".bak": r"^(?:import |from |def )", ".zip": r"^PK", ".sql": r"(?i)\b(?:create table|insert into)\b", ".sqlite3": r"^SQLite format 3",
    ".db": r"^SQLite format 3", "requirements.txt": r"^[A-Za-z0-9_.-]+(?:==|>=|~=|$)", "Dockerfile": r"(?m)^FROM ",
}  # fmt: skip
"""How the text of each file starts, by the end of its path."""


class FileExposed(Rule):
    """Ask for the files that scanners try, and look whether what comes is one of them."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (538, 527)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each file that came."""
        for answer in site.of("leak"):
            if answer.status == 200 and not answer.is_html and _is_it(answer):
                yield self.seen(
                    f"path:{answer.path}", f"{answer.url} is served to anybody", vantage=Vantage.WIRE, context=answer.path,
                    remedy=f"location {answer.path} {{ return 404; }}  # and keep it out of the folder that is served",
                )  # fmt: skip


def _is_it(answer: Exchange) -> bool:
    """Tell whether the answer is the file that its path names, not a page that answers everything."""
    sign = next((sign for end, sign in _SIGNS.items() if answer.path.endswith(end)), None)
    return sign is not None and re.search(sign, answer.body.lstrip("\ufeff"), re.MULTILINE) is not None
