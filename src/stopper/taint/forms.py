"""Forms, parsers, schemas and models: where a client's data comes in field by field, each held to what it is declared as.

WTForms, the request parsers of Flask-RESTful and RESTX, webargs, Flask-Smorest, APIFlask, marshmallow, pydantic and the
extensions that hand a pydantic model to a view.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stopper.records import dataclass
from stopper.source.module import Kind, Scope, parameters
from stopper.source.project import Project
from stopper.taint.declared import Declared, Reader
from stopper.taint.domain import ALL, CLEAN, KEYS, Taint, Target, Value
from stopper.taint.edges import Run
from stopper.taint.ir import Call, Load, Place
from stopper.taint.steps import common

_PARSERS = ("flask_restful.", "flask_restx.", "flask_restplus.")
_ARGUMENTS = frozenset(("use_args", "use_kwargs", "arguments", "input", "doc_input"))
_LOADS = frozenset(("load", "loads"))
_MODELS = frozenset(("pydantic.BaseModel", "pydantic.main.BaseModel", "pydantic_settings.BaseSettings"))
_VALIDATES = frozenset(("model_validate", "parse_obj", "model_validate_json", "parse_raw", "validate"))
_FIELD = ("wtforms.", "flask_wtf.", "wtforms_")
_INLINE = "validate_"
_CHECKING = frozenset(("validates", "field_validator", "validator"))
"""The decorators of what validates a field: of marshmallow, and of pydantic."""
_TREES = frozenset(("body", "query", "form", "path", "json", "header", "cookie"))


@dataclass(frozen=True, slots=True)
class _Argument:
    """A parameter that a decorator or an annotation fills with what the client sent."""

    name: str
    value: Value


class Forms:
    """What the project's forms, parsers and schemas let through."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self.project = project
        self.names = project.code.names
        self.reader = Reader(self.names)

    def load(self, run: Run, op: Load, base: Value) -> Value | None:
        """Return the data of a form's field, as far as its validators let it through; None for all else."""
        del base
        if op.part != ".data" or not op.name.startswith(_FIELD) or not isinstance(op.at, ast.Attribute):
            return None
        declared = self._field(run, op.at.value)
        if declared is None or (declared.clean and not _validates(run.function.scope)):
            return None
        label = f"the form's field {getattr(op.at.value, 'attr', '')}".rstrip()
        return _held(declared, label, op.at)

    def _field(self, run: Run, expr: ast.expr) -> Declared | None:
        """Return what the field ``form.name`` lets through: as it is declared, and as the form's own method validates it."""
        if not isinstance(expr, ast.Attribute):
            return None
        owner = self.names.resolve(expr.value, run.function.scope)
        if owner is None or owner.scope is None or owner.scope.kind is not Kind.CLASS:
            return None
        declared = self.reader.fields(owner.scope).get(expr.attr)
        for scope in owner.scope.children if declared is not None else ():
            if declared is not None and scope.name == f"{_INLINE}{expr.attr}" and scope.kind is Kind.FUNCTION:
                kinds = _held_by(run.engine.summary(scope), run.engine.lowered(scope).params)
                declared = Declared(declared.clean | kinds, declared.marks)
        return declared

    def may(self, op: Call) -> bool:
        """Tell whether a call may be one of a parser or a schema."""
        return op.last == "parse_args" or op.last in _LOADS or op.last in _VALIDATES

    def call(self, run: Run, op: Call, receiver: Value, args: tuple[Value, ...]) -> Value | None:
        """Return what a parser or a schema gives; None for all other calls."""
        if not isinstance(op.at, ast.Call):
            return None
        scope: Scope = run.function.scope
        if op.last == "parse_args" and op.name.startswith(_PARSERS):
            return self._parsed(op.at, scope)
        if op.last in _LOADS and "marshmallow" in op.name and args and args[0].every():
            return self._schema(run, op, scope, args[0])
        if op.last in _VALIDATES and args and args[0].every():
            return self._model(run, op, receiver, args[0])
        return None

    def _parsed(self, call: ast.Call, scope: Scope) -> Value | None:
        """Return what a request parser takes out of the request."""
        parser = call.func.value if isinstance(call.func, ast.Attribute) else None
        written = ast.unparse(parser) if parser is not None else ""
        found: dict[str, Declared] = {}
        self.names.rested |= scope.module.bit
        for site in scope.module.calls.get("add_argument", ()):
            func = site.node.func
            if isinstance(func, ast.Attribute) and ast.unparse(func.value) == written:
                name, declared = self.reader.argument(site.node, site.scope)
                found[name] = declared
        return _shaped(found, "the parsed argument", call) if found and "" not in found else None

    def _schema(self, run: Run, call: Call, scope: Scope, given: Value) -> Value | None:
        func = getattr(call.at, "func", None)
        owner = self.names.resolve(func.value, scope) if isinstance(func, ast.Attribute) else None
        if owner is None or owner.scope is None or owner.scope.kind is not Kind.CLASS:
            return Value(given.every())
        keeps = _keeps_unknown(owner.scope)
        loaded = given if keeps else _narrowed(self._fields(run, owner.scope), given)
        return _made(run, owner.scope, loaded, call)

    def _fields(self, run: Run, owner: Scope) -> Mapping[str, Declared]:
        """Return what the fields of a schema let through: as they are declared, and as the project's own validators hold them."""
        fields = dict(self.reader.fields(owner))
        for scope, names in _validators(owner):
            kinds = _held_by(run.engine.summary(scope), run.engine.lowered(scope).params)
            for name in names:
                declared = fields.get(name, Declared())
                fields[name] = Declared(declared.clean | kinds, declared.marks)
        return fields

    def _model(self, run: Run, op: Call, receiver: Value, given: Value) -> Value | None:
        scope: Scope = run.function.scope
        owners = [target.scope for target in receiver.targets if target.scope is not None]
        if not owners and isinstance(op.at.func, ast.Attribute):
            ref = self.names.resolve(op.at.func.value, scope)
            owners = [ref.scope] if ref is not None and ref.scope is not None else []
        if not owners or not self.is_model(owners[0]):
            return None
        return self.instance(owners[0], given, run)

    def is_model(self, owner: Scope) -> bool:
        """Tell whether a class is a model of pydantic."""
        return owner.kind is Kind.CLASS and any(base.name in _MODELS for base in self.names.bases(owner))

    def instance(self, owner: Scope, given: Value, run: Run | None = None) -> Value:
        """Return a model made of a client's data."""
        fields = self.reader.fields(owner) if run is None else self._fields(run, owner)
        value = _narrowed(fields, given, attributes=True)
        return Value(value.taints, fields=value.fields, classes=(owner,))

    def entries(self, view: Scope) -> dict[str, Value]:
        """Return what decorators and annotations pass to a view: ``@use_args(...)``, ``body: Model``."""
        found = {one.name: one.value for one in self._annotated(view)}
        for decorator in view.decorators:
            if isinstance(decorator, ast.Call):
                found.update((one.name, one.value) for one in self._decorated(decorator, view))
        return found

    def validators(self) -> Iterator[tuple[Scope, dict[str, Value]]]:
        """Yield the inline validators of forms, ``validate_name(self, field)``, with the field that each is given."""
        for module in self.project.modules:
            for scope in module.scopes:
                name = scope.name.removeprefix(_INLINE)
                args = getattr(scope.node, "args", None)
                if name == scope.name or scope.owner is None or not isinstance(args, ast.arguments):
                    continue
                declared = self.reader.fields(scope.owner).get(name) if self._is_form(scope.owner) else None
                if declared is not None and len(args.args) == 2:
                    data = _held(declared, f"the form's field {name}", scope.node)
                    yield scope, {args.args[1].arg: Value(fields=((".data", data),))}

    def _is_form(self, owner: Scope) -> bool:
        return any(base.name.startswith(_FIELD) for base in self.names.bases(owner))

    def _decorated(self, decorator: ast.Call, view: Scope) -> Iterator[_Argument]:
        last = getattr(decorator.func, "attr", getattr(decorator.func, "id", ""))
        if last not in _ARGUMENTS or not decorator.args:
            return
        fields = self.reader.entries(decorator.args[0], view.parent or view)
        if fields is None:
            return
        keywords = {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg}
        label = _label(keywords)
        if last == "use_kwargs" or getattr(keywords.get("as_kwargs"), "value", False) is True:
            for name, declared in fields.items():
                yield _Argument(name, _held(declared, f"{label} {name!r}", decorator))
            return
        name = _taker(view, keywords)
        if not name:
            return
        value = _shaped(fields, label, decorator)
        if self._is_open(decorator.args[0], view):
            whole = Value((Taint(label, marks=frozenset(("object",))).hop(decorator, f"{label} is read"),))
            value = Value(whole.taints, shape="dict", fields=value.with_part(KEYS, whole).fields)
        yield _Argument(name, value)

    def _is_open(self, schema: ast.expr, view: Scope) -> bool:
        """Tell whether a decorator's schema keeps fields that it does not declare."""
        ref = self.names.resolve(schema, view.parent or view)
        return ref is not None and ref.scope is not None and _keeps_unknown(ref.scope)

    def _annotated(self, view: Scope) -> Iterator[_Argument]:
        args = getattr(view.node, "args", None)
        for arg in parameters(args) if isinstance(args, ast.arguments) else ():
            if arg.arg not in _TREES or arg.annotation is None:
                continue
            ref = self.names.resolve(arg.annotation, view.parent or view)
            if ref is not None and ref.scope is not None and self.is_model(ref.scope):
                taint = Taint(f"the request's {arg.arg}", trace=((arg, f"the request's {arg.arg} comes in"),))
                yield _Argument(arg.arg, self.instance(ref.scope, Value((taint,))))


