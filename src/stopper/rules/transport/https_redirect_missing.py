"""Plain HTTP must lead to HTTPS on the same host.

Links and habits still start with http. Where that answers by itself the whole visit can be read and changed on the way; where it leads to
another host first, HSTS never covers this one; and 301 or 302 turn a POST into a GET.

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    > GET http://blog.example.org/
    HTTP/1.1 200 OK

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    > GET http://blog.example.org/
    HTTP/1.1 302 Found
    Location: http://blog.example.org/start

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

    > GET http://blog.example.org/
    HTTP/1.1 301 Moved Permanently
    Location: https://blog.example.org/

    > POST http://blog.example.org/
    > plain-post
    HTTP/1.1 301 Moved Permanently
    Location: https://blog.example.org/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    > GET http://blog.example.org/
    HTTP/1.1 308 Permanent Redirect
    Location: https://blog.example.org/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

References:
    - CWE-319
    - ASVS 5.0 V12.2.1
    - RFC 9110 section 15.4.9
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.exchange import Exchange
    from stopper.wire.site import Site


class HttpsRedirectMissing(Rule):
    """Ask over plain HTTP and follow where it leads on this host."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (319,)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report an answer that is no redirect, or the first hop that is not to HTTPS on this host."""
        hops = site.of("plain")
        if not hops or site.origin.scheme != "https":
            return
        told = _problem(hops[0], site.origin.host)
        if told:
            yield self.seen(
                "proxy:redirect", f"{hops[0].url} {told}", vantage=Vantage.WIRE, context="redirect",
                remedy="return 308 https://$host$request_uri;  # in the server block for port 80",
            )  # fmt: skip
        for answer in site.of("plain-post"):
            if not told and answer.status in (301, 302, 303):
                yield self.seen(
                    "proxy:redirect", f"a POST to {answer.url} is led on with {answer.status}: it arrives as a GET, without its body",
                    vantage=Vantage.WIRE, context="method", severity=Severity.LOW, remedy="return 308 https://$host$request_uri;",
                )  # fmt: skip


def _problem(answer: Exchange, host: str) -> str:
    """Return what is wrong with the first answer over plain HTTP, or "": nothing but a redirect to HTTPS on this host is right."""
    if not answer.is_redirect:
        return f"answers {answer.status} by itself instead of leading to HTTPS"
    target = urlsplit(urljoin(answer.url, answer.header("location") or ""))
    if target.scheme != "https":
        return f"leads to {target.geturl()}, which is plain HTTP again"
    return "" if target.hostname == host else f"leads to another host first: {target.hostname}"
