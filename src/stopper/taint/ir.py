"""The intermediate representation: a function as blocks of small operations on access paths.

Targets are access paths; temporaries are spelt ``%1``, ``%2`` and are assigned once. No operation derives from another, so
that ``isinstance`` is safe everywhere; none is ever written to, and none is frozen, as too many are made. ``str()`` of a function
is the text that the tests compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from stopper.records import dataclass, field

APART = "'"
"""What parts the name of a comprehension's variable from its number, where the function uses the name for something else too."""


@dataclass(slots=True, unsafe_hash=True)
class AccessPath:
    """A variable or a temporary, from which ``Load`` leads on to fields."""

    base: str

    def __str__(self) -> str:
        return self.base


@dataclass(slots=True, unsafe_hash=True)
class Constant:
    """A value known when the code is read."""

    value: Any
    held: Any = field(default=None, init=False, repr=False, compare=False)
    """The same as the engine's domain has it, once that was asked for."""

    def __str__(self) -> str:
        return repr(self.value)


Operand = AccessPath | Constant
Place = Any
"""Where an operation stands. The engine only hands it on; ``flows`` turns it into a location."""


@dataclass(slots=True, unsafe_hash=True)
class Assign:
    """Copy a value, fields and all."""

    target: AccessPath
    source: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = {self.source}"


@dataclass(slots=True, unsafe_hash=True)
class Load:
    """Read a field. ``name`` is the full dotted name, where the names of the project give one."""

    target: AccessPath
    base: Operand
    part: str
    name: str = ""
    at: Place = None
    key: Operand | None = None
    """What the key is computed from, where the part is ``[*]`` or ``[:]``."""

    def __str__(self) -> str:
        part = f"[{self.key}]" if self.key is not None else self.part
        return f"{self.target} = load {self.base}{part}{_known(self.name)}"


@dataclass(slots=True, unsafe_hash=True)
class Store:
    """Write a field of something that is not a plain variable. ``name`` is the full dotted name of the holder."""

    base: Operand
    part: str
    source: Operand
    name: str = ""
    at: Place = None
    key: Operand | None = None
    """What the key is computed from, where the part is ``[*]``."""

    def __str__(self) -> str:
        part = f"[{self.key}]" if self.key is not None else self.part
        return f"store {self.base}{part} = {self.source}{_known(self.name)}"


@dataclass(slots=True, unsafe_hash=True)
class Share:
    """Write a variable of an enclosing function or of the module."""

    name: str
    source: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"share {self.name} = {self.source}"


@dataclass(slots=True, unsafe_hash=True)
class Define:
    """Define a function or a class inside, and hand it through its decorators, the innermost first."""

    target: AccessPath
    scope: Any
    decorators: tuple[Operand, ...] = ()
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = define {' '.join([getattr(self.scope, 'name', '?'), *map(str, self.decorators)])}"


@dataclass(slots=True, unsafe_hash=True)
class Compute:
    """Compute a number or a text with an operator, as Python writes it."""

    target: AccessPath
    operator: str
    left: Operand
    right: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = {self.left} {self.operator} {self.right}"


@dataclass(slots=True, unsafe_hash=True)
class Join:
    """Build a string out of parts: ``+``, ``%``, ``.format``, f-strings."""

    target: AccessPath
    parts: tuple[Operand, ...]
    quoted: tuple[int, ...] = ()
    """The parts that are written with ``!r``."""
    at: Place = None
    operator: str = ""
    """``+`` or ``%`` where it is one; numbers and lists know these too."""

    def __str__(self) -> str:
        return f"{self.target} = join {', '.join(map(str, self.parts))}"


@dataclass(slots=True, unsafe_hash=True)
class Build:
    """Build a container. A key of ``**`` spreads its value; one of ``[*]`` is an element at an unknown place."""

    target: AccessPath
    shape: str
    items: tuple[tuple[str, Operand], ...]
    at: Place = None

    def __str__(self) -> str:
        inside = ", ".join(f"{key}: {value}" for key, value in self.items)
        return f"{self.target} = {self.shape} {{{inside}}}"


@dataclass(slots=True, unsafe_hash=True)
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
    """The scope of the project's function or class that is called, when the name says which."""
    at: Place = None
    function: Operand | None = None
    """Where the thing that is called is kept, when that is a variable or a computed value."""
    direct: bool = False
    """Whether the callee stands, whatever the class of the receiver: ``super().save()``."""
    stars: tuple[int, ...] = ()
    """The positions of arguments that are spread: ``*values``."""

    def __str__(self) -> str:
        given = [f"*{arg}" if place in self.stars else str(arg) for place, arg in enumerate(self.args)]
        inside = [*given, *(f"{key}={value}" for key, value in self.keywords)]
        called = self.name or (f"{self.receiver}.{self.last}" if self.receiver is not None else self.last)
        return f"{self.target} = call {called}({', '.join(inside)})"


@dataclass(slots=True, unsafe_hash=True)
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


@dataclass(slots=True, unsafe_hash=True)
class Catch:
    """Bind a caught exception; ``broad`` when the handler takes any kind."""

    target: AccessPath
    at: Place = None
    broad: bool = True
    classes: frozenset[str] = frozenset()
    """The last names of the classes that it takes; none for any."""

    def __str__(self) -> str:
        return f"{self.target} = catch"


