"""Score a site as MDN's HTTP Observatory does on the same answers: 100 points, a modifier for each test, a letter.

The table is that of algorithm 6 (2026-08); ``algorithm=4`` leaves out what the npm package 1.4.8 does not count. Every test names the rule of ours that
mends it. A preload list is not at hand, so nothing is counted as preloaded.
https://github.com/mdn/mdn-http-observatory
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from stopper.csp import effective, has_nonce_or_hash, parse
from stopper.policy import HSTS_LEAST_SECONDS
from stopper.records import dataclass
from stopper.wire.exchange import Exchange
from stopper.wire.hsts import max_age
from stopper.wire.page import read
from stopper.wire.site import Cookie, Site

_LETTERS = (
    (100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+"), (50, "C"), (45, "C-"), (40, "D+"), (30, "D"), (25, "D-"),
)  # fmt: skip
_BROAD = re.compile(r"^(?:\*|\*:.*|https?:|https?://\*.*|data:|blob:|filesystem:|ftp:|//\*)$", re.IGNORECASE)
_PLAIN = re.compile(r"^(?:http|ftp):", re.IGNORECASE)
_PRIVATE = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
_OPEN = ("origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade")


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the Observatory."""

    name: str
    result: str
    """The Observatory's own word for it."""
    modifier: int
    rule: str
    """The slug of the rule that says how to mend it."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the Observatory would say."""

    points: int
    letter: str
    tests: tuple[Test, ...]


def score(site: Site, algorithm: int = 6) -> Score | None:
    """Return the score of a site's first page, or None where it cannot be scored: it answered with an error."""
    page = _landing(site)
    if page is None:
        return None
    given = [check(site, page, algorithm) for check in _TESTS]
    tests = tuple(one for one in given if one is not None)
    full = 100 + sum(one.modifier for one in tests)
    base = 100 + sum(min(0, one.modifier) for one in tests)
    points = max(0, full if base >= 90 else base)
    return Score(points, letter_of(points), tests)


def letter_of(points: int) -> str:
    """Return the letter for a number of points."""
    rounded = points - points % 5
    return next((letter for bound, letter in _LETTERS if rounded >= bound), "F")


def _landing(site: Site) -> Exchange | None:
    """Return the page that a visit of the first URL ends at."""
    by_url = {page.url: page for page in site.pages}
    page = site.pages[0] if site.pages else None
    for _ in range(10):
        if page is None or not page.is_redirect:
            break
        page = by_url.get(urljoin(page.url, page.header("location") or ""), page)
        if page.is_redirect and page is by_url.get(page.url):
            continue
    return page if page is not None and (page.status < 400 or page.status in (401, 403)) else None


def _policies(page: Exchange) -> list[dict[str, tuple[str, ...]]]:
    """Return the enforced policies, those of meta tags included."""
    given = page.all("content-security-policy")
    metas = read(page.body).policies if page.is_html else []
    return [parse(part) for line in (*given, *metas) for part in line.split(",") if part.strip()]


def _csp(site: Site, page: Exchange, algorithm: int) -> Test:
    del site, algorithm
    name, rule = "content-security-policy", "csp-unsafe-inline"
    policies = _policies(page)
    if not policies:
        reporting = page.header("content-security-policy-report-only") is not None
        result = "csp-not-implemented-but-reporting-enabled" if reporting else "csp-not-implemented"
        return Test(name, result, -25, "security-headers-missing")
    merged: dict[str, tuple[str, ...]] = {}
    for policy in policies:
        for directive, sources in policy.items():
            merged[directive] = tuple(dict.fromkeys((*merged.get(directive, ()), *sources)))
    return Test(name, *_judged_csp(merged, page), rule)


def _judged_csp(policy: dict[str, tuple[str, ...]], page: Exchange) -> tuple[str, int]:
    lowered = {name: tuple(one.lower() for one in sources) for name, sources in policy.items()}
    script = effective(lowered, "script-src")
    style = effective(lowered, "style-src") or ()
    objects = effective(lowered, "object-src")
    strict = script is not None and "'strict-dynamic'" in script
    if strict and not has_nonce_or_hash(script or ()):
        return "csp-header-invalid", -25
    if script is None or objects is None or _unsafe(script, strict=strict) or any(map(_BROAD.match, objects)):
        return "csp-implemented-with-unsafe-inline", -20
    https = page.url.startswith("https:")
    active = [
        one
        for name in ("script-src", "style-src", "object-src", "connect-src", "frame-src", "default-src")
        for one in lowered.get(name, ())
    ]
    if https and any(map(_PLAIN.match, active)):
        return "csp-implemented-with-insecure-scheme", -20
    if "'unsafe-eval'" in (*script, *style):
        return "csp-implemented-with-unsafe-eval", -10
    passive = [one for name in ("img-src", "media-src") for one in effective(lowered, name) or ()]
    if https and any(map(_PLAIN.match, passive)):
        return "csp-implemented-with-insecure-scheme-in-passive-content-only", -10
    if _unsafe(style, strict=False):
        return "csp-implemented-with-unsafe-inline-in-style-src-only", 0
    if lowered.get("default-src") == ("'none'",):
        return "csp-implemented-with-no-unsafe-default-src-none", 10
    return "csp-implemented-with-no-unsafe", 5


