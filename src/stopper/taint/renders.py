"""Render calls: which template a call renders, and what it gives to it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from stopper.records import dataclass
from stopper.source.module import Bound, Scope
from stopper.source.project import Project
from stopper.source.template import Template
from stopper.taint.domain import ANY, CLEAN, Value, merged
from stopper.taint.edges import Run
from stopper.taint.ir import AccessPath, Call
from stopper.taint.jinja import SPREAD
from stopper.taint.stage import Stage

_BY_NAME = frozenset(
    (
        *("flask.render_template", "flask.stream_template", "flask.templating.render_template"),
        *(
            "flask_admin.BaseView().render",
            "flask_admin.base.BaseView().render",
            "flask_admin.AdminIndexView().render",
        ),
        *("flask_admin.contrib.sqla.ModelView().render", "flask_appbuilder.BaseView().render_template"),
        "flask_themes2.render_theme_template",
    )
)
_INLINE = frozenset(("flask.render_template_string", "flask.stream_template_string"))
_METHODS = frozenset(("render", "stream", "generate", "render_async"))
_LOADERS = frozenset(("get_template", "select_template", "get_or_select_template"))
_MAKERS = frozenset(("Template", "from_string"))
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Render:
    """What one call renders."""

    templates: tuple[Template, ...]
    context: dict[str, Value]
    escaped: bool | None = None
    """Whether the environment escapes, where it is not Flask's."""


class Renders:
    """Tell render calls from others."""

    def __init__(self, project: Project, stage: Stage) -> None:
        """Take the project and its templates."""
        self.project = project
        self.stage = stage

    def may(self, op: Call) -> bool:
        """Tell whether a call may render something."""
        return op.name in _BY_NAME or op.name in _INLINE or (op.last in _METHODS and op.receiver is not None)

    def asked(
        self, run: Any, op: Call, args: tuple[Value, ...], keywords: Mapping[str, Value]
    ) -> Render | None:
        """Return what a call renders; None for a call that renders nothing we know of."""
        scope: Scope = run.function.scope
        call = op.at
        if not isinstance(call, ast.Call):
            return None
        if op.name in _BY_NAME:
            place = 1 if op.name.endswith("render_theme_template") else 0
            given = args[place] if len(args) > place else keywords.get("template_name_or_list", CLEAN)
            written = call.args[place] if len(call.args) > place else None
            return Render(self._named(given, written, scope), _context(run, op, keywords))
        if op.name in _INLINE:
            return Render(self._inline(scope, call), _context(run, op, keywords))
        return self._of_object(run, op, args, keywords)

    def _of_object(
        self, run: Any, op: Call, args: tuple[Value, ...], keywords: Mapping[str, Value]
    ) -> Render | None:
        """Return what ``environment.get_template("x.html").render(...)`` renders."""
        made = _origin(run, op.receiver) or _of_module(run, op.receiver)
        if not isinstance(made, Call) or not isinstance(made.at, ast.Call):
            return None
        context = {**spread(args[0] if args else CLEAN), **_context(run, op, keywords)}
        scope: Scope = run.function.scope
        if made.last in _LOADERS and made.args:
            templates = self._named(run.read(made.args[0]), made.at.args[0] if made.at.args else None, scope)
        elif made.last in _MAKERS:
            templates = self._inline(scope, made.at)
        else:
            return None
        escaped = None if made.name.startswith("flask.") else self._escapes(run, made)
        return Render(templates, context, escaped) if templates else None

    def _escapes(self, run: Any, made: Call) -> bool | None:
        """Tell whether an environment of the project's own escapes; None where it chooses as Flask does."""
        if made.last == "Template":
            return _flag(run, made)
        environment = _origin(run, made.receiver)
        if isinstance(environment, Call):
            return _flag(run, environment) if environment.name.endswith("Environment") else None
        written = made.at.func.value if isinstance(made.at.func, ast.Attribute) else None
        bound = run.function.scope.module.scope.bindings.get(getattr(written, "id", ""), [])
        calls = [one.value for one in bound if isinstance(one.value, ast.Call)]
        if not calls or "Environment" not in ast.unparse(calls[0].func):
            return None
        flags = [keyword.value for keyword in calls[0].keywords if keyword.arg == "autoescape"]
        return None if flags and getattr(flags[0], "value", None) is not False else False

    def _inline(self, scope: Scope, call: ast.Call) -> tuple[Template, ...]:
        where = scope.module.location(call)
        return tuple(one for one in self.project.templates.all if one.inline and one.called == where)

    def _named(self, value: Value, written: ast.expr | None, scope: Scope) -> tuple[Template, ...]:
        names = [value.constant] if isinstance(value.constant, str) else []
        if not names and value.shape in ("list", "tuple"):
            every = [part.constant for _, part in value.items() if isinstance(part.constant, str)]
            names = [name for name in every if self.stage.named(name)][:1]
        if not names and written is not None:
            names = _texts(written, scope, _DEPTH)
        near = scope.module.path
        found = [template for name in dict.fromkeys(names) if (template := self.stage.named(name, near))]
        return tuple(found or (self.stage.like(value.literal) if "\0" in value.literal else ()))


