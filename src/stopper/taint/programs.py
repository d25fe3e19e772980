"""Programs: which argument is run, which may be taken for an option, and which does no harm."""

from __future__ import annotations

from itertools import pairwise

from stopper.taint.domain import Taint, Value

_SHELLS = frozenset(
    (
        "sh", "bash", "zsh", "ksh", "dash", "ash", "busybox", "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh", "python", "python2", "python3",
        "perl", "ruby", "node", "php", "lua", "ssh", "eval", "xargs", "env", "sudo", "su", "awk", "find",
    )
)  # fmt: skip
_OPTIONS_RUN = frozenset(
    (
        "git", "hg", "svn", "tar", "zip", "find", "rsync", "scp", "curl", "wget", "ffmpeg", "convert", "mogrify", "sed", "psql", "mysql",
        "pip", "npm", "sendmail", "7z", "man", "less", "vim", "gdb", "docker", "kubectl", "openssl", "sqlite3", "pandoc", "wkhtmltopdf",
    )
)  # fmt: skip
"""Programs of which an option runs another program, or writes a file."""
_WORDED = frozenset(("convert", "magick", "mogrify", "identify", "composite", "ffmpeg", "ffprobe"))
"""Programs whose options are words behind one dash, nearly all with a value."""
_WORDED_FLAGS = frozenset(
    (
        "-y",
        "-n",
        "-strip",
        "-flatten",
        "-append",
        "-auto-orient",
        "-negate",
        "-verbose",
        "-hide_banner",
        "-an",
        "-vn",
        "-nostdin",
    )
)
_VALUED = frozenset(
    (
        "-m",
        "-C",
        "-b",
        "-o",
        "-i",
        "-t",
        "--branch",
        "--message",
        "--author",
        "--depth",
        "--output",
        "--input",
        "--title",
        "--name",
    )
)
"""Options that take a value whatever program they are given to."""
_SCRIPT_FLAGS = frozenset(("-c", "-lc", "-ec", "-ic", "-xc", "-Command", "/c", "/C"))


def runs_shell(taint: Taint, parts: list[Value]) -> bool:
    """Tell whether a shell is told what to run; what stands behind a constant script is one of its arguments."""
    shell = next((place for place, part in enumerate(parts[:2]) if _is_shell(part)), None)
    return shell is not None and not has_script(taint, parts[shell + 1 :])


def _is_shell(value: Value) -> bool:
    return isinstance(value.constant, str) and value.constant.rpartition("/")[2] in _SHELLS


def has_script(taint: Taint, parts: list[Value]) -> bool:
    """Tell whether data stands behind ``-c`` and a constant script that does not run its own arguments."""
    for flag, script in pairwise(parts):
        if taint in flag.every():
            return False
        if flag.constant in _SCRIPT_FLAGS:
            return isinstance(script.constant, str) and "eval" not in script.constant
    return False


def option(taint: Taint, parts: list[Value], default: str) -> str:
    """Check an argument of a program: behind ``--``, behind other text and as an option's value it is no option."""
    if "built" in taint.marks or any(map(_is_shell, parts[:2])):
        return ""
    program = parts[0].constant if parts else ""
    name = program.rpartition("/")[2] if isinstance(program, str) else ""
    if name in _OPTIONS_RUN:
        default = "medium"
    before: object = ""
    for part in parts:
        if part.known and part.constant == "--":
            return ""
        if taint in part.every():
            return _as_value(name, before, default)
        before = part.constant
    return default


def _as_value(program: str, before: object, default: str) -> str:
    """Return how sure an argument counts behind this one: as the value of an option it is none itself."""
    if not isinstance(before, str) or not before.startswith("-") or "=" in before:
        return default
    worded = program in _WORDED and before not in _WORDED_FLAGS
    return "" if worded or before in _VALUED or default == "low" else default