def _unsafe(sources: tuple[str, ...], *, strict: bool) -> bool:
    """Tell whether inline code or code from anywhere is let in; names one by one switch 'unsafe-inline' off, 'strict-dynamic' the hosts."""
    inline = "'unsafe-inline'" in sources and not has_nonce_or_hash(sources)
    return inline or (not strict and any(map(_BROAD.match, sources)))


def _cookies(site: Site, page: Exchange, algorithm: int) -> Test:
    del page, algorithm
    name, rule = "cookies", "cookie-without-flags"
    cookies = [one for one in site.cookies() if one.exchange.purpose == "page"]
    if not cookies:
        return Test(name, "cookies-not-found", 0, rule)
    hsts = (max_age(site.pages[0].header("strict-transport-security") or "") or 0) >= HSTS_LEAST_SECONDS
    worst = min((_cookie(one, hsts=hsts) for one in cookies), key=lambda one: one[1])
    if worst[1] < 0:
        return Test(name, *worst, rule)
    whole = all("samesite" in one.attributes for one in cookies)
    result = "cookies-secure-with-httponly-sessions"
    return Test(name, f"{result}-and-samesite" if whole else result, 5 if whole else 0, rule)


def _cookie(cookie: Cookie, *, hsts: bool) -> tuple[str, int]:
    named = cookie.name.lower()
    session, forgery = "login" in named or "sess" in named, "csrf" in named
    given = cookie.attributes
    if "secure" not in given:
        if session:
            return (
                ("cookies-session-without-secure-flag-but-protected-by-hsts", -10)
                if hsts
                else ("cookies-session-without-secure-flag", -40)
            )
        return (
            ("cookies-without-secure-flag-but-protected-by-hsts", -5)
            if hsts
            else ("cookies-without-secure-flag", -20)
        )
    if session and "httponly" not in given:
        return "cookies-session-without-httponly-flag", -30
    if forgery and "samesite" not in given:
        return "cookies-anticsrf-without-samesite-flag", -20
    if "samesite" in given and given["samesite"].lower() not in ("lax", "strict", "none"):
        return "cookies-samesite-flag-invalid", -20
    return "", 0


def _token(
    name: str, good: dict[str, int], neutral: tuple[str, ...], prefix: str, *, invalid: int = -5
) -> Callable[[Site, Exchange, int], Test | None]:
    """Return the test of a header that holds one word."""

    def check(site: Site, page: Exchange, algorithm: int) -> Test | None:
        del site
        if algorithm < 6 and prefix in ("coep", "coop"):
            return None
        value = page.header(name)
        if value is None:
            return Test(name, f"{prefix}-not-implemented", 0, "security-headers-missing")
        word = value.partition(";")[0].strip().lower()
        if word in good or word in neutral:
            return Test(
                name, f"{prefix}-implemented-with-{word}", good.get(word, 0), "security-headers-missing"
            )
        return Test(name, f"{prefix}-header-invalid", invalid, "security-headers-missing")

    return check


def _cors(site: Site, page: Exchange, algorithm: int) -> Test:
    del page, algorithm
    name, rule = "cross-origin-resource-sharing", "cors-any-origin"
    answer = next(iter(site.of("preflight")), None)
    allowed = answer.header("access-control-allow-origin") if answer else None
    if answer is None or allowed is None:
        return Test(name, f"{name}-not-implemented", 0, rule)
    if allowed == "*":
        return Test(name, f"{name}-implemented-with-public-access", 0, rule)
    echoed = (
        allowed == dict(answer.sent).get("Origin")
        and answer.header("access-control-allow-credentials") == "true"
    )
    return Test(
        name,
        f"{name}-implemented-with-{'universal' if echoed else 'restricted'}-access",
        -50 if echoed else 0,
        rule,
    )


def _redirection(site: Site, page: Exchange, algorithm: int) -> Test:
    del page, algorithm
    name, rule = "redirection", "https-redirect-missing"
    hops = site.of("plain")
    if not hops:
        return Test(name, "redirection-not-needed-no-http", 0, rule)
    if not hops[0].is_redirect:
        return Test(name, "redirection-missing", -20, rule)
    if not site.verified:
        return Test(name, "redirection-invalid-cert", -20, rule)
    first = urlsplit(urljoin(hops[0].url, hops[0].header("location") or ""))
    last = (
        urlsplit(urljoin(hops[-1].url, hops[-1].header("location") or ""))
        if hops[-1].is_redirect
        else urlsplit(hops[-1].url)
    )
    if last.scheme != "https":
        return Test(name, "redirection-not-to-https", -20, rule)
    if first.scheme != "https":
        return Test(name, "redirection-not-to-https-on-initial-redirection", -10, rule)
    if first.hostname != site.origin.host:
        return Test(name, "redirection-off-host-from-http", -5, rule)
    return Test(name, "redirection-to-https", 0, rule)


