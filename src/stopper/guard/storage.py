"""Choose where hits are remembered: in the process, in a file that all workers share, or in Redis or Valkey.

A memory of its own for each of four workers lets four times as much through. So where the server says that several processes serve the app
(``wsgi.multiprocess``), the memory is a file that they share, and that is told; where there can be no such file, production is not served.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.guard import Guard, Problem
from stopper.guard.remote import SCHEMES, Remote
from stopper.guard.settings import Settings, setting
from stopper.guard.shared import LAYOUT, SharedFile, folder
from stopper.guard.stores import Memory, Store

LOCAL: Final = re.compile(r"memory(://)?|auto|file:///.+", re.DOTALL)
REMOTE: Final = re.compile(rf"(?:{'|'.join(SCHEMES)})(?:\+(?:unix|sentinel|cluster))?://.+", re.DOTALL)


def _wrong(value: str) -> str | None:
    if LOCAL.fullmatch(value) or REMOTE.fullmatch(value):
        return None
    return f'{value.partition("://")[0]!r} is no storage: write "auto", "memory", "file:///path", "redis://host:6379/0" or "valkey://host:6379/0"'


@dataclass(frozen=True)
class StorageSettings(Settings):
    """Where limits and lockouts are remembered."""

    storage: str = setting("auto", check=_wrong, example="redis://localhost:6379/0")
    """`auto` is the memory of the process, or a file that workers share where the server has several. `file:///path` names that
    file. Redis and Valkey, as the `limits` library writes their URLs, are for several machines, and keep limits over a restart."""

    storage_name: str | None = setting(None, example="shop")
    """What the keys of this app begin with; two apps with the same import name on one server need two names. In the environment it
    names all apps of a process alike, so that they count together."""


class Storage(Guard):
    """Keep the memory that limits and lockouts share."""

    name = "storage"
    area = "limits"
    Settings = StorageSettings
    switch = False
    settings: StorageSettings

    def start(self) -> None:
        """Take the memory of the process, and Redis or Valkey before it where one is named."""
        self.local: Store = Memory()
        self.store: Store = self.local
        self._problem = ""
        url = self.settings.storage
        if REMOTE.fullmatch(url):
            self.store = Remote(url, f"stopper:{self._own_name()}", lambda: self.local, self._tell)

    def settle(self, environ: dict[str, Any]) -> None:
        """Share the memory through a file where several processes serve the app."""
        path = (
            self.settings.storage.removeprefix("file://") if self.settings.storage.startswith("file:") else ""
        )
        if isinstance(self.local, SharedFile) or not (path or environ.get("wsgi.multiprocess")):
            return
        try:
            shared = SharedFile(Path(path) if path else folder() / f"{self._own_name()}.{LAYOUT}")
        except (ConfigurationError, OSError) as error:
            self._problem = str(error)
            return
        remote = self.store is not self.local
        self.local = shared
        if remote:
            return
        self.store = shared
        if not path:
            self.state.tell(
                self.name, f"Several processes serve the app: its limits are shared through {shared.path}"
            )

    def demand(self) -> Iterator[Problem]:
        """Yield that several processes have no memory in common."""
        if self._problem:
            yield Problem(
                self.name,
                f"Limits do not hold across workers: {self._problem}.",
                'STOPPER_STORAGE = "redis://..."',
            )

    def _own_name(self) -> str:
        """Return what tells this app from others on the same machine: the same in each of its workers."""
        if self.settings.storage_name:
            return re.sub(r"[^\w.-]", "-", self.settings.storage_name)
        config = self.app.config
        parts = (
            self.app.import_name,
            self.app.root_path,
            config.get("APPLICATION_ROOT"),
            config.get("SERVER_NAME"),
        )
        digest = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return f"{re.sub(r'[^A-Za-z0-9_.-]', '-', self.app.import_name)[:40]}-{digest}"

    def _tell(self, action: str, detail: str) -> None:
        events.emit(self.app, self.state.event(self.name, action, detail))
