"""Contents: what a file holds that was saved a moment ago, for what reads the file by its path."""

from __future__ import annotations

from typing import Any

from stopper.taint.domain import CONTENT, Value
from stopper.taint.ir import AccessPath, Assign, Call, Operand
from stopper.taint.models import Entry

_WRITES = frozenset(("save", "write", "write_bytes", "copyfileobj"))
_OPENS = frozenset(("open", "io.open", "gzip.open", "bz2.open", "lzma.open", "codecs.open"))
_READS = frozenset(("read_bytes", "read_text", "open"))
_BY_PATH = frozenset(("tarfile.open", "tarfile.TarFile.open", "tarfile.TarFile", "zipfile.ZipFile"))
_LOOKED_INTO = frozenset(("deserialization", "archive", "xml", "xslt"))
"""The kinds of sinks that are given a path and harmed by what the file holds."""
_NAMED = ("filename", "file", "name", "path", "source")
_SAME = frozenset(("str", "fspath", "Path", "__enter__"))
_DEPTH = 4


def writes(op: Call) -> bool:
    """Tell whether a call may write a file."""
    return op.last in _WRITES and not op.name.startswith("PIL.")


def looking(op: Call, sinks: tuple[Entry, ...]) -> tuple[Entry, ...] | None:
    """Return the sinks that what a file holds may reach by this call; None for a call that reads no file."""
    found = tuple([entry for entry in sinks if entry.kind in _LOOKED_INTO])
    reads = op.name in _BY_PATH or (op.name or op.last) in _OPENS or op.last in _READS
    return found if found or reads else None


def write(run: Any, op: Call, receiver: Value, args: tuple[Value, ...]) -> None:
    """Keep what a client's data is written to, with the path of the file."""
    data, path = _written(run, op, receiver, args)
    if path is None or not data.every():
        return
    held = Value(tuple(taint.marked("stream").hop(op.at, "saved to a file") for taint in data.every()))
    name = run.read(path).constant
    if isinstance(name, str):
        run.state[f"%file {name}"] = held
    elif isinstance(path, AccessPath):
        run.put(path, CONTENT, held)


def held(
    run: Any, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
) -> Value | None:
    """Return what the file holds that a call reads by its path; None where nothing is known of it."""
    if op.receiver is not None and op.last in _READS and (found := _in(run, receiver)) is not None:
        return found
    operand = op.args[0] if op.args else next((one for key, one in op.keywords if key in _NAMED), None)
    value = args[0] if args else next((keywords[key] for key in _NAMED if key in keywords), None)
    found = _in(run, value) if value is not None else None
    made = (
        run.function.definitions.get(operand.base)
        if isinstance(operand, AccessPath) and found is None
        else None
    )
    if isinstance(made, Call) and made.last in _SAME and made.args:
        return _in(run, run.read(made.args[0]))
    return found


def gives(op: Call) -> bool:
    """Tell whether a call gives the open file, or what is in it."""
    return op.name not in _BY_PATH


def _in(run: Any, path: Value) -> Value | None:
    found: Value | None = path.field(CONTENT) if path.fields else None
    if found is None and isinstance(path.constant, str):
        found = run.state.get(f"%file {path.constant}")
    return found


def _written(run: Any, op: Call, receiver: Value, args: tuple[Value, ...]) -> tuple[Value, Operand | None]:
    """Return the data that a call writes, and the path that it goes to."""
    if op.last == "save" and op.args:
        uploads = [taint for taint in receiver.every() if ".filename" not in taint.source]
        return Value(tuple(uploads)), op.args[0]
    if op.last == "write_bytes" and args:
        return args[0], op.receiver
    if op.last == "copyfileobj" and len(op.args) > 1:
        return args[0], _opened(run, op.args[1])
    if op.last == "write" and args and args[0].every():
        return args[0], _opened(run, op.receiver)
    return Value(), None


def _opened(run: Any, handle: Operand | None) -> Operand | None:
    """Return the path that a handle was opened with."""
    for _ in range(_DEPTH):
        made = run.function.definitions.get(handle.base) if isinstance(handle, AccessPath) else None
        if isinstance(made, Assign):
            handle = made.source
        elif isinstance(made, Call) and made.last == "__enter__":
            handle = made.receiver
        elif isinstance(made, Call) and made.last == "open" and (made.args or made.receiver is not None):
            return made.args[0] if made.name in _OPENS or made.receiver is None else made.receiver
        else:
            return None
    return None
