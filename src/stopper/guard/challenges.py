"""Answer the challenges of an ACME server (RFC 8555, section 8.3), so that ``stopper cert`` can work beside the running app.

Replicas share the answers in a folder or a Redis. It comes before every other guard: the server asks over plain HTTP, by any name of the site.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard
from stopper.guard.route import Route
from stopper.guard.settings import Settings, setting
from stopper.policy import ACME_KEY, ACME_PREFIX, ACME_TOKEN


@dataclass(frozen=True)
class ChallengesSettings(Settings):
    """Hold where the answers are."""

    acme: str = setting("", example="redis://localhost:6379/0")
    """The folder or the Redis where `stopper cert` puts the answers: as given to its ``--shared`` or ``--redis``. Empty: none are answered."""


class Challenges(Guard):
    """Answer what an ACME server asks for."""

    name = "challenges"
    area = "transport"
    Settings: ClassVar[type[Settings]] = ChallengesSettings

    def start(self) -> None:
        """Open the folder or the Redis.

        Raises:
            ConfigurationError: The setting is neither, or the redis package is not there.
        """
        where = self.settings.acme
        self._folder = Path(where) if where and "://" not in where else None
        self._redis: Any = None
        if "://" in where:
            if urlsplit(where).scheme not in {"redis", "rediss", "valkey", "valkeys", "unix"}:
                raise ConfigurationError(
                    f"STOPPER_ACME = {where!r} is neither a folder nor a Redis; write: STOPPER_ACME = 'redis://localhost:6379/0'"
                )
            try:
                import redis
            except ImportError as error:
                raise ConfigurationError(
                    "STOPPER_ACME names a Redis; pip install 'stopper[redis]'"
                ) from error
            address = where.replace("valkey", "redis", 1)
            self._redis = redis.Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)

    def arrive(self, environ: dict[str, Any]) -> Response | None:
        """Answer a challenge that is known; everything else goes on to the app."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(ACME_PREFIX) or not (self._folder or self._redis):
            return None
        answer = self._answer(path.removeprefix(ACME_PREFIX))
        return Response(answer, content_type="application/octet-stream") if answer else None

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield nothing: challenges are no route of the app."""
        del route
        return iter(())

    def _answer(self, token: str) -> str | None:
        """Return the answer for a token, or None; None too where the folder or Redis does not answer."""
        if not ACME_TOKEN.fullmatch(token):
            return None
        if self._folder is not None:
            with contextlib.suppress(OSError, ValueError):
                return (self._folder / token).read_text(encoding="ascii")
            return None
        with contextlib.suppress(Exception):
            found = self._redis.get(ACME_KEY + token)
            return found.decode("ascii") if found else None
        return None
