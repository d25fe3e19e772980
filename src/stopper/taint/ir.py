"""The intermediate representation: a function as blocks of small operations on access paths.

Targets are access paths; temporaries are spelt ``%1``, ``%2`` and are assigned once. No operation derives from another, so
that ``isinstance`` is safe everywhere. ``str()`` of a function is the text that the tests compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_FIELDS = 3
"""The depth at which access paths are cut."""


@dataclass(frozen=True, slots=True)
class AccessPath:
    """A variable and the fields that lead from it to a value: ``d['a'].b``."""

    base: str
    fields: tuple[str, ...] = ()

    def extended(self, part: str) -> AccessPath:
        """Return the path one field deeper; at the limit the field is left out and stands for all."""
        return AccessPath(self.base, (*self.fields, part)) if len(self.fields) < MAX_FIELDS else self

    def __str__(self) -> str:
        return self.base + "".join(self.fields)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known when the code is read."""

    value: Any

    def __str__(self) -> str:
        return repr(self.value)


Operand = AccessPath | Constant
Place = Any
"""Where an operation stands. The engine only hands it on; ``flows`` turns it into a location."""


@dataclass(frozen=True, slots=True)
class Assign:
    """Copy a value, fields and all."""

    target: AccessPath
    source: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = {self.source}"


@dataclass(frozen=True, slots=True)
class Load:
    """Read a field. ``name`` is the full dotted name, where the names of the project give one."""

    target: AccessPath
    base: Operand
    part: str
    name: str = ""
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = load {self.base}{self.part}{_known(self.name)}"


@dataclass(frozen=True, slots=True)
class Store:
    """Write a field of something that is not a plain variable. ``name`` is the full dotted name of the holder."""

    base: Operand
    part: str
    source: Operand
    name: str = ""
    at: Place = None

    def __str__(self) -> str:
        return f"store {self.base}{self.part} = {self.source}{_known(self.name)}"


@dataclass(frozen=True, slots=True)
class Join:
    """Build a string out of parts: ``+``, ``%``, ``.format``, f-strings."""

    target: AccessPath
    parts: tuple[Operand, ...]
    quoted: tuple[int, ...] = ()
    """The parts that are written with ``!r``."""
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = join {', '.join(map(str, self.parts))}"


@dataclass(frozen=True, slots=True)
class Build:
    """Build a container. A key of ``**`` spreads its value; one of ``[*]`` is an element at an unknown place."""

    target: AccessPath
    shape: str
    items: tuple[tuple[str, Operand], ...]
    at: Place = None

    def __str__(self) -> str:
        inside = ", ".join(f"{key}: {value}" for key, value in self.items)
        return f"{self.target} = {self.shape} {{{inside}}}"


@dataclass(frozen=True, slots=True)
class Call:
    """Call something."""

    target: AccessPath
    name: str
    """The full dotted name, or "" when it is not known."""
    last: str
    """The last part of the name, as written."""
    receiver: Operand | None
    args: tuple[Operand, ...]
    keywords: tuple[tuple[str, Operand], ...] = ()
    """A keyword of ``**`` spreads its value."""
    callee: Any = None
    """The scope of the project's function that is called, when it is one."""
    at: Place = None

    def __str__(self) -> str:
        inside = [*map(str, self.args), *(f"{key}={value}" for key, value in self.keywords)]
        called = self.name or (f"{self.receiver}.{self.last}" if self.receiver is not None else self.last)
        return f"{self.target} = call {called}({', '.join(inside)})"


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare two values; the operator is as Python writes it, ``not`` has one operand."""

    target: AccessPath
    operator: str
    left: Operand
    right: Operand
    at: Place = None

    def __str__(self) -> str:
        if self.operator == "not":
            return f"{self.target} = not {self.left}"
        return f"{self.target} = {self.left} {self.operator} {self.right}"


@dataclass(frozen=True, slots=True)
class Catch:
    """Bind a caught exception; ``broad`` when the handler takes any kind."""

    target: AccessPath
    at: Place = None
    broad: bool = True

    def __str__(self) -> str:
        return f"{self.target} = catch"


@dataclass(frozen=True, slots=True)
class Return:
    """Leave the function with a value."""

    source: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"return {self.source}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stand for code that is not understood: its result is clean, whatever its operands."""

    target: AccessPath
    what: str
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = opaque {self.what}"


Op = Assign | Load | Store | Join | Build | Call | Compare | Catch | Return | Opaque


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one block to another, taken when ``test`` is as ``truth`` says (always, without a test)."""

    target: int
    test: Operand | None = None
    truth: bool = True


@dataclass(slots=True)
class Block:
    """Operations that run one after the other, and where control goes then."""

    ops: list[Op] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


@dataclass(slots=True)
class Function:
    """A function, or a module's top level, lowered."""

    name: str
    params: tuple[str, ...]
    blocks: list[Block]
    scope: Any = None
    """The scope it came from; the engine only hands it on."""
    definitions: dict[str, Op] = field(default_factory=dict)
    """The operation that assigns a variable, for variables that only one assigns."""

    def ops(self) -> Iterator[Op]:
        """Yield every operation."""
        for block in self.blocks:
            yield from block.ops

    def __str__(self) -> str:
        lines = [f"def {self.name}({', '.join(self.params)}):"]
        for number, block in enumerate(self.blocks):
            lines.append(f"  L{number}:")
            lines.extend(f"    {op}" for op in block.ops)
            lines.extend(f"    {_arrow(edge)}" for edge in block.edges)
        return "\n".join(lines)


def _arrow(edge: Edge) -> str:
    if edge.test is None:
        return f"goto L{edge.target}"
    return f"{'if' if edge.truth else 'unless'} {edge.test} goto L{edge.target}"


def _known(name: str) -> str:
    return f"  ; {name}" if name else ""
