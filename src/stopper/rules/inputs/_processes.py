"""The programs that code starts, word by word."""

from __future__ import annotations

from collections.abc import Iterator

from stopper.records import dataclass
from stopper.rules._posture import constant, own_calls
from stopper.rules._unknown import is_unknown
from stopper.source.assembly import words_of
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

PROCESSES = tuple(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
_REPLACING = tuple(f"os.{name}" for name in "execl execle execlp execlpe execv execve execvp execvpe".split())
_SPAWNING = tuple(
    f"os.{name}" for name in "spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe".split()
)
_OTHERS = ("os.posix_spawn", "os.posix_spawnp", "pty.spawn", "asyncio.create_subprocess_exec",
           "asyncio.subprocess.create_subprocess_exec")  # fmt: skip
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "fish", "cmd", "cmd.exe", "powershell", "pwsh"))
_TEXT_NEXT = frozenset(("-c", "-lc", "-ec", "-xc", "-ic", "/c", "/C", "-Command", "-command"))


@dataclass(frozen=True, slots=True)
class Started:
    """A call that starts a program."""

    call: Call
    words: tuple[Expr, ...]
    """The program and what is written out of its arguments."""
    by_shell: bool
    """Whether a shell is asked to start it."""


def started(project: Project) -> Iterator[Started]:
    """Yield the calls of application code that start a program."""
    for call in own_calls(project, *PROCESSES):
        shell = call.argument(None, "shell")
        given = call.argument(0, "args")
        yield Started(call, tuple(words_of(given)) if given else (), constant(shell) is True)
    for call in own_calls(project, *_REPLACING, *_OTHERS):
        yield Started(call, _words(call, 0), by_shell=False)
    for call in own_calls(project, *_SPAWNING):
        yield Started(call, _words(call, 1), by_shell=False)
    for call in project.code.every_call("subprocess_exec"):
        if call.module.role is Role.APP:
            yield Started(call, _words(call, 1), by_shell=False)


def _words(call: Call, at: int) -> tuple[Expr, ...]:
    return tuple(word for argument in call.arguments[at:] for word in words_of(argument))


def shell_text(words: tuple[Expr, ...]) -> Expr | None:
    """Return the text that a shell named among the words is given to read, ``text`` in ``["sh", "-c", text]``."""
    named = False
    for at, word in enumerate(words[:-1]):
        value = word.value.constant if word.value.known else None
        named = named or (isinstance(value, str) and value.rpartition("/")[2] in _SHELLS)
        if named and value in _TEXT_NEXT:
            return words[at + 1]
    return None


def unknown_text(one: Started) -> Expr | None:
    """Return what of unknown origin a shell reads when the program is started; None where no shell does, or only constants."""
    text = shell_text(one.words) or (one.words[0] if one.by_shell and len(one.words) == 1 else None)
    return text if is_unknown(text) else None
