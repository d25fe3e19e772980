"""Parse a Content-Security-Policy and judge it, as browsers read it (CSP Level 3).

The judgement asks what an attacker who can write into a page could still do: run a script, load one from a host that serves anybody's, move
relative links with a base tag, or send a form elsewhere. Advice names what a page needs instead of the unsafe source.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping

from stopper.policy import CSP_DIRECTIVES, CSP_KEYWORDS
from stopper.records import dataclass
from stopper.regex import regex

Directives = Mapping[str, tuple[str, ...]]
"""The sources of each directive, names in lower case."""

NONCE_LENGTH = 8
"""The least characters of a nonce that take long to guess; CSP Level 3 asks for 128 bits."""
ANYBODYS = frozenset(
    (
        "ajax.googleapis.com cdnjs.cloudflare.com cdn.jsdelivr.net unpkg.com code.angularjs.org raw.githubusercontent.com "
        "gist.githubusercontent.com rawgit.com cdn.rawgit.com yandex.st yastatic.net ajax.aspnetcdn.com cdn.bootcdn.net esm.sh "
        "cdn.skypack.dev storage.googleapis.com s3.amazonaws.com accounts.google.com www.google.com www.googleapis.com "
        "maps.googleapis.com translate.googleapis.com www.googleadservices.com googleads.g.doubleclick.net www.youtube.com "
        "graph.facebook.com api.facebook.com connect.facebook.net api.twitter.com api.instagram.com vimeo.com api.vimeo.com "
        "en.wikipedia.org api.flickr.com api.github.com api.stackexchange.com"
    ).split()
)
"""Hosts that serve what anybody uploads, old frameworks, or an answer wrapped in a function of the caller's choice (JSONP)."""
_BROAD = (
    "*",
    "http:",
    "https:",
    "data:",
    "blob:",
    "filesystem:",
    "//*",
    "http://*",
    "https://*",
    "ws:",
    "wss:",
)
_LIKE_DIRECTIVES = regex(r"^(?:[a-z]+-)+(?:src|uri|ancestors|action)(?:-elem|-attr)?$")


class Weight(enum.IntEnum):
    """How much a weakness takes from a policy."""

    HIGH = 3
    """An injected script runs."""
    MEDIUM = 2
    """It runs where something else helps, which is often there."""
    LOW = 1


