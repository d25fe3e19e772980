"""A template's statements put into one another, and what each of them says.

The reader gives expressions and statements in the order of the text; here an ``{% if %}`` takes what stands before its
``{% endif %}``. A tag of an extension nobody here knows is left out, and what stands in it belongs to what is around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jinja2 import nodes

from stopper.records import dataclass, field
from stopper.regex import regex
from stopper.source.expressions import parse
from stopper.source.template import Output, Statement, Template

_OPENING = frozenset(("if", "for", "macro", "call", "with", "block", "filter", "autoescape", "trans"))
_BRANCHES = frozenset(("else", "elif", "pluralize"))
_FOR = re.compile(r"(.+?)\s+in\s+(.+?)(?:\s+recursive)?\s*\Z", re.DOTALL)
_SET = re.compile(r"([\w\s,.]+?)\s*=(?!=)\s*(.+)\Z", re.DOTALL)
_CALL = re.compile(r"(?:\(([^)]*)\)\s*)?(.+)\Z", re.DOTALL)
_FROM = regex(r"(.+?)\s+import\s+(.+?)(?:\s+with(?:out)?\s+context)?\s*\Z", re.DOTALL)
_IMPORT = re.compile(r"(.+?)\s+as\s+(\w+)(?:\s+with(?:out)?\s+context)?\s*\Z", re.DOTALL)
_INCLUDE = re.compile(
    r"(.+?)(?:\s+ignore\s+missing)?(?:\s+(with|without)\s+context)?\s*\Z", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways through a statement: the body of an ``if``, or of its ``else``."""

    word: str
    rest: str
    body: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A statement with what stands in it; without branches for one that takes nothing in."""

    statement: Statement
    branches: tuple[Branch, ...] = ()

    @property
    def word(self) -> str:
        """Return the statement's first word."""
        return self.statement.word

    @property
    def rest(self) -> str:
        """Return what follows the first word."""
        return self.statement.rest

    @property
    def body(self) -> tuple[Item, ...]:
        """Return what stands in the first branch."""
        return self.branches[0].body if self.branches else ()


Item = Output | Node


@dataclass(slots=True)
class _Open:
    statement: Statement
    done: list[Branch] = field(default_factory=list)
    word: str = ""
    rest: str = ""
    items: list[Item] = field(default_factory=list)

    def cut(self, word: str, rest: str) -> None:
        """End the branch, and start the next one."""
        self.done.append(Branch(self.word, self.rest, tuple(self.items)))
        self.word, self.rest, self.items = word, rest, []


def tree(template: Template) -> tuple[Item, ...]:
    """Return a template's expressions and statements, put into one another."""
    root = _Open(Statement("", "", template.program[0].location)) if template.program else None
    if root is None:
        return ()
    stack = [root]
    for one in template.program:
        if isinstance(one, Output):
            stack[-1].items.append(one)
        else:
            _statement(one, stack)
    while len(stack) > 1:
        _close(stack)
    return tuple(root.items)


def _statement(one: Statement, stack: list[_Open]) -> None:
    if one.word.startswith("end") and len(one.word) > 3:
        if any(opened.statement.word == one.word[3:] for opened in stack[1:]):
            while _close(stack) != one.word[3:]:
                pass
    elif one.word in _BRANCHES:
        if stack[-1].statement.word in ("if", "for", "trans"):
            stack[-1].cut(one.word, one.rest)
    elif one.word in _OPENING or (one.word == "set" and _SET.match(one.rest) is None):
        stack.append(_Open(one, word=one.word, rest=one.rest))
    else:
        stack[-1].items.append(Node(one))


def _close(stack: list[_Open]) -> str:
    """Put the innermost open statement into the one around it, and return its word."""
    top = stack.pop()
    top.cut("", "")
    stack[-1].items.append(Node(top.statement, tuple(top.done)))
    return top.statement.word


def walk(items: Iterable[Item]) -> Iterator[Item]:
    """Yield every item, those inside others included, in the order of the text."""
    for item in items:
        yield item
        if isinstance(item, Node):
            for branch in item.branches:
                yield from walk(branch.body)


def loop_of(rest: str) -> tuple[tuple[str, ...], nodes.Expr | None]:
    """Return the variables of a ``for``, and what it goes over; a condition of the loop is left out."""
    found = _FOR.match(rest)
    if found is None:
        return (), None
    over = parse(found[2])
    if isinstance(over, nodes.CondExpr) and over.expr2 is None:
        over = over.expr1
    return tuple(re.findall(r"\w+", found[1])), over


def set_of(rest: str) -> tuple[tuple[str, ...], nodes.Expr | None]:
    """Return the names that a ``set`` binds and to what; no expression for one that has a body."""
    found = _SET.match(rest)
    if found is None:
        return tuple(re.findall(r"^\w+", rest)), None
    return tuple(name.strip() for name in found[1].split(",")), parse(found[2])


def pairs_of(rest: str) -> dict[str, nodes.Expr]:
    """Return what ``with`` or ``trans`` binds: ``a=1, b=c``; a bare name stands for itself."""
    call = parse(f"f({rest.removeprefix('notrimmed').removeprefix('trimmed').strip()})") if rest else None
    if not isinstance(call, nodes.Call):
        return {}
    bare = {arg.name: arg for arg in call.args if isinstance(arg, nodes.Name)}
    return {**bare, **{keyword.key: keyword.value for keyword in call.kwargs}}


def signature_of(rest: str) -> tuple[str, tuple[str, ...], dict[str, nodes.Expr]]:
    """Return a macro's name, its parameters and their defaults."""
    call = parse(rest)
    if not isinstance(call, nodes.Call) or not isinstance(call.node, nodes.Name):
        return "", (), {}
    names = [arg.name for arg in call.args if isinstance(arg, nodes.Name)]
    defaults = {keyword.key: keyword.value for keyword in call.kwargs}
    return call.node.name, (*names, *defaults), defaults


def call_of(rest: str) -> tuple[tuple[str, ...], nodes.Expr | None]:
    """Return the parameters of a ``call`` block, and the call that it hands its body to."""
    found = _CALL.match(rest)
    if found is None:
        return (), None
    return tuple(part.partition("=")[0].strip() for part in (found[1] or "").split(",") if part), parse(
        found[2]
    )


def include_of(rest: str) -> tuple[nodes.Expr | None, bool]:
    """Return which template an ``include`` names, and whether it sees the variables of this one."""
    found = _INCLUDE.match(rest)
    return (parse(found[1]), (found[2] or "").lower() != "without") if found else (None, True)


def import_of(word: str, rest: str) -> tuple[nodes.Expr | None, dict[str, str], bool]:
    """Return which template an ``import`` names, what it binds ("" for the whole), and whether with the context."""
    with_context = re.search(r"\swith\s+context\s*\Z", rest) is not None
    if word == "import":
        found = _IMPORT.match(rest)
        return (parse(found[1]), {found[2]: ""}, with_context) if found else (None, {}, False)
    found = _FROM.match(rest)
    if found is None:
        return None, {}, False
    bound = {}
    for piece in found[2].split(","):
        name, _, alias = piece.strip().partition(" as ")
        bound[alias.strip() or name.strip()] = name.strip()
    return parse(found[1]), bound, with_context
