"""A script or style sheet from another host must name the hash of what it expects.

Whoever controls the host, or breaks into it, writes the script that runs in every page with the visitor's
session. With ``integrity`` the browser runs only the file whose hash is written in the page, and
``crossorigin`` lets it check.

Better still: serve the file yourself, from ``static``.

Bad::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script src="https://cdn.example.org/lib@1.2.3/lib.min.js"></script>

Good::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script src="https://cdn.example.org/lib@1.2.3/lib.min.js" crossorigin="anonymous"
            integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"></script>

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <script src="https://cdn.example/a-1.2.js"></script>

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <script src="https://cdn.example/a-1.2.js" integrity="sha384-x" crossorigin="anonymous"></script>

References:
    - CWE-353
    - CWE-829
    - ASVS 5.0 V3.6.1
    - https://developer.mozilla.org/en-US/docs/Web/Security/Subresource_Integrity
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site

_CHANGING = regex(
    r"google|gstatic|recaptcha|hcaptcha|stripe|paypal|cloudflareinsights|challenges\.cloudflare|plausible|matomo|"
    r"facebook|twitter|linkedin|intercom|segment|statuspage|sentry-cdn|hotjar|youtube|vimeo|disqus|"
    r"typekit|fonts\.|fontawesome\.com"
)
"""Hosts that change their file without a new address, so that no hash can be written."""


_VERSION = re.compile(r"\d+\.\d+|@\d")
"""An address with a version stands for one file for good."""


class ScriptWithoutIntegrity(Rule):
    """Every ``script`` and style sheet ``link`` with an address of another host and without ``integrity``."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (353, 829)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each one; files that their host changes at will are left out."""
        for template in project.templates.html():
            for tag in template.tags("script", "link"):
                address = (tag.get("src" if tag.tag == "script" else "href") or "").strip()
                if (
                    not address.lower().startswith(("https://", "http://", "//"))
                    or tag.get("integrity") is not None
                ):
                    continue
                host = address.partition("//")[2].partition("/")[0].lower()
                sheet = "stylesheet" in (tag.get("rel") or "").lower()
                if not host or "{" in host or _CHANGING.search(host) or (tag.tag == "link" and not sheet):
                    continue
                yield self.found(
                    tag.location,
                    f"The {'style sheet' if sheet else 'script'} {address} is taken from {host} whatever "
                    "it holds: "
                    "no integrity is given.",
                    confidence=Confidence.HIGH
                    if _VERSION.search(address) and not sheet
                    else Confidence.MEDIUM,
                    remedy='integrity="sha384-..." crossorigin="anonymous", '
                    "the hash by openssl dgst -sha384 -binary FILE | base64, or serve the file from static",
                    context=f"{template.path} {address}",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the scripts of other hosts that the pages take whatever they hold."""
        from stopper.wire.page import read  # late: only a live site has pages

        seen: set[str] = set()
        for page in site.pages:
            for script in read(page.body).scripts if page.is_html else ():
                host = urlsplit(urljoin(page.url, script.src)).hostname
                if (
                    script.src
                    and host != site.origin.host
                    and not script.integrity
                    and script.src not in seen
                    and not _CHANGING.search(host or "")
                ):
                    seen.add(script.src)
                    yield self.seen(
                        f"path:{page.path}", f"{page.url} takes {script.src} whatever it holds: no integrity is given", vantage=Vantage.WIRE,
                        context=script.src, remedy='integrity="sha384-..." crossorigin="anonymous"', confidence=Confidence.MEDIUM,
                    )  # fmt: skip
