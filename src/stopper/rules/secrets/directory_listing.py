"""A folder must not list its files.

A listing shows what nobody links to: old versions, uploads of others, backups.

Bad::

    > GET https://blog.example.org/static/
    > listing
    HTTP/1.1 200 OK
    Content-Type: text/html

    <title>Index of /static/</title>

Good::

    > GET https://blog.example.org/static/
    > listing
    HTTP/1.1 404 Not Found
    Content-Type: text/html

References:
    - CWE-548
    - ASVS 5.0 V13.4.3
    - https://nginx.org/en/docs/http/ngx_http_autoindex_module.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site


class DirectoryListing(Rule):
    """Ask for the folders of what the first page loads."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (548,)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each folder that answers with a list."""
        for answer in site.of("listing"):
            if answer.status == 200 and re.search(
                r"<title>(?:Index of|Directory listing)", answer.body, re.IGNORECASE
            ):
                yield self.seen(
                    f"path:{answer.path}",
                    f"{answer.url} lists its files",
                    vantage=Vantage.WIRE,
                    context=answer.path,
                    remedy="autoindex off;",
                )
