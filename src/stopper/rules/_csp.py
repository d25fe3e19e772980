"""The content security policies that a project writes: for Talisman, in a header of its own, or at a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stopper.finding import Location
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

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
    yield from _stored(project)
    for proxy in project.settings.proxies:
        for name, value, location in proxy.headers:
            if name.lower() == "content-security-policy":
                yield _parsed(location, value)


def _stored(project: Project) -> Iterator[Policy]:
    for module in project.modules:
        if module.role is not Role.APP:
            continue
        for target, value, scope in module.stores:
            store = project.code.expr(target, scope)
            if store.identifier.lower() == "content-security-policy":
                text = constant(project.code.expr(value, scope))
                if isinstance(text, str):
                    yield _parsed(store.location, text)


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
