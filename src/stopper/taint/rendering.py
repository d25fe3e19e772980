"""Rendering on paper: what a view passes is followed through its template, to each place of the page that it reaches.

Followed: ``extends`` and blocks, ``include``, ``import`` and macros, ``caller``, ``set``, ``with``, loops, and branches that a
constant decides. Approximated: a loop runs once for each of the first ten elements that are known apart, and once for all others;
a test that compares with constants settles what it compares in its branch; a template whose name is not known is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from jinja2 import nodes

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.expressions import parse
from stopper.source.template import Output, Template
from stopper.source.template_tree import (
    Item,
    Node,
    call_of,
    import_of,
    include_of,
    loop_of,
    pairs_of,
    set_of,
    signature_of,
)
from stopper.taint.contexts import MARKUP, Harm, harm
from stopper.taint.domain import CLEAN, Hop, Taint, Value
from stopper.taint.jinja import Expressions, Frame, Host, Macro, elements, fixed, settled
from stopper.taint.models import Models
from stopper.taint.stage import Stage
from stopper.taint.steps import joined_states

MAX_INSIDE = 12
"""How deeply includes and macros are followed."""
MAX_STEPS = 20_000
"""How many statements and expressions one rendering may cost."""
HTML = "__html__"
"""The method by which an object writes itself into a page, where nothing is escaped any more."""
_INSIDE = "inside "
_TAKEN = ("request", "parameter", "stored")


class Audience(Protocol):
    """Who is told what a rendering shows."""

    def harmed(self, taint: Taint, harm: Harm, output: Output) -> None:
        """Take data that reached a place that does not hold it."""

    def shown(self, output: Output, *, fixed: bool) -> None:
        """Take that an expression came out, and whether it could only be a constant."""


@dataclass(slots=True)
class _Chain:
    """The definitions of one block, that of the innermost template first."""

    found: list[tuple[Node, Template]] = field(default_factory=list)


class Rendering:
    """One rendering of a template."""

    def __init__(self, stage: Stage, models: Models, host: Host, audience: Audience) -> None:
        """Take the stage, the models, who follows the project's functions, and who is told."""
        self.stage = stage
        self.audience = audience
        self.expressions = Expressions(stage, models, host)
        self.blocks: dict[str, _Chain] = {}
        self.path: list[Hop] = []
        self.steps = 0
        self.cut = False
        self.escaped: bool | None = None
        self.speaks = False
        """Whether an object that the view passes writes its own HTML."""
        self._active: list[Template | Macro] = []
        self._importing: list[Template] = []
        self._caller: Callable[[tuple[Value, ...]], None] | None = None

    def run(
        self,
        template: Template,
        context: dict[str, Value],
        *,
        start: Hop | None = None,
        escaped: bool | None = None,
    ) -> None:
        """Follow a template with these variables.

        Args:
            template: The template that is rendered.
            context: What it is given.
            start: The call that renders it, a hop on the way of data that the call does not pass.
            escaped: Whether its environment escapes, where that is not as Flask decides it.
        """
        frame = Frame(template, dict(context), call=self._macro_called)
        self.escaped = escaped
        self.path = [start] if start is not None else []
        self._template(template, frame)

    def _template(self, template: Template, frame: Frame) -> None:
        items = self.stage.tree(template)
        parent = self._parent(template, frame)
        for item in self.stage.nodes(template):
            if item.word == "block":
                name = item.rest.split()[0]
                self.blocks.setdefault(name, _Chain()).found.append((item, template))
        if parent is None:
            self._items(items, frame)
            return
        self._items([item for item in items if isinstance(item, Node) and item.word in _ABOVE], frame)
        extends, base = parent
        self._inside(
            base,
            replace(frame, template=base),
            extends.statement.location,
            f"{_INSIDE}{base.name or base.path}",
        )

    def _parent(self, template: Template, frame: Frame) -> tuple[Node, Template] | None:
        for item in self.stage.nodes(template):
            if item.word == "extends":
                for base in self._named(parse(item.rest), frame):
                    if base is not frame.template:
                        return item, base
        return None

    def _named(self, node: nodes.Node | None, frame: Frame) -> list[Template]:
        """Return the templates that an expression may name, of a list the first that there is."""
        if isinstance(node, nodes.List | nodes.Tuple):
            return next((some for item in node.items if (some := self._named(item, frame))), [])
        if isinstance(node, nodes.CondExpr):
            return [*self._named(node.expr1, frame), *self._named(node.expr2, frame)]
        value = self.expressions.value(node, frame)
        name = value.constant if isinstance(value.constant, str) else ""
        found = self.stage.named(name, frame.template.path) if name else None
        return [found] if found is not None else []

    def _inside(self, template: Template, frame: Frame, at: Location, note: str) -> None:
        """Follow another template, with one more hop on the way."""
        if len(self.path) >= MAX_INSIDE or template in self._active:
            return
        self.path.append((at, note))
        self._active.append(template)
        self._template(template, frame)
        self._active.pop()
        self.path.pop()

    def _items(self, items: Iterable[Item], frame: Frame) -> None:
        for item in items:
            self.steps += 1
            if self.steps > MAX_STEPS:
                self.cut = True
                return
            if isinstance(item, Output):
                self._output(item, frame)
                continue
            self.expressions.at = item.statement.location
            method = _STATEMENTS.get(item.word)
            if method is not None:
                method(self, item, frame)
            else:
                self._items(item.body, frame)

    def _output(self, output: Output, frame: Frame) -> None:
        self.expressions.at = output.location
        if not frame.template.html:
            return
        if self.escaped is not None:
            output = replace(output, autoescaped=self.escaped)
        exposed = self.escaped is False or self.stage.exposed(output)
        if not (exposed or self.speaks or any(part.called for part in output.parts)):
            return
        value = self.expressions.value(parse(output.expression), frame)
        if self.speaks and value.classes:
            written = self.expressions.host.method(value, HTML, (), {}, output.location)
            value = (
                value if written is None else Value(tuple([one.marked(MARKUP) for one in written.every()]))
            )
        elif not exposed:
            return
        taints = value.every() if value.shape else value.taints
        harms = [
            (taint, found) for taint in taints if taint.kind in _TAKEN and (found := harm(taint, output))
        ]
        for taint, found in harms:
            self.audience.harmed(self._told(taint, output), found, output)
        if not harms:
            self.audience.shown(output, fixed=bool(taints) or fixed(value))

    def _told(self, taint: Taint, output: Output) -> Taint:
        """Return the taint with the way through the templates in its trace; a page's own block is not inside another."""
        seen = {id(at) for at, _ in taint.trace}
        hops = [
            (at, note)
            for at, note in self.path
            if id(at) not in seen and not (note.startswith(_INSIDE) and at.path == output.location.path)
        ]
        return replace(taint, trace=(*taint.trace, *hops))

    def _if(self, node: Node, frame: Frame) -> None:
        before, ends = frame.values, []
        held: frozenset[str] = frozenset()
        for branch in node.branches:
            test = parse(branch.rest) if branch.word != "else" else None
            known = self.expressions.truth(test, frame) if branch.word != "else" else True
            if known is False:
                continue
            inner = frame.holding(
                dict(before), frame.macros, frame.settled | held | settled(test, truth=True)
            )
            self._items(branch.body, inner)
            ends.append(inner.values)
            frame.macros.update(inner.macros)
            held |= settled(test, truth=False)
            if known:
                break
        else:
            ends.append(before)
        after = ends[0]
        for values in ends[1:]:
            after = joined_states(after, values)
        frame.values = after

    def _for(self, node: Node, frame: Frame) -> None:
        names, over = loop_of(node.rest)
        for element in elements(self.expressions.value(over, frame)):
            inner = frame.inner(loop=CLEAN)
            for index, name in enumerate(names):
                inner.values[name] = element if len(names) == 1 else element.part(f"[{index}]")
            self._items(node.body, inner)
        for branch in node.branches[1:]:
            self._items(branch.body, frame.inner())

    def _set(self, node: Node, frame: Frame) -> None:
        names, expression = set_of(node.rest)
        if node.branches:
            self._items(node.body, frame.inner())
        value = self.expressions.value(expression, frame)
        for index, name in enumerate(names):
            part = value if len(names) == 1 else value.part(f"[{index}]")
            head, _, rest = name.partition(".")
            if rest:
                part = frame.values.get(head, CLEAN).with_part(f"[{rest!r}]", part)
            frame.values[head] = part.refined(
                lambda taint, name=name: taint.hop(self.expressions.at, f"set as {name}")
            )

    def _with(self, node: Node, frame: Frame) -> None:
        bound = {name: self.expressions.value(value, frame) for name, value in pairs_of(node.rest).items()}
        self._items(node.body, frame.inner(**bound))

    def _do(self, node: Node, frame: Frame) -> None:
        self.expressions.value(parse(node.rest), frame)

    def _block(self, node: Node, frame: Frame) -> None:
        name = node.rest.split()[0] if node.rest else ""
        chain = self.blocks.get(name)
        self._defined(chain.found if chain is not None else [(node, frame.template)], 0, frame)

    def _defined(self, found: list[tuple[Node, Template]], level: int, frame: Frame) -> None:
        """Follow one definition of a block; ``super()`` in it leads to the next one."""
        if level >= len(found):
            return
        node, template = found[level]
        inner = frame.inner()
        inner.template = template
        inner.super = lambda: self._defined(found, level + 1, frame)
        self._items(node.body, inner)

    def _include(self, node: Node, frame: Frame) -> None:
        expression, shared = include_of(node.rest)
        for template in self._named(expression, frame):
            inner = frame.inner()
            inner.template = template
            if not shared:
                inner.values = {}
            self._apart(template, inner, node.statement.location, f"included as {template.name}")

    def _apart(self, template: Template, frame: Frame, at: Location, note: str) -> None:
        """Follow a template that has blocks of its own."""
        blocks, self.blocks = self.blocks, {}
        self._inside(template, frame, at, note)
        self.blocks = blocks

    def _import(self, node: Node, frame: Frame) -> None:
        expression, bound, shared = import_of(node.word, node.rest)
        for template in self._named(expression, frame):
            if template in self._importing:
                continue
            inner = Frame(template, dict(frame.values) if shared else {}, call=self._macro_called)
            defining = [item for item in self.stage.tree(template) if isinstance(item, Node)]
            self._importing.append(template)
            self._items([item for item in defining if item.word in _ABOVE], inner)
            self._importing.pop()
            for name, what in bound.items():
                if not what:
                    frame.macros[name] = {
                        key: value for key, value in inner.macros.items() if isinstance(value, Macro)
                    }
                elif what in inner.macros:
                    frame.macros[name] = inner.macros[what]

    def _macro(self, node: Node, frame: Frame) -> None:
        name, parameters, defaults = signature_of(node.rest)
        if name:
            frame.macros[name] = Macro(name, parameters, defaults, node.body, frame, node.statement.location)

    def _macro_called(
        self, macro: Macro, args: tuple[Value, ...], keywords: dict[str, Value], call: nodes.Call
    ) -> None:
        del call
        if len(self.path) >= MAX_INSIDE or self._active.count(macro) > 1:
            return
        self._active.append(macro)
        bound = {name: self.expressions.value(value, macro.frame) for name, value in macro.defaults.items()}
        bound = {name: bound.get(name, CLEAN) for name in macro.parameters} | bound
        bound.update(zip(macro.parameters, args, strict=False))
        extra = {key: value for key, value in keywords.items() if key not in macro.parameters}
        bound.update({key: value for key, value in keywords.items() if key in macro.parameters})
        bound["kwargs"] = Value(shape="dict", fields=tuple(sorted((f"[{k!r}]", v) for k, v in extra.items())))
        rest = args[len(macro.parameters) :]
        bound["varargs"] = Value(shape="list", fields=tuple((f"[{i}]", v) for i, v in enumerate(rest)))
        inner = macro.frame.inner(**bound)
        inner.caller = self._caller
        at = self.expressions.at
        self.path.append((at, f"passed to the macro {macro.name}()"))
        self._items(macro.body, inner)
        self._active.pop()
        self.path.pop()
        self.expressions.at = at

    def _call(self, node: Node, frame: Frame) -> None:
        parameters, expression = call_of(node.rest)
        outer = self._caller

        def body(args: tuple[Value, ...]) -> None:
            self._caller = outer
            given = dict(zip(parameters, args, strict=False))
            self._items(node.body, frame.inner(**given))
            self._caller = body

        self._caller = body
        self.expressions.value(expression, frame)
        self._caller = outer

    def _skip(self, node: Node, frame: Frame) -> None:
        """Do nothing: the statement was looked at before."""


_ABOVE = frozenset(("set", "import", "from", "macro", "do"))
"""The statements that count in a template that extends another, outside its blocks."""
_STATEMENTS = {
    "if": Rendering._if,  # noqa: SLF001 - a table of this class's own methods
    "for": Rendering._for,  # noqa: SLF001
    "set": Rendering._set,  # noqa: SLF001
    "with": Rendering._with,  # noqa: SLF001
    "trans": Rendering._with,  # noqa: SLF001
    "do": Rendering._do,  # noqa: SLF001
    "block": Rendering._block,  # noqa: SLF001
    "include": Rendering._include,  # noqa: SLF001
    "import": Rendering._import,  # noqa: SLF001
    "from": Rendering._import,  # noqa: SLF001
    "macro": Rendering._macro,  # noqa: SLF001
    "call": Rendering._call,  # noqa: SLF001
    "extends": Rendering._skip,  # noqa: SLF001
}
