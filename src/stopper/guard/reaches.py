"""Judge whether a request's input reached a file, a shell, a pickle or an address that it should not have.

Pure functions: what the interpreter is about to do, and what the request brought, go in; a yes or no comes out.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from stopper.guard.inputs import Inputs

SHELLS: Final = frozenset(
    "sh bash dash zsh ksh ash fish csh tcsh cmd cmd.exe powershell powershell.exe pwsh".split()
)
COMMANDS: Final = frozenset(("-c", "/c", "-command", "-lc", "-ic"))
PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@=,+%-]*")
"""What a shell reads as itself, and as one word."""

OWN_CODE: Final = frozenset(
    (".py", ".pyc", ".pem", ".key", ".sqlite", ".sqlite3", ".db", ".ini", ".cfg", ".toml", ".yaml", ".yml")
)
"""Endings of files that an app keeps beside its code and does not hand out by name."""

ACTING: Final = frozenset(
    (
        "os posix nt subprocess sys shutil runpy importlib socket ctypes pty code codeop commands multiprocessing asyncio.subprocess "
        "webbrowser pickle _pickle marshal types operator functools pydoc timeit bdb pdb cProfile profile trace"
    ).split()
)
"""Modules whose functions a pickle names only to run something."""
BUILT_IN: Final = frozenset(
    "eval exec compile __import__ open getattr setattr delattr globals locals vars input breakpoint".split()
)


def texts_of(inputs: Inputs, *, headers: bool = True) -> Iterator[str]:
    """Yield every text of a request that an app may hand on, in each of its forms."""
    for source, _, variants in inputs.forms:
        if headers or not source.startswith("header"):
            yield from variants.whole
            yield from variants.parts
    if inputs.rest:
        yield from inputs.rest
    for word, source in inputs.words.items():
        if headers or not source.startswith("header"):
            yield word


def leaves_folders(path: str, inputs: Inputs, folders: Iterable[Path]) -> bool:
    """Tell whether a path that a request has a part in leads out of the folders it may lead into."""
    parts = [text for text in texts_of(inputs) if _is_part(text, path)]
    if not parts:
        return False
    if any(".." in re.split(r"[/\\]", text) for text in parts if text in path):
        return True
    place = Path(os.path.realpath(path))
    if place.name.startswith(".") or place.suffix.lower() in OWN_CODE:
        return True
    return not any(place.is_relative_to(folder) for folder in folders)


def _is_part(text: str, path: str) -> bool:
    """Tell whether a text makes up the end of a path: whole names, and not only a piece of one."""
    plain = re.sub(r"^(?:[/\\]*\.{1,2}[/\\]+)+", "", text).strip("/\\")
    if not plain or len(plain) > len(path):
        return False
    lowered = path.lower() if plain.islower() else path
    stem = lowered.rpartition(".")[0]
    return any(whole == plain or whole.endswith((f"/{plain}", f"\\{plain}")) for whole in (lowered, stem))


def becomes_shell_code(command: Any, inputs: Inputs) -> bool:
    """Tell whether a shell would read an input as more than a part of one word."""
    text = os.fsdecode(command) if isinstance(command, bytes | os.PathLike) else str(command)
    for value in texts_of(inputs):
        if len(value) < 2 or PLAIN.fullmatch(value) or value not in text:
            continue
        at = text.find(value)
        while at >= 0:
            if not _is_quoted(text, at, at + len(value)):
                return True
            at = text.find(value, at + 1)
    return False


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Tell whether a part of a command stands wholly between two single quotes, where a shell reads nothing."""
    quote, index = "", 0
    while index < start:
        one = text[index]
        if one == "\\" and quote != "'":
            index += 1
        elif one in "'\"" and quote in {"", one}:
            quote = "" if quote else one
        index += 1
    return quote == "'" and "'" not in text[start:end]


def program_of(executable: Any, arguments: Any) -> str:
    """Return the program that is about to be started."""
    listed = _listed(arguments)
    return os.fsdecode(executable) if executable is not None else "".join(listed[:1])


def names_program(program: str, inputs: Inputs) -> bool:
    """Tell whether a request names the program that is about to be started."""
    return bool(program) and any(_is_part(text, program) for text in texts_of(inputs))


def gives_shell_code(executable: Any, arguments: Any, inputs: Inputs) -> bool:
    """Tell whether a shell is about to be started with an input as its code."""
    listed = _listed(arguments)
    named = (program_of(executable, arguments), *listed[:1])
    shell = any(one and Path(one).name.lower() in SHELLS for one in named)
    codes = [after for before, after in pairwise(listed) if before.lower() in COMMANDS]
    return shell and any(becomes_shell_code(code, inputs) for code in codes)


def _listed(arguments: Any) -> list[str]:
    """Return a program's arguments as texts; one text alone is a list of one."""
    alone = isinstance(arguments, str | bytes | os.PathLike)
    return [os.fsdecode(one) for one in ([arguments] if alone else arguments or ())]


def unpickles_code(module: str, name: str, inputs: Inputs) -> bool:
    """Tell whether a pickle names what only an attack names, or a class whose name the request itself brought."""
    top = module.partition(".")[0]
    if top in ACTING or (module in {"builtins", "__builtin__"} and name in BUILT_IN):
        return True
    return any(module in text and name in text for text in texts_of(inputs))


def names_host(host: str, inputs: Inputs) -> bool:
    """Tell whether a request names a host, alone or in an address."""
    lowered = host.lower().rstrip(".")
    if not lowered:
        return False
    edge = re.compile(rf"(?<![\w.-]){re.escape(lowered)}(?![\w-])")
    return any(
        edge.search(text.lower()) for text in texts_of(inputs, headers=False) if len(text) >= len(lowered)
    )


def is_private(host: str) -> bool:
    """Tell whether an address is not one of the open internet; a name is none."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return not (mapped or address).is_global or (mapped or address).is_multicast