@dataclass(frozen=True, slots=True)
class Weakness:
    """One thing that a policy lets through."""

    kind: str
    """``inline``, ``eval``, ``broad``, ``anybody``, ``host``, ``self``, ``plain``, ``missing``, ``nonce``, ``unknown``, ``keyword``, ``semicolon``."""
    directive: str
    source: str
    """"" where the directive as a whole is meant."""
    weight: Weight
    says: str
    """What it lets through, in a sentence without its full stop."""
    instead: str
    """What to write."""


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Return the directives of one policy; of a directive given twice the first counts, as in browsers."""
    directives: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        name, *sources = part.split() or [""]
        if name:
            directives.setdefault(name.lower(), tuple(sources))
    return directives


def effective(directives: Directives, name: str) -> tuple[str, ...] | None:
    """Return the sources that hold for a directive after its fallbacks, or None where nothing holds."""
    chain: tuple[str, ...] = {
        "script-src-elem": ("script-src-elem", "script-src", "default-src"),
        "script-src-attr": ("script-src-attr", "script-src", "default-src"),
    }.get(name, (name, "default-src"))
    if name in ("base-uri", "form-action", "frame-ancestors"):
        chain = (name,)
    return next((directives[one] for one in chain if one in directives), None)


def has_nonce_or_hash(sources: tuple[str, ...]) -> bool:
    """Tell whether scripts are named one by one, which makes browsers ignore 'unsafe-inline'."""
    return any(re.match(r"'(?:nonce-|sha(?:256|384|512)-)", one, re.IGNORECASE) for one in sources)


def judge(directives: Directives) -> list[Weakness]:
    """Return everything that a policy lets through, the worst first."""
    found = [
        *_spelling(directives),
        *_missing(directives),
        *_scripts(directives),
        *_objects(directives),
        *_bases(directives),
    ]
    return sorted(found, key=lambda one: (-one.weight, one.directive, one.source))


def _spelling(directives: Directives) -> Iterator[Weakness]:
    for name, sources in directives.items():
        if name not in CSP_DIRECTIVES:
            yield Weakness(
                "unknown",
                name,
                "",
                Weight.MEDIUM,
                f"browsers know no directive {name!r} and ignore it",
                "a directive of CSP Level 3",
            )
        for one in sources:
            if one.lower() in CSP_KEYWORDS:
                yield Weakness(
                    "keyword",
                    name,
                    one,
                    Weight.MEDIUM,
                    f"{one} without single quotes is a host of that name",
                    f"'{one}'",
                )
            elif _LIKE_DIRECTIVES.match(one.lower()) and one.lower() in CSP_DIRECTIVES:
                yield Weakness(
                    "semicolon",
                    name,
                    one,
                    Weight.MEDIUM,
                    f"{one} stands among the sources of {name}: a semicolon is missing",
                    f"; {one}",
                )


def _missing(directives: Directives) -> Iterator[Weakness]:
    if effective(directives, "script-src") is None:
        yield Weakness(
            "missing",
            "script-src",
            "",
            Weight.HIGH,
            "nothing limits where scripts come from",
            "script-src 'nonce-...' 'strict-dynamic'",
        )
    if effective(directives, "object-src") is None:
        yield Weakness(
            "missing",
            "object-src",
            "",
            Weight.HIGH,
            "plugins may be loaded from anywhere",
            "object-src 'none'",
        )
    if "base-uri" not in directives:
        named = has_nonce_or_hash(effective(directives, "script-src") or ())
        says = "an injected base tag moves every relative script to another host"
        yield Weakness(
            "missing", "base-uri", "", Weight.HIGH if named else Weight.LOW, says, "base-uri 'none'"
        )
    for name, says in (
        ("form-action", "an injected form may post anywhere"),
        ("frame-ancestors", "any site may frame the page"),
    ):
        if name not in directives:
            yield Weakness("missing", name, "", Weight.LOW, says, f"{name} 'self'")


def _scripts(directives: Directives) -> Iterator[Weakness]:
    for asked in ("script-src", "script-src-elem", "script-src-attr"):
        sources = effective(directives, asked)
        if sources is None or (asked != "script-src" and asked not in directives):
            continue
        written = next(one for one in (asked, "script-src", "default-src") if one in directives)
        lowered = tuple(one.lower() for one in sources)
        named = has_nonce_or_hash(sources)
        if "'unsafe-inline'" in lowered and not named and "'strict-dynamic'" not in lowered:
            says = "any script that is written into the page runs"
            yield Weakness(
                "inline", written, "'unsafe-inline'", Weight.HIGH, says, "'nonce-...' 'strict-dynamic'"
            )
        if "'unsafe-eval'" in lowered:
            says = "text can be run as a script"
            yield Weakness("eval", written, "'unsafe-eval'", Weight.MEDIUM, says, "without 'unsafe-eval'")
        yield from _nonces(written, sources)
        if "'strict-dynamic'" not in lowered or not named:
            yield from _hosts(written, sources)


def _nonces(name: str, sources: tuple[str, ...]) -> Iterator[Weakness]:
    for one in sources:
        match = re.fullmatch(r"'nonce-(.*)'", one, re.IGNORECASE)
        if match and len(match[1]) < NONCE_LENGTH:
            yield Weakness(
                "nonce",
                name,
                one,
                Weight.MEDIUM,
                "the nonce is short enough to be guessed",
                "16 random bytes in base64, new for each answer",
            )


def _hosts(name: str, sources: tuple[str, ...]) -> Iterator[Weakness]:
    instead = "'nonce-...' 'strict-dynamic'"
    for one in sources:
        lowered = one.lower()
        if lowered in _BROAD:
            yield Weakness("broad", name, one, Weight.HIGH, f"{one} lets scripts in from anywhere", instead)
        elif lowered == "'self'":
            says = "the site's own files are let in, uploads and JSONP answers among them"
            yield Weakness("self", name, one, Weight.MEDIUM, says, instead)
        elif not lowered.startswith("'"):
            yield from _host(name, one, instead)


def _host(name: str, source: str, instead: str) -> Iterator[Weakness]:
    lowered = source.lower()
    authority, _, path = re.sub(r"^[a-z][a-z0-9+.-]*://", "", lowered).partition("/")
    host = authority.partition(":")[0]
    if lowered.startswith("http:"):
        yield Weakness(
            "plain",
            name,
            source,
            Weight.MEDIUM,
            f"{source} is loaded without encryption: who is on the way writes it",
            f"https:{source[5:]}",
        )
    wild = host.startswith("*.") and any(one.endswith(host[1:]) for one in ANYBODYS)
    if (host in ANYBODYS and not path) or wild:
        yield Weakness(
            "anybody", name, source, Weight.HIGH, f"{host} serves scripts that anybody chooses", instead
        )
    else:
        yield Weakness(
            "host",
            name,
            source,
            Weight.MEDIUM,
            f"every script of {host} is let in, old ones and JSONP answers too",
            instead,
        )


def _objects(directives: Directives) -> Iterator[Weakness]:
    for one in effective(directives, "object-src") or ():
        if one.lower() in _BROAD:
            yield Weakness(
                "broad",
                "object-src",
                one,
                Weight.HIGH,
                "plugins may be loaded from anywhere",
                "object-src 'none'",
            )


def _bases(directives: Directives) -> Iterator[Weakness]:
    for one in directives.get("base-uri", ()):
        if one.lower() in _BROAD:
            yield Weakness(
                "broad",
                "base-uri",
                one,
                Weight.HIGH,
                "an injected base tag may name any host",
                "base-uri 'none'",
            )