def spread(value: Value) -> dict[str, Value]:
    """Return the entries of a dict by their constant keys; ``SPREAD`` for what may stand under any other."""
    found = {name[2:-2]: part for name, part in value.fields if name.startswith("['")}
    rest = value.field(ANY)
    taints = merged(value.taints, rest.every() if rest is not None else ())
    if taints:
        found[SPREAD] = Value(taints)
    return found


def _context(run: Any, op: Call, keywords: Mapping[str, Value]) -> dict[str, Value]:
    """Return the variables that the keywords of a call make, ``**values`` among them."""
    context: dict[str, Value] = {}
    for key, operand in op.keywords:
        if key == "**":
            context |= spread(run.read(operand))
    return context | {key: value for key, value in keywords.items() if key != "**"}


def _origin(run: Run, operand: object) -> object:
    """Return the call behind a variable that is only handed on."""
    for _ in range(_DEPTH):
        if not isinstance(operand, AccessPath):
            return None
        op = run.function.definitions.get(operand.base)
        if op is None or isinstance(op, Call):
            return op
        operand = getattr(op, "source", None)
    return None


def _of_module(run: Any, operand: object) -> Call | None:
    """Return the call that makes a template which the module keeps."""
    if not isinstance(operand, AccessPath) or operand.base not in run.function.free:
        return None
    known = run.engine.lowered(run.function.scope.module.scope).definitions
    made = known.get(operand.base)
    source = getattr(made, "source", None)
    made = known.get(source.base) if isinstance(source, AccessPath) else made
    return made if isinstance(made, Call) and made.last == "Template" else None


def _flag(run: Any, made: Call) -> bool | None:
    """Tell whether ``autoescape`` is on; None for a function that chooses by the name."""
    flag = dict(made.keywords).get("autoescape")
    if flag is None:
        return False
    value = run.read(flag)
    return bool(value.constant) if value.known else None


def _texts(expr: ast.expr, scope: Scope, depth: int) -> list[str]:
    """Return the constant texts that an expression may be: both of a choice, each that a variable is bound to."""
    if isinstance(expr, ast.Constant):
        return [expr.value] if isinstance(expr.value, str) else []
    if isinstance(expr, ast.IfExp):
        return [*_texts(expr.body, scope, depth), *_texts(expr.orelse, scope, depth)]
    if isinstance(expr, ast.BoolOp):
        return [text for part in expr.values for text in _texts(part, scope, depth)]
    if isinstance(expr, ast.Subscript) and isinstance(expr.value, ast.Dict):
        return [text for part in expr.value.values for text in _texts(part, scope, depth)]
    if isinstance(expr, ast.Name) and depth:
        found = scope.bindings.get(expr.id, []) or scope.module.scope.bindings.get(expr.id, [])
        values = [one.value for one in found if one.how is Bound.ASSIGN and one.value is not None]
        return [text for value in values for text in _texts(value, scope, depth - 1)]
    return []