def _validators(owner: Scope) -> Iterator[tuple[Scope, list[str]]]:
    """Yield the methods of a schema or a model that validate fields, with the names of these."""
    for scope in owner.children:
        for mark in scope.decorators:
            if isinstance(mark, ast.Call) and _last(mark.func) in _CHECKING:
                yield scope, [str(arg.value) for arg in mark.args if isinstance(arg, ast.Constant)]


def _made(run: Any, owner: Scope, loaded: Value, call: Call) -> Value:
    """Return what a schema's ``post_load`` method makes of what was loaded; just that where there is none."""
    for scope in owner.children:
        marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in scope.decorators]
        if any(_last(mark) == "post_load" for mark in marks):
            target = Target(scope, receiver=Value(classes=(owner,)))
            made: Value = run.invoke((target,), (loaded,), (), {}, call)
            return made
    return loaded


def _held_by(summary: Any, params: Sequence[str]) -> frozenset[str]:
    """Return the kinds that a validator makes its value harmless for: by what it refuses, or by what it returns instead."""
    if len(params) < 2:
        return frozenset()
    kinds: frozenset[str] = summary.checked.get(params[1], frozenset())
    given = [taint for taint in summary.returns.every() if taint.parameter == 1]
    return kinds | common([taint.clean for taint in given])


