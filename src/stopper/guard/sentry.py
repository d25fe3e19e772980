"""Stop a request whose input reaches a file outside the allowed folders, a shell, a pickle or a private address.

The interpreter itself tells what it is about to do (PEP 578), so nothing needs to be wrapped and nothing goes past. Off unless
`STOPPER_SENTRY` says `enforce` or `report`: an audit hook cannot be taken out again, and each event of the process costs a look.
What did not come from the request that is under way is never stopped, and outside of a request nothing is looked at.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Flask, current_app, has_request_context, request

from stopper.errors import ConfigurationError
from stopper.guard import reaches
from stopper.guard.authored import Authored
from stopper.guard.guard import Guard
from stopper.guard.inputs import Inputs, gather
from stopper.guard.settings import Mode, Settings, setting

PATHS: Final = {
    "open": (0,),
    **dict.fromkeys(
        (
            "os.remove",
            "os.rmdir",
            "os.mkdir",
            "os.listdir",
            "os.scandir",
            "os.chmod",
            "os.chown",
            "os.truncate",
        ),
        (0,),
    ),
    **dict.fromkeys(
        ("os.rename", "os.link", "os.symlink", "shutil.copyfile", "shutil.move", "shutil.copytree"), (0, 1)
    ),
    **dict.fromkeys(("shutil.rmtree", "shutil.unpack_archive", "sqlite3.connect", "glob.glob"), (0,)),
}
"""Events about files, and which of their arguments are paths."""

PEERS: Final = 1000
"""How many addresses are remembered as the app's own."""
CONTACTED: Final = "stopper.sentry.contacted"
"""Where in the WSGI environment it is kept that a request named a host which was then looked up."""

REASONS: Final = {
    "file": "The request was stopped, since it would have reached a file it may not.",
    "shell": "The request was stopped, since it would have reached a shell.",
    "pickle": "The request was stopped, since it would have been run as code.",
    "address": "The request was stopped, since it would have reached an internal address.",
}

_busy = threading.local()
"""Whether this thread judges already: judging opens files and imports modules as well."""
_hooked: Final = threading.Event()
"""Whether the hook is in. There is one for the whole process, and it cannot be taken out."""


@dataclass(frozen=True)
class SentrySettings(Settings):
    """Whether the sentry stands, and where requests may lead."""

    sentry: Mode = Mode.OFF
    """`enforce` or `report` to have it stand; it is off unless it is asked for, and `STOPPER_MODE` does not change that."""

    sentry_folders: tuple[str, ...] = setting((), example=["/srv/media"])
    """Further folders whose files a request may name, beside the app's own, its instance folder, Python's and the temporary one."""

    sentry_hosts: tuple[str, ...] = setting((), example=["search.internal"])
    """Internal hosts that a request may name."""


