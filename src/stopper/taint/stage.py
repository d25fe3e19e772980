"""What stands ready when a template is rendered: the templates by name, the project's filters and globals, the processors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from stopper.records import dataclass, field
from stopper.source.code import Call, Expr
from stopper.source.files import Nearby
from stopper.source.module import Kind, Scope
from stopper.source.names import Ref, RefKind
from stopper.source.project import Project
from stopper.source.template import Output, Statement, Template
from stopper.source.template_tree import Item, Node, tree, walk
from stopper.taint.contexts import harm
from stopper.taint.domain import Taint

MAX_CANDIDATES = 12
"""How many templates a name that is only known in part may stand for."""

_ENVIRONMENTS = (
    "flask.Flask().jinja_env",
    "jinja2.Environment()",
    "flask.Flask().create_jinja_environment()",
)
_PROBE = Taint("?")
_NAMING = frozenset(("include", "extends", "import", "from"))
_QUIET = frozenset(("url_for", "csrf_token", "static", "loop", "range"))
_HELD = frozenset(
    "e escape forceescape upper lower title capitalize trim truncate length count int float round abs default d first last "
    "join replace sort reverse string wordcount center indent filesizeformat striptags format list map select reject "
    "selectattr rejectattr unique urlencode wordwrap batch slice groupby dictsort items min max sum random pprint".split()
)
"""Filters of Jinja whose result is escaped as their value would be."""


@dataclass(eq=False)
class Stage:
    """Everything about a project's templates that does not change from one rendering to the next."""

    project: Project
    filters: dict[str, Ref] = field(default_factory=dict)
    """The project's own filters by name, and the library functions that it makes filters."""
    globals: dict[str, Ref] = field(default_factory=dict)
    """The functions that every template may call."""
    processors: tuple[tuple[Scope, frozenset[str]], ...] = ()
    """The context processors, and the names that each offers; none where that is not seen."""
    filtered: set[str] = field(default_factory=set)
    """The names of which it was asked whether they are filters of the project's."""
    _trees: dict[int, tuple[Item, ...]] = field(default_factory=dict)
    _open: dict[int, bool] = field(default_factory=dict)
    _nodes: dict[int, tuple[Node, ...]] = field(default_factory=dict)
    _exposed: dict[int, tuple[Output, bool]] = field(default_factory=dict)
    _reads: dict[int, frozenset[str]] = field(default_factory=dict)
    _asked: dict[int, tuple[Scope, ...]] = field(default_factory=dict)
    _unregistered: dict[str, Ref | None] = field(default_factory=dict)

    def filter(self, name: str) -> Ref | None:
        """Return the project's filter of a name; where nothing registers it, the only function that is called so."""
        self.filtered.add(name)
        if name in self.filters or name in _HELD:
            return self.filters.get(name)
        if name not in self._unregistered:
            found = [
                scope for module in self.project.modules for scope in module.scopes if scope.name == name
            ]
            alone = len(found) == 1 and found[0].kind is Kind.FUNCTION and found[0].owner is None
            self._unregistered[name] = Ref(found[0].dotted, RefKind.FUNCTION, found[0]) if alone else None
        return self._unregistered[name]

    def tree(self, template: Template) -> tuple[Item, ...]:
        """Return a template's statements put into one another."""
        found = self._trees.get(id(template))
        if found is None:
            found = self._trees[id(template)] = tree(template)
        return found

    def nodes(self, template: Template) -> tuple[Node, ...]:
        """Return a template's blocks, and what it extends, in the order of the text."""
        found = self._nodes.get(id(template))
        if found is None:
            every = [item for item in walk(self.tree(template)) if isinstance(item, Node)]
            found = self._nodes[id(template)] = tuple(
                [node for node in every if node.word == "extends" or (node.word == "block" and node.rest)]
            )
        return found

    def named(self, name: str, near: str = "") -> Template | None:
        """Return the template of a name: of several, the one whose path has most in common with ``near``."""
        found = self.project.templates.nearest(name, near)
        return max(found, key=lambda one: _shared(one.path, near), default=None)

    def like(self, literal: str) -> list[Template]:
        """Return the templates that a name built in parts may mean; NUL stands for a part that is not known."""
        if len(literal.replace("\0", "").replace(".html", "").strip("/.")) < 2:
            return []
        pattern = re.compile(re.escape(literal).replace(re.escape("\0"), ".*"))
        by_name = self.project.templates.by_name
        found = [group[0] for name, group in sorted(by_name.items()) if pattern.fullmatch(name)]
        return found if len(found) <= MAX_CANDIDATES else []

    def matters(self, template: Template) -> bool:
        """Tell whether data may do harm anywhere in the pages that a template makes."""
        known = self._open.get(id(template))
        if known is None:
            family = self.project.templates.family(template)
            known = any(_leads_on(one) or any(map(self.exposed, one.outputs)) for one in family)
            self._open[id(template)] = known
        return known

    def read_by(self, template: Template) -> frozenset[str]:
        """Return the variables that a template reads, with what it extends and includes."""
        known = self._reads.get(id(template))
        if known is None:
            family = self.project.templates.family(template)
            known = frozenset(part.root for one in family for output in one.outputs for part in output.parts)
            self._reads[id(template)] = known
        return known

    def asked(self, template: Template) -> tuple[Scope, ...]:
        """Return the context processors that offer what a template reads; those of which no name is seen may offer anything."""
        known = self._asked.get(id(template))
        if known is None:
            read = self.read_by(template)
            places = {place for place, (_, names) in enumerate(self.processors) if not names}
            places.update(
                place
                for name in self._offering
                if name in read
                for place in self._offering[name].meant(template.path)
            )
            known = self._asked[id(template)] = tuple([self.processors[place][0] for place in sorted(places)])
        return known

    @cached_property
    def _offering(self) -> dict[str, Nearby[int]]:
        """The places of the context processors by the names that they offer."""
        found: dict[str, list[tuple[str, int]]] = {}
        for place, (scope, names) in enumerate(self.processors):
            for name in names:
                found.setdefault(name, []).append((scope.module.path, place))
        return {name: Nearby(placed) for name, placed in found.items()}

    def exposed(self, output: Output) -> bool:
        """Tell whether an expression stands where Jinja's escaping may not hold what comes out of it."""
        known = self._exposed.get(id(output))
        if known is None:
            known = self._exposed[id(output)] = (output, self._is_exposed(output))
        return known[1]

    def _is_exposed(self, output: Output) -> bool:
        if output.constant or all(part.called and part.root in _QUIET for part in output.parts):
            return False
        if harm(_PROBE, output) is not None:
            return True
        names = {name for part in output.parts for name in part.filters}
        called = {part.root for part in output.parts if part.called}
        return not names <= _HELD or bool(called & self.globals.keys())


