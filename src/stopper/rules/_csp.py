"""The content security policies that a project writes: for Talisman or Stopper's guard, in a header of its own, or at a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stopper.csp import Weight, judge, parse
from stopper.finding import Finding, Location, Severity, Vantage
from stopper.records import dataclass, field
from stopper.rule import Rule
from stopper.rules._guard_policies import given_policies
from stopper.rules._headers import header_values
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

if TYPE_CHECKING:
    from stopper.wire.exchange import Exchange
    from stopper.wire.site import Site

_SEVERITY = {Weight.HIGH: Severity.MEDIUM, Weight.MEDIUM: Severity.LOW, Weight.LOW: Severity.LOW}

_TALISMAN = {"default-src": ("'self'",), "object-src": ("'none'",)}
"""The policy that flask-talisman 1.1.0 sends unless it is given one."""


@dataclass(frozen=True)
class Policy:
    """One policy, as far as it is constant."""

    location: Location
    directives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The sources of each directive, names in lower case."""
    whole: bool = True
    """Every directive was read."""
    nonce_in_scripts: bool = False
    """A nonce is put into script-src at run time, which makes browsers ignore 'unsafe-inline'."""


def policies(project: Project) -> Iterator[Policy]:
    """Yield the enforced policies of application code and of proxies configured in the tree."""
    yield from project.cached(policies, lambda: tuple(_every(project)))


def _every(project: Project) -> Iterator[Policy]:
    for call in own_calls(project, *TALISMAN):
        value = constant(call.argument(None, "content_security_policy"))
        nonce = constant(call.argument(None, "content_security_policy_nonce_in"))
        if call.argument(None, "content_security_policy") is None and not call.has_star:
            yield Policy(call.location, _TALISMAN)
        if isinstance(value, dict | str):
            in_scripts = isinstance(nonce, list | tuple) and "script-src" in nonce
            yield _parsed(call.location, value, nonce=in_scripts)
    for written, location in header_values(project, "content-security-policy"):
        yield _parsed(location, written)
    for given in given_policies(project):
        yield _parsed(given.location, given.directives, nonce=given.nonce)


def _parsed(location: Location, value: dict[object, object] | str, *, nonce: bool = False) -> Policy:
    if isinstance(value, str):
        parts = [part.split() for part in value.split(";") if part.strip()]
        return Policy(location, {part[0].lower(): tuple(part[1:]) for part in parts}, nonce_in_scripts=nonce)
    directives: dict[str, tuple[str, ...]] = {}
    for key, sources in value.items():
        if isinstance(key, str):
            listed = sources if isinstance(sources, list | tuple | frozenset) else str(sources).split()
            directives[key.lower()] = tuple(str(one) for one in listed if one is not UNKNOWN)
    return Policy(location, directives, UNKNOWN not in value, nonce)


def weaknesses(rule: Rule, site: Site, kinds: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what the enforced policies of a site's pages let through, once for each weakness, with what these pages need."""
    seen: set[tuple[str, str]] = set()
    for exchange in site.of("page", "missing", "method"):
        for line in exchange.all("content-security-policy"):
            for weakness in (one for part in line.split(",") for one in judge(parse(part))):
                key = (weakness.directive, weakness.source)
                if weakness.kind not in kinds or key in seen:
                    continue
                seen.add(key)
                where = f"{weakness.directive} {weakness.source}".strip()
                yield rule.seen(
                    "header:Content-Security-Policy", f"{exchange.url}: {where}: {weakness.says}", vantage=Vantage.WIRE, context="csp",
                    severity=_SEVERITY[weakness.weight], remedy=f"{weakness.directive} {weakness.instead}{_needs(exchange)}",
                )  # fmt: skip


def _needs(exchange: Exchange) -> str:
    """Say what a page has that a strict policy must be told of."""
    from stopper.wire.page import read  # late: only a live site has pages

    page = read(exchange.body) if exchange.is_html else None
    if page is None:
        return ""
    inline = sum(not script.src for script in page.scripts)
    hosts = sorted({urlsplit(script.src).netloc for script in page.scripts if "//" in script.src})
    needs = [f"a nonce on {inline} inline script{'s' if inline > 1 else ''}"] if inline else []
    needs += (
        [f"{page.handlers} event handler{'s' if page.handlers > 1 else ''} moved into a script"]
        if page.handlers
        else []
    )
    needs += [f"a nonce on the scripts of {', '.join(hosts)}"] if hosts else []
    return f"  # this page needs {', '.join(needs)}" if needs else ""
