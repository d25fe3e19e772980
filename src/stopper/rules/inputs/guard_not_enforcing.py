"""Stopper's guard must stand before the app that production serves, and stop what it sees.

`STOPPER_MODE = "report"` lets everything through and only tells of it, `"off"` does not even look, and `STOPPER_<GUARD>` does the same for one
guard. Both are for trying the guard out. A `Stopper()` that is never given an app, or only where the file itself is started, stops nothing
either. And a wrong `STOPPER_PROXIES` makes it count the wrong clients: too few, and everybody behind the proxy is one; too many, and a
client invents its own address.

Bad::

    from flask import Flask
    from stopper import Stopper

    app = Flask(__name__)
    app.config["STOPPER_MODE"] = "report"
    Stopper(app, proxies=1)

Good::

    from flask import Flask
    from stopper import Stopper

    app = Flask(__name__)
    Stopper(app, proxies=1)

Bad::

    from flask import Flask
    from stopper import Stopper

    app = Flask(__name__)
    Stopper(app, proxies=1, csrf="off")

Good::

    from flask import Flask
    from stopper import Stopper

    app = Flask(__name__)
    stopper = Stopper(app, proxies=1)

    @app.post("/hooks/payment")
    @stopper.exempt("csrf")
    def payment():
        return "thanks"

References:
    - CWE-693
    - https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.policy import PROXY_HOPS
from stopper.rule import Rule
from stopper.rules._engaged import made
from stopper.rules._guarded import NAMES, WITHOUT_MODE, Guarding, guarding
from stopper.source.project import Project

_DOES: Final = {"report": "lets everything through and only tells of it", "off": "does not look at all"}
_FORWARDS: Final = ("proxy_pass", "reverse_proxy", "ProxyPass")


class GuardNotEnforcing(Rule):
    """Compare the modes of Stopper's guards, as they hold in production, with enforcing, and count the proxies in the tree."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a guard that stands nowhere, one that stops nothing, and a number of proxies that cannot be right."""
        guards = guarding(project)
        if not guards.installed.calls:
            yield from self._nowhere(project, guards)
            return
        yield from self._modes(guards)
        yield from self._proxies(project, guards)

    def _nowhere(self, project: Project, guards: Guarding) -> Iterator[Finding]:
        for call in guards.installed.elsewhere:
            yield self.found(
                call.location, "Stopper is given the app only where a production server does not come by",
                remedy="Stopper(app)  # where the app is made", context=call.function,
            )  # fmt: skip
        for call in made(project) if not guards.installed.elsewhere else ():
            confidence = Confidence.LOW if guards.installed.unseen else Confidence.MEDIUM
            yield self.found(
                call.location, "this Stopper is given no app, and guards nothing", confidence=confidence,
                remedy="stopper.init_app(app)", context=call.function,
            )  # fmt: skip

    def _modes(self, guards: Guarding) -> Iterator[Finding]:
        """Report what is switched to less than enforcing: all guards, or one of them."""
        for name in ("mode", *sorted(NAMES - WITHOUT_MODE)):
            said = guards.said(name)
            does = _DOES.get(str(said.value).lower()) if said is not None else None
            if (
                said is None
                or said.place is None
                or does is None
                or (name == "sentry" and said.value == "off")
            ):
                continue
            what = (
                "no guard of Stopper stops anything in production"
                if name == "mode"
                else f"Stopper's {name} guard stops nothing in production"
            )
            yield self.found(
                said.place, f"{what}: STOPPER_{name.upper()} = {said.value!r} {does}", context=name,
                severity=Severity.MEDIUM if name == "mode" else Severity.LOW, remedy=f'STOPPER_{name.upper()} = "enforce"',
            )  # fmt: skip

    def _proxies(self, project: Project, guards: Guarding) -> Iterator[Finding]:
        """Report more proxies than can be seen, and a proxy in the tree of which the guard is not told."""
        said = guards.said("proxies")
        hops = int(said.value) if said is not None and str(said.value).isdecimal() else None
        if said is not None and said.place is not None and hops is not None and hops > PROXY_HOPS:
            yield self.found(
                said.place, f"the guard believes {hops} proxies: right only when that many stand before the app, else the client forges its address",
                severity=Severity.LOW, confidence=Confidence.MEDIUM, remedy="STOPPER_PROXIES = 1", context="proxies",
            )  # fmt: skip
        proxied = any(
            word in file.text.content
            for file in project.tree.named("*.conf", "nginx*", "Caddyfile")
            for word in _FORWARDS
        )
        if (
            not proxied
            or project.code.uses("werkzeug.middleware.proxy_fix")
            or (said is not None and hops != 0)
        ):
            return
        for call in guards.installed.calls:
            yield self.found(
                call.location, "a proxy in this project stands before the app, and the guard is not told: all its visitors count as one client",
                severity=Severity.LOW, confidence=Confidence.MEDIUM, remedy="STOPPER_PROXIES = 1", context="proxies",
            )  # fmt: skip