def _referrer(site: Site, page: Exchange, algorithm: int) -> Test:
    del site, algorithm
    name, rule = "referrer-policy", "security-headers-missing"
    value = page.header(name)
    if value is None:
        return Test(name, f"{name}-not-implemented", 0, rule)
    known = [word.strip().lower() for word in value.split(",") if word.strip().lower() in (*_PRIVATE, *_OPEN)]
    if not known:
        return Test(name, f"{name}-header-invalid", -5, rule)
    return (
        Test(name, f"{name}-private", 5, rule)
        if known[-1] in _PRIVATE
        else Test(name, f"{name}-unsafe", -5, rule)
    )


def _hsts(site: Site, page: Exchange, algorithm: int) -> Test:
    del algorithm
    name = "strict-transport-security"
    if site.origin.scheme != "https":
        return Test(name, "hsts-not-implemented-no-https", -20, "certificate-not-trusted")
    if not site.verified:
        return Test(name, "hsts-invalid-cert", -20, "certificate-not-trusted")
    value = page.header(name)
    if value is None:
        return Test(name, "hsts-not-implemented", -20, "security-headers-missing")
    seconds = max_age(value)
    if seconds is None:
        return Test(name, "hsts-header-invalid", -20, "hsts-weak")
    if seconds < HSTS_LEAST_SECONDS:
        return Test(name, "hsts-implemented-max-age-less-than-six-months", -10, "hsts-weak")
    return Test(name, "hsts-implemented-max-age-at-least-six-months", 0, "hsts-weak")


def _sri(site: Site, page: Exchange, algorithm: int) -> Test:
    del algorithm
    name, rule = "subresource-integrity", "script-without-integrity"
    if not page.is_html:
        return Test(name, "sri-not-implemented-response-not-html", 0, rule)
    scripts = [one for one in read(page.body).scripts if one.src]
    if not scripts:
        return Test(name, "sri-not-implemented-but-no-scripts-loaded", 0, rule)
    foreign = [one for one in scripts if (urlsplit(one.src).hostname or site.origin.host) != site.origin.host]
    plain = [one for one in foreign if one.src.startswith(("http:", "//"))]
    if any(not one.integrity for one in plain):
        return Test(name, "sri-not-implemented-and-external-scripts-not-loaded-securely", -50, rule)
    if plain:
        return Test(name, "sri-implemented-but-external-scripts-not-loaded-securely", -20, rule)
    if any(not one.integrity for one in foreign):
        return Test(name, "sri-not-implemented-but-external-scripts-loaded-securely", -5, rule)
    if foreign:
        return Test(name, "sri-implemented-and-external-scripts-loaded-securely", 5, rule)
    if all(one.integrity for one in scripts):
        return Test(name, "sri-implemented-and-all-scripts-loaded-securely", 5, rule)
    return Test(name, "sri-not-implemented-but-all-scripts-loaded-from-secure-origin", 0, rule)


def _nosniff(site: Site, page: Exchange, algorithm: int) -> Test:
    del site, algorithm
    name, rule = "x-content-type-options", "security-headers-missing"
    value = page.header(name)
    if value is None:
        return Test(name, f"{name}-not-implemented", -5, rule)
    return (
        Test(name, f"{name}-nosniff", 0, rule)
        if value.strip().lower() == "nosniff"
        else Test(name, f"{name}-header-invalid", -5, rule)
    )


def _framing(site: Site, page: Exchange, algorithm: int) -> Test:
    del site
    name, rule = "x-frame-options", "security-headers-missing"
    if any("frame-ancestors" in policy for policy in _policies(page)):
        return Test(name, f"{name}-implemented-via-csp", 5, rule)
    value = (page.header(name) or "").strip().upper()
    if not value:
        return Test(name, f"{name}-not-implemented", -20, rule)
    if value in ("DENY", "SAMEORIGIN"):
        return Test(name, f"{name}-sameorigin-or-deny", 5 if algorithm >= 6 else 0, rule)
    return (
        Test(name, f"{name}-allow-from-origin", 0, rule)
        if value.startswith("ALLOW-FROM ")
        else Test(name, f"{name}-header-invalid", -20, rule)
    )


_TESTS: tuple[Callable[[Site, Exchange, int], Test | None], ...] = (
    _csp,
    _cookies,
    _token(
        "cross-origin-embedder-policy", {"require-corp": 10, "credentialless": 10}, ("unsafe-none",), "coep"
    ),
    _token(
        "cross-origin-opener-policy",
        {"same-origin": 10, "same-origin-allow-popups": 10, "noopener-allow-popups": 10},
        ("unsafe-none",),
        "coop",
    ),
    _cors,
    _redirection,
    _referrer,
    _hsts,
    _sri,
    _nosniff,
    _framing,
    _token("cross-origin-resource-policy", {"same-origin": 10, "same-site": 10}, ("cross-origin",), "corp"),
)
