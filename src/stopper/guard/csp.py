"""Send a content security policy with every answer: a strict one with a nonce for pages, one that allows nothing for the rest.

The nonce is put on the tags of the app's templates (`stopper.guard.nonce`), so that an app works as it is. A policy is the
default with its directives replaced: for the app by `STOPPER_CSP_POLICY`, for a view, blueprint or path by `stopper.csp` and
`STOPPER_ROUTES`. A view's own header wins.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from stopper.errors import ConfigurationError
from stopper.guard import nonce
from stopper.guard.answers import Answer
from stopper.guard.guard import Cell, Guard
from stopper.guard.headers import Headers
from stopper.guard.route import Route
from stopper.guard.settings import Mode, Settings, setting
from stopper.guard.violations import GROUP, Violations
from stopper.policy import CSP_DIRECTIVES, CSP_KEYWORDS, STRICT_CSP

Directives = Mapping[str, Sequence[str]]
"""A policy: directives with their sources; `'nonce'` stands for the nonce of the request."""

ENFORCED: Final = "Content-Security-Policy"
REPORTED: Final = "Content-Security-Policy-Report-Only"
NONCE: Final = "'nonce'"
NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer that is no page: JSON, text, an image."""

DRAWING: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
)
"""The policy of an SVG or XML file: its styles are kept, its scripts are not run (they are not in an `img` either)."""

PAGES: Final = ("text/html", "application/xhtml+xml")
DRAWINGS: Final = ("image/svg+xml", "text/xml", "application/xml")
SCRIPTS: Final = ("text/javascript", "application/javascript")
"""A worker's script brings the policy that its worker runs under."""

NONCED: Final = re.compile(r"'nonce(?:-[^']*)?'(?: 'strict-dynamic')?")
"""What a file that no template made cannot have in its policy."""

UNNONCED: Final = frozenset(("'unsafe-inline'", "'none'"))
"""Sources that a nonce would undo."""

SOURCE: Final = re.compile(
    r"\*|[a-z][a-z0-9+.-]*:|'nonce'|'(?:sha256|sha384|sha512)-[A-Za-z0-9+/_-]+={0,2}'"
    r"|(?:[a-z][a-z0-9+.-]*://)?(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::(?:\d+|\*))?(?:/[^\s;,]*)?",
    re.IGNORECASE,
)
"""A source that is no keyword (CSP Level 3, section 2.3.1)."""

WORDED: Final = frozenset(
    "sandbox report-uri report-to require-trusted-types-for trusted-types plugin-types upgrade-insecure-requests "
    "block-all-mixed-content require-sri-for webrtc".split()
)
"""Directives whose values are no sources."""

FLAGS: Final = frozenset(("upgrade-insecure-requests", "block-all-mixed-content", "sandbox"))
"""Directives that may stand without a value."""


