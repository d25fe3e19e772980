"""A rule about one setting: what it is in the source, what it is in the booted app, and what the session cookie has of it on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from stopper.finding import Cleared, Finding, Vantage
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site


class SettingRule(Rule):
    """Compare settings, as they hold in production, with what they should be."""

    keys: ClassVar[tuple[str, ...]]
    wrong_message: ClassVar[str]
    """Said of a wrong value; ``{key}`` stands for the setting."""
    unset_message: ClassVar[str] = ""
    """Said where it is set nowhere; "" when the library's default is right."""
    remedy: ClassVar[str]
    """The value to write, as Python."""

    def wrong(self, value: Any) -> bool:
        """Tell whether a known value is wrong."""
        return not value

    def concerns(self, project: Project) -> bool:
        """Tell whether the setting matters in this project."""
        del project
        return True

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        for key in self.keys if self.concerns(project) else ():
            yield from judged_setting(
                self, project, key, wrong=self.wrong, wrong_message=self.wrong_message.format(key=key),
                unset_message=self.unset_message.format(key=key), remedy=self._line(key),
            )  # fmt: skip

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say what the booted app has; a setting that it does not have at all is left to the source."""
        for key in self.keys:
            if key not in booted.config:
                continue
            value = booted.config[key]
            if not self.wrong(value):
                yield self.cleared(f"{key} is {value!r} in the booted app", context=key)
            elif self.unset_message or value is not None:
                message = f"{self.wrong_message.format(key=key)}; the booted app has {value!r}"
                yield self.seen(f"setting:{key}", message, remedy=self._line(key))

    def _line(self, key: str) -> str:
        return f'app.config["{key}"] = {self.remedy}'


class SessionCookieRule(SettingRule):
    """Look for what one setting gives the session cookie on the wire as well."""

    attribute: ClassVar[str]
    """The attribute of the cookie, in lower case."""

    def wire(self, site: Site) -> Iterator[Finding | Cleared]:
        """Say what the session cookie on the wire has."""
        (key,) = self.keys
        sessions = [one for one in site.cookies() if one.is_session]
        wrong = [one for one in sessions if self.attribute not in one.attributes]
        if wrong:
            message = f"{wrong[0].exchange.url} sets the session cookie without {self.attribute}"
            yield self.seen(f"setting:{key}", message, vantage=Vantage.WIRE, remedy=self._line(key))
        elif sessions:
            yield self.cleared("the session cookie on the wire has it", context=key, vantage=Vantage.WIRE)