class Sentry(Guard):
    """Watch what requests reach."""

    name = "sentry"
    area = "inputs"
    Settings = SentrySettings
    switch = False
    settings: SentrySettings

    def __init__(self, app: Flask, settings: Any, state: Any, mode: Mode = Mode.ENFORCE) -> None:
        super().__init__(app, settings, state, mode if settings.sentry is Mode.ENFORCE else settings.sentry)
        self._folders: tuple[Path, ...] = ()
        self._peers: set[tuple[str, int]] = set()
        self._authored = Authored(app)

    def start(self) -> None:
        """Put the hook in, if the sentry is to stand."""
        if self.mode is Mode.OFF:
            return
        for folder in self.settings.sentry_folders:
            if not Path(folder).is_absolute():
                raise ConfigurationError(
                    f"STOPPER_SENTRY_FOLDERS holds {folder!r}: write the whole path, from the root"
                )
        self._folders = tuple(Path(os.path.realpath(one)) for one in self._named())
        if not _hooked.is_set():
            _hooked.set()
            sys.addaudithook(hear)

    def _named(self) -> list[str]:
        """Return the folders whose files a request may name."""
        app = self.app
        python = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), "/usr/share/zoneinfo"]
        static = [app.static_folder] if app.static_folder else []
        return [
            app.root_path,
            app.instance_path,
            *static,
            tempfile.gettempdir(),
            *python,
            *self.settings.sentry_folders,
        ]

    def judge(self, event: str, args: tuple[Any, ...]) -> None:
        """Raise `Refused` where an event is about to do what a request may not make the app do."""
        served = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # the proxy's own way
        inputs = gather(served)
        for index in PATHS.get(event, ()):
            if len(args) > index and self._leaves(args[index], inputs):
                self._refuse("file", event)
        if (event == "os.system" and reaches.becomes_shell_code(args[0], inputs)) or (
            event in STARTS and self._starts(args[0], args[1], inputs)
        ):
            self._refuse("shell", event)
        if event == "pickle.find_class" and reaches.unpickles_code(str(args[0]), str(args[1]), inputs):
            self._refuse("pickle", event, names=f"{args[0]}.{args[1]}")
        if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self._look_up(args[0], served.environ, inputs)
        if event == "socket.connect":
            self._connect(args[0], args[1], served.environ, inputs)

    def _leaves(self, path: Any, inputs: Inputs) -> bool:
        """Tell whether a path leads where the request may not."""
        if not isinstance(path, str | bytes | os.PathLike):
            return False  # a number: a file that is open already
        text = os.fsdecode(path)
        if text in {"", ":memory:"} or not reaches.leaves_folders(text, inputs, self._folders):
            return False
        return not self._authored.has(text)

    def _starts(self, executable: Any, arguments: Any, inputs: Inputs) -> bool:
        """Tell whether a program is about to be started that the request named, or a shell with its code."""
        if reaches.gives_shell_code(executable, arguments, inputs):
            return True
        program = reaches.program_of(executable, arguments)
        return reaches.names_program(program, inputs) and not self._authored.has(program)

    def _look_up(self, host: Any, environ: dict[str, Any], inputs: Inputs) -> None:
        """Note that a request names the host that is looked up; refuse one that is an internal address as it stands."""
        name = host.decode("idna", "replace") if isinstance(host, bytes) else str(host or "")
        if name in self.settings.sentry_hosts or not reaches.names_host(name, inputs):
            return
        if reaches.is_private(name):
            self._refuse("address", "socket.getaddrinfo")
        environ[CONTACTED] = True

    def _connect(self, opened: Any, address: Any, environ: dict[str, Any], inputs: Inputs) -> None:
        """Refuse a connection into the own network that the request asked for, by a name or over a redirect as well."""
        if not isinstance(address, tuple) or len(address) < 2 or not reaches.is_private(str(address[0])):
            return
        peer = (str(address[0]), int(address[1]))
        named = reaches.names_host(peer[0], inputs) and peer[0] not in self.settings.sentry_hosts
        if not named and not environ.get(CONTACTED):
            if len(self._peers) < PEERS:
                self._peers.add(peer)
            return
        if named or peer not in self._peers:
            if self.mode is Mode.ENFORCE:
                opened.close()  # whoever opened it expects errors of the system alone
            self._refuse("address", "socket.connect")

    def _refuse(self, what: str, event: str, **facts: Any) -> None:
        """Refuse the request, unless its route was told to do such things."""
        route = request.environ.get(self.app.extensions["stopper"].key)
        if route is not None and (
            route.exempt(self.name) or request.method in route.exempt_methods(self.name)
        ):
            return
        self.state.refuse(self, 403, "Forbidden", REASONS[what], reached=what, event=event, **facts)


STARTS: Final = frozenset(("subprocess.Popen", "os.exec", "os.posix_spawn"))
WATCHED: Final = frozenset(
    (
        *PATHS,
        *STARTS,
        "os.system",
        "pickle.find_class",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.connect",
    )
)
"""Every event that is looked at."""


def hear(event: str, args: tuple[Any, ...]) -> None:
    """Judge an event of the interpreter if a request of an app with a sentry is under way."""
    if event not in WATCHED or getattr(_busy, "now", False) or not has_request_context():
        return
    _busy.now = True
    try:
        gate = current_app.extensions.get("stopper")
        guard = gate.state.guards.get(Sentry.name) if gate is not None else None
        if guard is not None and guard.mode is not Mode.OFF:
            guard.judge(event, args)
    finally:
        _busy.now = False
