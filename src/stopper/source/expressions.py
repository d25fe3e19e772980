"""What a Jinja expression reads, and through which filters: ``post.body|markdown|safe``."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from stopper.records import dataclass, field

MAX_PARTS = 12
"""How many values one expression is told apart into; what goes beyond is left out."""

ANY = "[]"
"""Stands in a path for an element of which the key is not constant."""

Path = tuple[str, ...]
"""A variable and the attributes or keys read from it: ``("post", "body")``."""


@dataclass(frozen=True, slots=True)
class Part:
    """One value that an expression can come out as; ``a if x else b`` has two."""

    path: Path = ()
    """What is read or called; empty for a constant."""
    filters: tuple[str, ...] = ()
    """The filters that the value passes, in their order."""
    called: bool = False
    """The value is the result of a call of ``path``."""
    arguments: tuple[Path, ...] = ()
    """What the arguments of the calls and filters read."""
    constant: bool = False
    """A literal, or a result that holds no text of anybody: a comparison, a difference."""
    parameter: bool = False
    """The path starts at a parameter of a macro."""

    @property
    def root(self) -> str:
        """Return the variable that the value is read from, "" for a constant."""
        return self.path[0] if self.path else ""

    @property
    def dotted(self) -> str:
        """Return the path as one string."""
        return ".".join(self.path)


@dataclass(slots=True)
class Names:
    """The names that a template binds itself, innermost last: by ``for``, ``set``, ``with`` or a macro."""

    scopes: list[dict[str, tuple[Part, ...]]] = field(default_factory=lambda: [{}])

    def find(self, name: str) -> tuple[Part, ...] | None:
        """Return what a name was bound to here, or None for a variable of the context."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def bind(self, name: str, parts: tuple[Part, ...], *, also: bool = False) -> None:
        """Bind a name in the innermost scope; ``also`` keeps what it was bound to before."""
        before = self.scopes[-1].get(name, ()) if also else ()
        self.scopes[-1][name] = tuple(dict.fromkeys((*before, *parts)))[:MAX_PARTS]


def environment() -> Environment:
    """Return the environment of which lexer and parser are used; it never renders anything."""
    return Environment(
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=True
    )


_ENVIRONMENT = environment()


@lru_cache(maxsize=4096)
def parse(text: str) -> nodes.Expr | None:
    """Parse one expression, without its braces; None when it is not one."""
    try:
        parser = Parser(_ENVIRONMENT, text, state="variable")
        expression = parser.parse_tuple(with_condexpr=True)
    except (TemplateSyntaxError, RecursionError, MemoryError):
        return None
    return expression if parser.stream.eos and isinstance(expression, nodes.Expr) else None


def parts_of(expression: nodes.Node | None, names: Names) -> tuple[Part, ...]:
    """Return the values an expression can come out as, local names followed to the context's variables."""
    if expression is None:
        return (Part(),)
    try:
        return tuple(dict.fromkeys(_parts(expression, names)))[:MAX_PARTS]
    except RecursionError:
        return (Part(),)


def elements_of(expression: nodes.Node | None, names: Names) -> tuple[Part, ...]:
    """Return what a loop over the expression binds its variable to."""
    return tuple(
        part if part.constant else replace(part, path=(*part.path, ANY))
        for part in parts_of(expression, names)
    )


def _parts(node: nodes.Node, names: Names) -> list[Part]:
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        return _read(node, names)
    if isinstance(node, nodes.Call):
        return _called(node, names)
    if isinstance(node, nodes.Filter):
        return _filtered(node, names)
    if isinstance(node, nodes.CondExpr):
        other = _parts(node.expr2, names) if node.expr2 is not None else []
        return [*_parts(node.expr1, names), *other]
    if isinstance(node, nodes.Concat | nodes.Tuple | nodes.List):
        children = node.nodes if isinstance(node, nodes.Concat) else node.items
        return [part for child in children for part in _parts(child, names)] or [Part(constant=True)]
    if isinstance(node, nodes.Or | nodes.And | nodes.Add | nodes.Mod | nodes.Mul):
        return [*_parts(node.left, names), *_parts(node.right, names)]
    if isinstance(node, nodes.Dict):
        return [part for pair in node.items for part in _parts(pair.value, names)] or [Part(constant=True)]
    return [Part(constant=True)]


def _read(node: nodes.Name | nodes.Getattr | nodes.Getitem, names: Names) -> list[Part]:
    if isinstance(node, nodes.Name):
        bound = names.find(node.name)
        return list(bound) if bound is not None else [Part((node.name,))]
    if isinstance(node, nodes.Getattr):
        return [_step(part, node.attr) for part in _parts(node.node, names)]
    key = node.arg.value if isinstance(node.arg, nodes.Const) else ANY
    return [_step(part, str(key)) for part in _parts(node.node, names)]


def _step(part: Part, name: str) -> Part:
    if part.constant:
        return part
    return replace(part, path=(*part.path, name), called=False)


def _called(node: nodes.Call, names: Names) -> list[Part]:
    arguments = _reads([*node.args, *(keyword.value for keyword in node.kwargs)], names)
    result = [
        replace(part, called=True, arguments=(*part.arguments, *arguments))
        for part in _parts(node.node, names)
    ]
    method = node.node.attr if isinstance(node.node, nodes.Getattr) else ""
    if method in {"format", "join", "replace"}:
        result.extend(Part(path) for path in arguments)
    return result


def _filtered(node: nodes.Filter, names: Names) -> list[Part]:
    inner = _parts(node.node, names) if node.node is not None else [Part()]
    arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
    if node.name in {"default", "d", "join", "format", "replace"}:
        inner.extend(part for argument in arguments for part in _parts(argument, names))
    read = _reads(arguments, names)
    return [
        replace(part, filters=(*part.filters, node.name), arguments=(*part.arguments, *read))
        for part in inner
    ]


def _reads(expressions: list[nodes.Expr], names: Names) -> tuple[Path, ...]:
    found = (part.path for expression in expressions for part in _parts(expression, names) if part.path)
    return tuple(dict.fromkeys(found))[:MAX_PARTS]
