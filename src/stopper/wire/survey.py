"""Which questions a site is asked: its pages, its errors, and what a stranger would try, in a few round trips."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from stopper.records import dataclass, field
from stopper.wire.client import Budget, Client, Origin
from stopper.wire.exchange import Exchange
from stopper.wire.page import read
from stopper.wire.site import Site
from stopper.wire.tls import Tls, look

FOREIGN = "stopper-foreign.example"
"""The host that a client pretends to come from or to ask for."""
LEAKS = (
    "/.git/HEAD", "/.env", "/.git/config", "/.hg/requires", "/.svn/entries", "/.DS_Store", "/config.py", "/app.py", "/wsgi.py",
    "/config.py~", "/app.py.bak", "/backup.zip", "/backup.sql", "/db.sqlite3", "/instance/app.db", "/requirements.txt", "/Dockerfile",
)  # fmt: skip
"""Files that must not be served, by the path at which they are tried."""
LOGIN_TRIES = 15
"""How many wrong logins an active look sends at most, twice."""
HOPS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask."""

    url: str
    plain_port: int | None = None
    """The port of plain HTTP where it is not 80."""
    ca: Path | None = None
    """A file of further certificate authorities."""
    budget: Budget = field(default_factory=Budget)
    pages: int = 12
    """How many pages are read at most."""
    active: bool = False
    """Whether unsafe methods are sent: only to a site that is one's own."""
    paths: tuple[str, ...] = ()
    """Pages that are known beforehand: the routes of the booted app."""


def survey(plan: Plan) -> Site:
    """Return everything that the site answered.

    Raises:
        UsageError: The URL is none.
    """
    return asyncio.run(_survey(plan))


async def _survey(plan: Plan) -> Site:
    origin = Origin.of(plan.url, plan.plain_port)
    start = urlsplit(plan.url).path or "/"
    async with Client(origin, plan.budget, ca=plan.ca, active=plan.active) as client:
        first = await client.ask("page", start)
        tls: Tls | None = None
        if origin.scheme == "https":
            tls_look = asyncio.create_task(asyncio.to_thread(look, origin.host, origin.port, plan.ca))
        plain = await _plain(client, start) if origin.scheme == "https" else []
        said, pages = await asyncio.gather(_probes(client, start, first), _pages(client, plan, first))
        tried = await _logins(client, pages) if plan.active else []
        if origin.scheme == "https":
            tls = await tls_look
        return Site(
            origin, (*pages, *plain, *said, *tried), tls, client.verified, client.refusal, client.spent.requests, client.spent.seconds,
            plan.active,
        )  # fmt: skip


async def _plain(client: Client, start: str) -> list[Exchange]:
    """Follow what plain HTTP answers, hop by hop, as far as this host goes."""
    hops = [await client.ask("plain", start, scheme="http")]
    while hops[-1].is_redirect and len(hops) < HOPS:
        target = urljoin(hops[-1].url, hops[-1].header("location") or "")
        if not client.origin.holds(target) or urlsplit(target).scheme == "https":
            break
        hops.append(await client.ask("plain", target))
    if client.active:
        hops.append(await client.ask("plain-post", start, scheme="http", method="POST", body=b""))
    return hops


async def _probes(client: Client, start: str, first: Exchange) -> list[Exchange]:
    """Ask what a stranger would try, all at once."""
    missing = f"/stopper-{secrets.token_hex(6)}"
    asked = [
        client.ask("missing", missing),
        client.ask("method", start, method="TRACE"),
        client.ask("host", start, headers={"Host": FOREIGN}),
        client.ask("forwarded", start, headers={"X-Forwarded-Host": FOREIGN}),
        client.ask("origin", start, headers={"Origin": f"https://{FOREIGN}"}),
        client.ask("origin", start, headers={"Origin": "null"}),
        client.ask("preflight", start, method="OPTIONS", headers={"Origin": f"https://{FOREIGN}", "Access-Control-Request-Method": "GET"}),
        client.ask("debugger", "/?__debugger__=yes&cmd=resource&f=debugger.js"),
        *(client.ask("leak", path) for path in LEAKS),
        *(client.ask("listing", path) for path in _folders(first)),
    ]  # fmt: skip
    if client.active:
        asked.append(client.ask("large", start, method="POST", body=b"a" * (32 * 1024 * 1024)))
    return list(await asyncio.gather(*asked))