def _last(expr: ast.expr) -> str:
    return str(getattr(expr, "attr", getattr(expr, "id", "")))


def _taker(view: Scope, keywords: Mapping[str, ast.expr]) -> str:
    """Return the parameter that takes all parsed data: the one named, or the first that is no part of the URL."""
    named = keywords.get("arg_name")
    if isinstance(named, ast.Constant):
        return str(named.value)
    args = getattr(view.node, "args", None)
    names = [arg.arg for arg in parameters(args)] if isinstance(args, ast.arguments) else []
    location = keywords.get("location")
    wanted = f"{location.value!s}_data" if isinstance(location, ast.Constant) else "json_data"
    if wanted in names:
        return wanted
    names = names[1:] if view.owner is not None else names
    return names[0] if names else ""


def _label(keywords: Mapping[str, ast.expr]) -> str:
    location = keywords.get("location")
    return (
        f"the request's {location.value!s}"
        if isinstance(location, ast.Constant)
        else "the request's argument"
    )


def _held(declared: Declared, label: str, at: Place) -> Value:
    """Return a client's data as one field lets it through."""
    if ALL in declared.clean:
        return CLEAN
    taint = Taint(label, clean=declared.clean, marks=declared.marks)
    return Value((taint.hop(at, f"{label} is read"),))


def _shaped(fields: Mapping[str, Declared], label: str, at: Place) -> Value:
    parts = ((f"[{name!r}]", _held(declared, f"{label} {name!r}", at)) for name, declared in fields.items())
    attributes = ((f".{name}", _held(declared, f"{label} {name!r}", at)) for name, declared in fields.items())
    return Value(shape="dict", fields=tuple(sorted((*parts, *attributes, (KEYS, CLEAN)))))


def _narrowed(fields: Mapping[str, Declared], given: Value, *, attributes: bool = False) -> Value:
    """Return what is left of a client's data after a schema: the fields it names, each as it is declared, as far as they came."""
    parts = [] if attributes else [(KEYS, CLEAN)]
    for name, declared in fields.items():
        own = given.field(f"[{name!r}]") or given
        value = CLEAN if ALL in declared.clean else Value(tuple(_as(declared, one) for one in own.every()))
        parts.append((f".{name}" if attributes else f"[{name!r}]", value))
    return Value(shape="" if attributes else "dict", fields=tuple(sorted(parts)))


def _as(declared: Declared, taint: Taint) -> Taint:
    kept = taint.marks - {"object"} | declared.marks
    return Taint(
        taint.source, taint.kind, taint.parameter, taint.clean | declared.clean, kept, near=taint.near, trace=taint.trace
    )  # fmt: skip


def _validates(scope: Scope) -> bool:
    """Tell whether a function lets a form check itself."""
    return ".validate" in scope.module.source(scope.node)


def forms_of(project: Project) -> Forms:
    """Return the forms of a project, read when first asked for."""
    return project.cached("taint.forms", lambda: Forms(project))


def _keeps_unknown(schema: Scope) -> bool:
    """Tell whether a marshmallow schema keeps fields that it does not declare: ``unknown = INCLUDE`` in its ``Meta``."""
    metas = [inner for inner in schema.children if inner.name == "Meta"]
    given = [binding.value for meta in metas for binding in meta.bindings.get("unknown", ())]
    return any(value is not None and ast.unparse(value).endswith("INCLUDE") for value in given)