def _checked(value: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a policy in the settings."""
    try:
        directives(value, "the policy")
    except ConfigurationError as error:
        return str(error)
    return None


@dataclass(frozen=True)
class CspSettings(Settings):
    """Hold what the content security policy says."""

    csp_policy: Mapping[str, Any] = setting(
        {}, check=_checked, example={"img-src": ["'self'", "https://img.example"]}
    )
    """Directives that replace those of the strict policy: text or a list of sources, None to leave a directive out.
    `'nonce'` stands for the nonce; it is added to script-src and style-src unless they hold 'unsafe-inline' or 'none'."""

    csp_report_only: Mapping[str, Any] | None = setting(None, check=_checked)
    """Directives of a second policy that is only reported, beside the one that is enforced: to try a stricter one."""

    csp_reports: str | None = setting(
        "/_stopper/csp", check=lambda path: None if path.startswith("/") else "begin the path with a slash"
    )
    """The path that receives violation reports; None for none."""

    csp_store: str | None = None
    """The file to which distinct reports are added, a line of JSON each, for `flask stopper csp`; None only logs them."""

    csp_distinct: int = setting(200, least=1, most=10_000)
    """How many distinct violations a worker remembers, logs and stores; later ones are counted and dropped."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy, ready to be sent."""

    parts: tuple[str, ...]
    """Its text, cut where the nonce goes."""

    def text(self, environ: dict[str, Any]) -> str:
        """Return the text for one request."""
        parts = self.parts
        return parts[0] if len(parts) == 1 else nonce.nonce_of(environ).join(parts)


class Csp(Guard):
    """Send the policies, and put the nonce on the tags of templates."""

    name = "csp"
    area = "headers"
    Settings: ClassVar[type[Settings]] = CspSettings

    def start(self) -> None:
        """Teach Jinja the nonce, open the endpoint of reports, and refuse a policy that browsers would misread."""
        nonce.install(self.app.jinja_env)
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                directives(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['csp']")
        wanted: CspSettings = self.settings
        if wanted.csp_reports is not None:
            Violations(self.app, self.state, wanted.csp_distinct, wanted.csp_store).open(wanted.csp_reports)

    def answer(self, route: Route) -> Callable[[Answer], None]:
        """Return what adds the policies to a route's answers."""
        framed = {option: self._sent(route, option) for option in ("'none'", "'self'")}
        usual = self._sent(route, None)
        endpoints = self._endpoints()

        def hook(answer: Answer) -> None:
            if answer.status == 304:
                return  # the policy that the browser kept with the page belongs to the nonce in it
            names = answer.names
            kind = answer.get("content-type").partition(";")[0].strip().lower()
            if kind not in PAGES or 300 <= answer.status < 400:
                if ENFORCED.lower() not in names:
                    _add_plain(answer, kind, usual)
                return
            sent = (
                usual if "x-frame-options" not in names else framed[_ancestors(answer.get("x-frame-options"))]
            )
            for name, low, policy in sent:
                if low not in names:
                    answer.add(name, policy.text(answer.environ))
            if endpoints is not None:
                answer.set_default("Reporting-Endpoints", endpoints)

        return hook

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what a route's policy says of scripts, and what differs from the strict one."""
        policy = self.policy(route, None)
        scripts = policy.get("script-src", policy.get("default-src", ("anything",)))
        if "'unsafe-inline'" in scripts or "anything" in scripts:
            yield Cell("csp", f"scripts: {' '.join(scripts)}", "open")
            return
        strict = resolved(STRICT_CSP, {})
        changed = [name for name in {**strict, **policy} if strict.get(name) != policy.get(name)]
        changed = [name for name in changed if not name.startswith("report-")]
        yield Cell(
            "csp",
            "strict" if not changed else f"strict but {', '.join(sorted(changed))}",
            "report" if self.mode is Mode.REPORT else "covered",
        )

    def policy(self, route: Route, ancestors: str | None) -> dict[str, tuple[str, ...]]:
        """Return a route's enforced policy; `ancestors` is what the answer's own X-Frame-Options asks for."""
        said = [self.settings.csp_policy, *(mark.value for mark in route.marked(self.name))]
        merged: dict[str, tuple[str, ...] | None] = {}
        for one in said:
            merged.update(directives(one, f"the policy of {route.endpoint}"))
        base = dict(STRICT_CSP)
        headers = self.state.guards.get("headers")
        if ancestors is None and isinstance(headers, Headers):
            option = headers.values(route).get("X-Frame-Options")
            ancestors = None if option is None else _ancestors(option)
            if option is None:
                base.pop("frame-ancestors")
        if ancestors is not None:
            base["frame-ancestors"] = (ancestors,)
        return resolved(base, merged)

    def _sent(self, route: Route, ancestors: str | None) -> tuple[tuple[str, str, Policy], ...]:
        """Return the headers of a page with their policies: the enforced one, and one that only reports."""
        policy = self.policy(route, ancestors)
        enforced = REPORTED if self.mode is Mode.REPORT else ENFORCED
        found = [(enforced, enforced.lower(), self._ready(policy, static=route.is_static))]
        tried = self.settings.csp_report_only
        if tried is not None and self.mode is not Mode.REPORT:
            stricter = resolved(policy, directives(tried, "STOPPER_CSP_REPORT_ONLY"))
            found.append((REPORTED, REPORTED.lower(), self._ready(stricter, static=route.is_static)))
        return tuple(found)

    def _ready(self, policy: Mapping[str, Sequence[str]], *, static: bool) -> Policy:
        """Return a policy as the text to send, with where its reports go."""
        parts = [" ".join((name, *sources)) for name, sources in policy.items()]
        if static:
            parts = [NONCED.sub("'self'", part) for part in parts]
        path = self.settings.csp_reports
        if path is not None and "report-uri" not in policy and "report-to" not in policy:
            parts += [f"report-uri {self._reports(path)}", f"report-to {GROUP}"]
        return Policy(tuple("; ".join(parts).replace(NONCE, "'nonce-\0'").split("\0")))

    def _endpoints(self) -> str | None:
        """Return the header that names the endpoint of reports."""
        path = self.settings.csp_reports
        return None if path is None else f'{GROUP}="{self._reports(path)}"'

    def _reports(self, path: str) -> str:
        """Return the path of the endpoint as browsers see it."""
        return f"{self.app.config['APPLICATION_ROOT'].rstrip('/')}{path}"


def _ancestors(option: str) -> str:
    """Return the source for frame-ancestors that means the same as X-Frame-Options."""
    return "'self'" if option.strip().upper() == "SAMEORIGIN" else "'none'"


def _add_plain(answer: Answer, kind: str, usual: tuple[tuple[str, str, Policy], ...]) -> None:
    """Add the policy of an answer that is no page."""
    header = usual[0][0]
    if kind in SCRIPTS:
        # The page's own policy with 'self' for the nonce: a worker may load what its page may.
        answer.set_default(header, NONCED.sub("'self'", usual[0][2].text(answer.environ)))
    elif kind in DRAWINGS:
        answer.set_default(header, DRAWING)
    elif kind == "application/pdf":  # a viewer inside the browser needs styles and scripts of its own
        answer.set_default(header, "frame-ancestors 'self'")
    else:
        answer.set_default(header, NOTHING)


def directives(said: Any, place: str) -> dict[str, tuple[str, ...] | None]:
    """Return directives as tuples of sources; raise `ConfigurationError` for what browsers would misread in silence."""
    if not isinstance(said, Mapping):
        raise ConfigurationError(
            f'{place} is {said!r}: write a dictionary, such as {{"img-src": ["\'self\'"]}}'
        )
    found: dict[str, tuple[str, ...] | None] = {}
    for key, value in said.items():
        name = key.replace("_", "-").lower()
        if name not in CSP_DIRECTIVES:
            near = difflib.get_close_matches(name, CSP_DIRECTIVES, n=1)
            raise ConfigurationError(
                f"{place}: {key!r} is no directive{f'; did you mean {near[0]!r}?' if near else ''}"
            )
        found[name] = None if value is None or value is False else _sources(name, value, place)
    return found


def _sources(name: str, value: Any, place: str) -> tuple[str, ...]:
    """Return the sources of a directive."""
    if value is True or value == "":
        value = ()
    words = value.split() if isinstance(value, str) else list(value)
    for word in words:
        wrong = _wrong_source(name, word)
        if wrong is not None:
            raise ConfigurationError(f"{place}: {name} {wrong}")
    if "'none'" in words and len(words) > 1:
        raise ConfigurationError(f"{place}: {name} has 'none' beside other sources, where it means nothing")
    if not words and name not in FLAGS:
        raise ConfigurationError(
            f"{place}: {name} is empty: write \"'none'\", or None to leave the directive out"
        )
    return tuple(words)


def _wrong_source(name: str, word: Any) -> str | None:
    """Return what is wrong with one word of a directive, or nothing."""
    if not isinstance(word, str) or not re.fullmatch(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]+", word):
        return f"cannot hold {word!r}: a source is one word of ASCII without commas and semicolons"
    if name in WORDED:
        return None
    bare = word.strip("'").lower()
    if bare in CSP_KEYWORDS or bare == "nonce":
        return (
            None
            if word == f"'{bare}'"
            else f"holds {word}, which is the name of a host: write \"'{bare}'\", quotes included"
        )
    if bare.startswith("nonce-"):
        return f"holds {word}, the same for every request: write \"'nonce'\", and each request gets its own"
    if SOURCE.fullmatch(word):
        return None
    near = difflib.get_close_matches(bare, CSP_KEYWORDS, n=1) if word.startswith("'") else []
    return f"does not know {word}" + (f"; did you mean \"'{near[0]}'\"?" if near else "")


def resolved(
    base: Mapping[str, Sequence[str]], changes: Mapping[str, Sequence[str] | None]
) -> dict[str, tuple[str, ...]]:
    """Return a policy with directives replaced; the header has a nonce wherever the page's tags have one."""
    policy: dict[str, tuple[str, ...]] = {}
    for name, sources in {**base, **changes}.items():
        if sources is None:
            continue
        words = tuple(sources)
        if name in {"script-src", "style-src", "script-src-elem", "style-src-elem"}:
            needs = NONCE not in words and UNNONCED.isdisjoint(words)
            words = (*words, NONCE) if needs else words
        policy[name] = words
    return policy