def _folders(first: Exchange) -> list[str]:
    """Return the folders of what the first page loads."""
    page = read(first.body) if first.is_html else None
    loaded = [*(script.src for script in page.scripts), *page.styles, *page.loads] if page else []
    paths = {
        urlsplit(urljoin(first.url, one)).path.rpartition("/")[0] + "/"
        for one in loaded
        if one and "//" not in one
    }
    return sorted(paths - {"/"})[:3]


async def _pages(client: Client, plan: Plan, first: Exchange) -> list[Exchange]:
    """Read the first page, those it links to, and those that are known beforehand, in waves."""
    pages = [first]
    seen = {first.url}
    waiting = [client.origin.url(path) for path in plan.paths]
    while len(pages) < plan.pages:
        waiting += [url for page in pages[-plan.pages :] for url in _links(client.origin, page)]
        wave = _varied((url for url in waiting if url not in seen), seen)[: plan.pages - len(pages)]
        if not wave:
            break
        seen.update(wave)
        answers = await asyncio.gather(*(client.ask("page", url) for url in wave))
        pages += [answer for answer in answers if answer.answered]
        if not any(answer.answered for answer in answers):
            break
        waiting = []
    return pages


def _varied(urls: Iterable[str], seen: Iterable[str]) -> list[str]:
    """Return each URL once, those of another kind than all before them first: a list in another order is the same page again."""
    known = Counter(kind for url in seen for kind in _kinds(url))
    ranked = []
    for url in dict.fromkeys(urls):
        path, family = _kinds(url)
        ranked.append((known[path], known[family], url))
        known.update((path, family))
    return [url for *_, url in sorted(ranked, key=lambda one: one[:2])]


def _kinds(url: str) -> tuple[str, str]:
    """Return the path of a URL, and the family that it belongs to: the first segment of its path with the number of segments."""
    path = urlsplit(url).path
    return path, f"{path.count('/')} {path.split('/')[1] if '/' in path else ''}"


def _links(origin: Origin, page: Exchange) -> Iterable[str]:
    """Yield where a page leads to on this host: its links, and the target of a redirect; nothing that says it ends a session."""
    targets = [page.header("location") or ""] if page.is_redirect else []
    if page.is_html:
        found = read(page.body)
        targets += [*found.links, *(form.action for form in found.forms if form.method == "get")]
    for target in targets:
        url = urldefrag(urljoin(page.url, target)).url
        if (
            origin.holds(url)
            and urlsplit(url).scheme == origin.scheme
            and not any(word in url.lower() for word in ("logout", "signout", "delete"))
        ):
            yield url


async def _logins(client: Client, pages: Iterable[Exchange]) -> list[Exchange]:
    """Send wrong logins to the form that most looks like a login until one is refused; then again with another address in each."""
    forms = [
        (urljoin(page.url, form.action or page.url), form)
        for page in pages
        for form in (read(page.body).forms if page.is_html else ())
        if form.method == "post" and form.has_password
    ]
    if not forms:
        return []
    url, form = min(
        forms, key=lambda one: (re.search(r"log_?in|sign_?in|auth", one[0]) is None, len(one[1].fields))
    )
    names = [name or "x" for name, kind in form.fields if kind not in ("submit", "button")]
    body = urlencode([(name, f"stopper-{secrets.token_hex(4)}") for name in names]).encode()
    return [
        *await _tries(client, "login", url, body, rotate=False),
        *await _tries(client, "login-rotated", url, body, rotate=True),
    ]


async def _tries(client: Client, purpose: str, url: str, body: bytes, *, rotate: bool) -> list[Exchange]:
    tries = []
    for number in range(LOGIN_TRIES):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if rotate:
            headers["X-Forwarded-For"] = f"198.51.100.{number + 1}"
        tries.append(await client.ask(purpose, url, method="POST", headers=headers, body=body))
        if tries[-1].status in (403, 423, 429) or not tries[-1].answered:
            break
    return tries
