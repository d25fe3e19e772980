"""Boot an app in a child process with a time limit, and read back what it is.

The child runs in the project's own interpreter, reaches no network unless that is allowed, and prints nothing here. Code of the project does run:
this is what ``--app`` asks for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from stopper.app.booted import Answer, Booted, BootedRule, Hook, Place
from stopper.errors import UnseenError
from stopper.records import dataclass

_VENVS = (".venv", "venv", "env")
_KEPT_LINES = 6


@dataclass(frozen=True, slots=True)
class Boot:
    """How to boot an app."""

    app: str
    """As ``flask --app`` takes it: ``blog``, ``blog:app``, ``blog:create_app()``."""
    root: Path
    """The folder of the project; the child starts there."""
    python: Path | None = None
    """The interpreter; that of a virtual environment in ``root``, else this one, when it is not given."""
    seconds: float = 30.0
    """How long the child may take."""
    network: bool = False
    """Whether the app may open connections while it boots and answers."""
    requests: int = 60
    """How many routes are asked at most; 0 asks none."""


def boot(how: Boot) -> Booted:
    """Return what the app told of itself.

    Raises:
        UnseenError: The interpreter cannot be started, the app does not boot, or it takes too long; with the last lines of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="stopper-") as folder:
        answer = Path(folder) / "answer.json"
        run = _run(how, answer)
        if not answer.exists():
            raise UnseenError(
                f"{how.app}: the process ended with {run.returncode} before the app was there{_last(run.stderr)}"
            )
        told = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in told:
        raise UnseenError(f"{how.app} does not boot{_last(told['error'])}")
    return _read(told, how.root.resolve())


def _run(how: Boot, answer: Path) -> subprocess.CompletedProcess[str]:
    python = how.python or _interpreter(how.root)
    script = Path(__file__).with_name("child.py")
    command = [
        str(python),
        str(script),
        how.app,
        str(answer),
        "yes" if how.network else "no",
        str(how.requests),
    ]
    try:
        return subprocess.run(  # noqa: S603 - the interpreter and the app are the user's own words
            command, cwd=how.root, capture_output=True, text=True, errors="replace", timeout=how.seconds, check=False,
            stdin=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UnseenError(
            f"{how.app} was not there after {how.seconds:g} seconds; --boot-seconds gives it more"
        ) from error
    except OSError as error:
        raise UnseenError(
            f"{python} cannot be started: {error.strerror}; name the project's interpreter: --python"
        ) from error


def _environment() -> dict[str, str]:
    """Return the user's environment without Flask's debug mode: the app is looked at as it is served."""
    kept = {name: value for name, value in os.environ.items() if name != "FLASK_DEBUG"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _interpreter(root: Path) -> Path:
    """Return the interpreter of a virtual environment in the project, or the one that runs Stopper."""
    for name in _VENVS:
        for python in (root / name / "bin" / "python", root / name / "Scripts" / "python.exe"):
            if python.exists():
                return python
    return Path(sys.executable)


def _last(text: str) -> str:
    """Return the end of a traceback in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ": " + " | ".join(lines[-_KEPT_LINES:]) if lines else ""


def _read(told: dict[str, Any], root: Path) -> Booted:
    answers = tuple(
        Answer(
            one["method"],
            one["path"],
            one["endpoint"],
            one["status"],
            tuple(map(tuple, one["headers"])),
            one["body"],
            one["error"],
        )
        for one in told["answers"]
    )
    rules = tuple(
        BootedRule(
            one["rule"],
            tuple(one["methods"]),
            one["endpoint"],
            tuple(one["arguments"]),
            _place(one["view"], root),
        )
        for one in told["rules"]
    )
    hooks = tuple(
        Hook(one["kind"], one["blueprint"], _place(one, root) or Place("", "", 0)) for one in told["hooks"]
    )
    return Booted(
        told["name"], told["python"], told["flask"], told["debug"], told["testing"], told["config"], rules, hooks, told["extensions"],
        told["session_interface"], told["middleware"], told["autoescape"], tuple(told["filters"]), answers,
        tuple(f"{one.method} {one.path}: {one.error}" for one in answers if one.error),
    )  # fmt: skip


def _place(told: dict[str, Any] | None, root: Path) -> Place | None:
    if told is None:
        return None
    file = Path(told["file"]) if told["file"] else None
    inside = file is not None and file.is_relative_to(root)
    path = file.relative_to(root).as_posix() if file is not None and inside else str(file or "")
    return Place(told["name"], path, told["line"])