def _leads_on(template: Template) -> bool:
    """Tell whether a template names another one by something that is not constant."""
    statements = (one for one in template.program if isinstance(one, Statement))
    return any(one.word in _NAMING and not {'"', "'"} & set(one.rest) for one in statements)


def stage_of(project: Project) -> Stage:
    """Return the stage of a project, set when first asked for."""
    return project.cached("taint.stage", lambda: _set(project))


def _set(project: Project) -> Stage:
    filters: dict[str, Ref] = {}
    functions: dict[str, Ref] = {}
    for hook in project.routes.hooks:
        ref = Ref(hook.view.dotted, RefKind.FUNCTION, hook.view)
        name = hook.argument if isinstance(hook.argument, str) else hook.view.name
        if hook.kind == "template_filter":
            filters[name] = ref
        elif hook.kind == "template_global":
            functions[name] = ref
    for table, found in (("filters", filters), ("globals", functions)):
        for name, expr in _registered(project, table):
            ref_or_none = project.code.names.resolve(expr.node, expr.scope)
            if ref_or_none is not None:
                found[name] = ref_or_none
    for call in project.code.every_call("add_template_filter"):
        given, said = call.argument(0, "f"), call.argument(1, "name")
        ref_or_none = project.code.names.resolve(given.node, given.scope) if given is not None else None
        if ref_or_none is not None and ref_or_none.scope is not None:
            named = said.value.constant if said is not None else ref_or_none.scope.name
            filters.setdefault(str(named), ref_or_none)
    processors = []
    for hook in project.routes.hooks:
        if hook.kind == "context_processor":
            offered = dict(_offered(project, hook.view))
            functions.update({name: ref for name, ref in offered.items() if ref is not None})
            processors.append((hook.view, frozenset(offered)))
    return Stage(project, filters, functions, tuple(processors))


def _registered(project: Project, table: str) -> Iterator[tuple[str, Expr]]:
    """Yield what ``jinja_env.filters["x"] = f`` and ``jinja_env.filters.update(x=f)`` put there."""
    owners = tuple(f"{environment}.{table}" for environment in _ENVIRONMENTS)
    for store in project.code.stores(*owners):
        yield store.key, store.value
    for call in project.code.calls(*(f"{owner}.update" for owner in owners)):
        yield from _given(call)


def _given(call: Call) -> Iterator[tuple[str, Expr]]:
    yield from call.keywords.items()
    for argument in call.arguments[:1]:
        for key, value in argument.items():
            if key is not None and isinstance(key.value.constant, str):
                yield key.value.constant, value


def _offered(project: Project, scope: Scope) -> Iterator[tuple[str, Ref | None]]:
    """Yield what a context processor hands to the templates by name, and which function that is: ``return {"price": price}``."""
    for returned in scope.returns:
        expr = project.code.expr(returned, scope)
        call = expr.call
        pairs = list(_given(call)) if call is not None and call.name == "dict" else []
        pairs += [
            (key.value.constant, value)
            for key, value in expr.items()
            if key is not None and isinstance(key.value.constant, str)
        ]
        for name, value in pairs:
            ref = project.code.names.resolve(value.node, scope)
            yield name, ref if ref is not None and ref.kind is RefKind.FUNCTION else None


def _shared(one: str, other: str) -> int:
    parts = zip(one.split("/"), other.split("/"), strict=False)
    return next((at for at, (left, right) in enumerate(parts) if left != right), 99)