@dataclass(slots=True, unsafe_hash=True)
class Return:
    """Leave the function with a value, or hand one out and go on."""

    source: Operand
    at: Place = None
    yields: bool = False

    def __str__(self) -> str:
        return f"{'yield' if self.yields else 'return'} {self.source}"


@dataclass(slots=True, unsafe_hash=True)
class Raise:
    """Leave the block with an exception: only handlers go on from here."""

    source: Operand
    at: Place = None

    def __str__(self) -> str:
        return f"raise {self.source}"


@dataclass(slots=True, unsafe_hash=True)
class Opaque:
    """Stand for code that is not understood: its result is clean, whatever its operands."""

    target: AccessPath
    what: str
    at: Place = None

    def __str__(self) -> str:
        return f"{self.target} = opaque {self.what}"


Op = (
    Assign
    | Load
    | Store
    | Share
    | Define
    | Compute
    | Join
    | Build
    | Call
    | Compare
    | Catch
    | Return
    | Raise
    | Opaque
)


@dataclass(slots=True, unsafe_hash=True)
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


@dataclass(slots=True, unsafe_hash=True)
class Signature:
    """How arguments meet parameters."""

    positional: tuple[str, ...] = ()
    star: str = ""
    """The parameter of ``*args``, "" without one."""
    double_star: str = ""
    defaults: tuple[tuple[str, Operand], ...] = ()
    """What a parameter holds when nothing is passed, where that is a constant or a name."""


@dataclass(slots=True)
class Function:
    """A function, or a module's top level, lowered."""

    name: str
    params: tuple[str, ...]
    blocks: list[Block]
    scope: Any = None
    """The scope it came from; the engine only hands it on."""
    signature: Signature = field(default_factory=Signature)
    free: frozenset[str] = frozenset()
    """The variables that it reads and does not bind: those of enclosing functions, of the module, the language's."""
    rebound: frozenset[str] = frozenset()
    """The parameters that it assigns to, so that what they hold at the end is not what the caller passed."""
    definitions: dict[str, Op] = field(default_factory=dict)
    """The operation that assigns a variable, for variables that only one assigns."""
    dead: tuple[AbstractSet[str], ...] | None = None
    """The variables that nothing reads once a block is left, by the number of the block, where that was worked out."""

    html: bool | None = None
    """Whether no operation gives a response another content type than HTML, where that was asked."""
    rests: int = 0
    """The parts of the code that have a say in the operations: see ``Names.rested``."""
    known: dict[object, Any] = field(default_factory=dict)
    """What was worked out of its operations and is the same in every context, by who asked for what."""
    _assigned: dict[str, list[Operand]] | None = None
    _order: tuple[int, ...] = ()
    _places: dict[int, int] = field(default_factory=dict)
    _loops: bool | None = None
    _size: int = 0

    @property
    def order(self) -> tuple[int, ...]:
        """Return the numbers of the blocks that can be reached, each behind those that lead to it, loops aside."""
        if not self._order:
            self._order = _sequence(self.blocks)
        return self._order

    @property
    def size(self) -> int:
        """Return how many operations there are."""
        if not self._size:
            self._size = sum(len(block.ops) for block in self.blocks)
        return self._size

    @property
    def places(self) -> dict[int, int]:
        """Return where each block stands in the order."""
        if not self._places:
            self._places = {number: at for at, number in enumerate(self.order)}
        return self._places

    @property
    def loops(self) -> bool:
        """Tell whether a block can be reached again from itself."""
        if self._loops is None:
            edges = ((at, edge) for number, at in self.places.items() for edge in self.blocks[number].edges)
            self._loops = any(self.places[edge.target] <= at for at, edge in edges)
        return self._loops

    @property
    def assigned(self) -> dict[str, list[Operand]]:
        """Return every value that is assigned to each variable."""
        if self._assigned is None:
            self._assigned = {}
            for op in self.ops():
                if isinstance(op, Assign):
                    self._assigned.setdefault(op.target.base, []).append(op.source)
        return self._assigned

    def once(self, question: object, work_out: Callable[[], Any]) -> Any:
        """Return what is the same in every context, worked out when first asked for."""
        if question not in self.known:
            self.known[question] = work_out()
        return self.known[question]

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


def _sequence(blocks: list[Block]) -> tuple[int, ...]:
    """Return the blocks in reverse postorder."""
    found: list[int] = []
    seen = {0}
    waiting = [(0, iter(blocks[0].edges))]
    while waiting:
        number, edges = waiting[-1]
        edge = next((edge for edge in edges if edge.target not in seen), None)
        if edge is None:
            found.append(number)
            waiting.pop()
        else:
            seen.add(edge.target)
            waiting.append((edge.target, iter(blocks[edge.target].edges)))
    return tuple(reversed(found))


def _arrow(edge: Edge) -> str:
    if edge.test is None:
        return f"goto L{edge.target}"
    return f"{'if' if edge.truth else 'unless'} {edge.test} goto L{edge.target}"


def _known(name: str) -> str:
    return f"  ; {name}" if name else ""
