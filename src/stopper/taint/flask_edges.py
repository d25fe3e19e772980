"""Flask's hidden edges: what it carries from one function to another without a call that the code shows.

From ``before_request`` by way of ``g`` into views and templates, from ``flash`` to the page that shows the message, from one request
to the next by way of the session, and from a view into its template, for which ``renders`` says what is rendered with what.
"""

from __future__ import annotations

import ast
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.project import Project
from stopper.source.template import Output, Template
from stopper.taint.binding import named
from stopper.taint.callgraph import routed
from stopper.taint.contexts import Harm
from stopper.taint.domain import CLEAN, Target, Value, joined, merged
from stopper.taint.edges import Edges, Run
from stopper.taint.forms import forms_of
from stopper.taint.ir import Call, Load, Place, Store
from stopper.taint.listeners import HTTP_ERROR, receivers
from stopper.taint.models import KINDS, RENDERED, Models
from stopper.taint.pages import CONSTANT, HARM, OPEN
from stopper.taint.rendering import HTML, Rendering
from stopper.taint.renders import Render, Renders, spread
from stopper.taint.stage import stage_of
from stopper.taint.stored import STORED, Storage

_LOOKED_AT = (KINDS | RENDERED) - {"sql", "nosql", "command", "code", "ldap", "xpath"}
"""What the text of a template is not looked at for again."""
_FLASHES = "flask.flash"
_ABORTS = frozenset(("flask.abort", "werkzeug.exceptions.abort"))
_ABORTED = f"{HTTP_ERROR}.description"
_DELAYS = frozenset(("delay", "apply_async", "send", "queue", "schedule"))
_QUEUES = frozenset(("enqueue", "start_background_task"))
_EXCEPTIONS = frozenset(
    ("Exception", "BaseException", "ValueError", "RuntimeError", "werkzeug.exceptions.HTTPException")
)
_EXTENSIONS = "flask.Flask().extensions"
_KEPT = ("flask.g", "flask.session", _EXTENSIONS)
_LASTING = "flask.session."


class FlaskEdges(Edges):
    """What Flask does with calls, fields and stores that no code of the project answers."""

    def __init__(self, project: Project, models: Models) -> None:
        """Take the project and the models."""
        self.project = project
        self.models = models
        self.stage = stage_of(project)
        self.renders = Renders(project, self.stage)
        self.forms = forms_of(project)
        self.entries = routed(project)
        self.receivers = receivers(project)
        self.storage = Storage(project) if project.options.second_order else None

    def call(
        self, run: Run, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return what a call gives that hands data on unseen; None for all other calls."""
        if self.renders.may(op):
            render = self.renders.asked(run, op, args, keywords)
            if render is not None:
                self._render(run, op, render)
                return _filled(op, render)
        parsed = self.forms.call(run, op, receiver, args) if self.forms.may(op) else None
        if parsed is not None:
            return parsed
        if (op.last in _DELAYS and receiver.targets) or (op.last in _QUEUES and args and args[0].targets):
            return _delayed(run, op, receiver, args, keywords)
        heard = self.receivers.get(_sender(op), ()) if op.last == "send" and self.receivers else ()
        if heard:
            return _delayed(run, op, Value(targets=tuple(map(Target, heard))), args, keywords)
        if op.name == "flask.after_this_request" and args:
            _delayed(run, op, args[0], (Value(name="flask.Response()"),), {})
            return args[0]
        if op.name in _ABORTS:
            _aborted(run, op, args, keywords)
            return None
        if op.name == "setattr" and len(args) == 3:
            self._put(run, op, args)
            return None
        if op.name == "flask.flash" and args:
            run.share(_FLASHES, args[0].refined(lambda taint: taint.hop(op.at, "flashed")))
            return CLEAN
        owner = _keeper(op.name.rpartition(".")[0], receiver)
        if owner and (self.storage is not None or owner == "flask.g"):
            return self._kept(run, op, owner, args, keywords)
        if self.storage is None or not self.storage.may(op, receiver):
            return None
        return self.storage.call(run, op, receiver, args, keywords)

    def load(self, run: Run, op: Load, base: Value) -> Value | None:
        """Return what was put on ``g`` or into the session elsewhere."""
        if op.part == ".description" and HTTP_ERROR in (base.name, op.name.rpartition(".")[0]):
            return kept(run, _ABORTED)
        if op.name == "flask.request.view_args":
            return self._routed(run)
        owner = _keeper(op.name.rpartition(".")[0] if op.part.startswith(".") else op.name, base)
        if not owner:
            found = self.forms.load(run, op, base)
            return found if found is not None or self.storage is None else self.storage.load(run, op, base)
        key = _key(run, op)
        return kept(run, f"{owner}.{key}") if key else None

    def construct(
        self, run: Run, owner: Any, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return a model of pydantic that is made of a client's data; None for all other classes."""
        del args
        if (
            not keywords
            or not any(value.every() for value in keywords.values())
            or not self.forms.is_model(owner)
        ):
            return None
        fields = tuple(sorted((f"[{name!r}]", value) for name, value in keywords.items() if name != "**"))
        rest = keywords.get("**", CLEAN)
        return self.forms.instance(owner, Value(rest.every(), fields=(*fields, *rest.fields)), run)

    def _routed(self, run: Run) -> Value | None:
        """Return the parts of the URL that a view was routed by, each as its converter lets it through."""
        found = self.entries.get(id(run.function.scope))
        if found is None:
            return None
        return Value(
            shape="dict", fields=tuple(sorted((f"[{name!r}]", value) for name, value in found.items()))
        )

    def store(self, run: Run, op: Store, source: Value) -> None:
        """Keep what is put on ``g`` or into the session."""
        base = run.read(op.base)
        owner = _keeper(op.name, base) or (_EXTENSIONS if _extends(op) else "")
        key = _key(run, op) if owner else ""
        if key and (self.storage is not None or owner != "flask.session"):
            _keep(run, f"{owner}.{key}", source, op.at)
        for owner_class in base.classes if op.part.startswith(".") and source.every() else ():
            if any(one.name in _EXCEPTIONS for one in self.project.code.names.bases(owner_class)):
                run.share(f"{owner_class.dotted}{op.part}", source)
        if self.storage is not None and base.classes:
            self.storage.store(run, op, base, source)

    def _put(self, run: Run, op: Call, args: tuple[Value, ...]) -> None:
        """Keep what ``setattr(g, "name", value)`` puts there."""
        owner = _keeper("", args[0])
        if owner and isinstance(args[1].constant, str):
            _keep(run, f"{owner}.{args[1].constant}", args[2], op.at)

    def _kept(
        self, run: Run, op: Call, owner: str, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return what a method of ``g`` or of the session does: ``session.get("name")``."""
        key = args[0].constant if args and isinstance(args[0].constant, str) else ""
        if op.last in ("get", "pop", "setdefault") and key:
            other = args[1] if len(args) > 1 else None
            if op.last == "setdefault" and other is not None:
                _keep(run, f"{owner}.{key}", other, op.at)
            found = kept(run, f"{owner}.{key}")
            return joined(found, other) if found is not None and other is not None else found
        if op.last == "update":
            given = {**{name: value for arg in args for name, value in spread(arg).items()}, **keywords}
            for name, value in given.items():
                _keep(run, f"{owner}.{name}", value, op.at)
            return CLEAN
        return None

    def _render(self, run: Run, op: Call, render: Render) -> None:
        speaks = any(_speaks(run, value) for value in render.context.values())
        for template in render.templates:
            run.engine.trails[-1].rendered += (id(template),)
            if self.stage.matters(template) or render.escaped is False or speaks:
                self._follow(run, op, template, render, speaks=speaks)

    def _follow(self, run: Run, op: Call, template: Template, render: Render, *, speaks: bool) -> None:
        at = run.function.scope.module.location(op.at)
        note = f"given to {template.name or 'the template'} by {op.last or op.name}()"
        given = self._offered(run, template, at) | render.context
        context = {name: value.refined(lambda taint: taint.hop(op.at, note)) for name, value in given.items()}
        audience = _Audience(run)
        rendering = Rendering(self.stage, self.models, audience, audience)
        rendering.speaks = speaks
        start = (op.at, f"shown by {template.name or 'the template'}")
        rendering.run(template, context, start=start, escaped=render.escaped)

    def _offered(self, run: Run, template: Template, at: Location) -> dict[str, Value]:
        """Return what the context processors add, where the template reads any of it."""
        found: dict[str, Value] = {}
        for scope in self.stage.asked(template):
            found |= spread(_called(run, scope, (), {}, at))
        return found


def _speaks(run: Any, value: Value) -> bool:
    """Tell whether an object of the project writes its own HTML."""
    return any(run.program.method(owner, HTML) is not None for owner in value.classes)


def _filled(op: Call, render: Render) -> Value:
    """Return the text that a template becomes: what it does in a page is looked at place by place, a statement is one whole."""
    taints = merged(*(value.every() for value in render.context.values()))
    return Value(
        tuple(
            [
                taint.cleaned(_LOOKED_AT).marked("built").hop(op.at, "filled into a template")
                for taint in taints
            ]
        )
    )


@dataclass(frozen=True, slots=True)
class _Audience:
    """What a rendering tells the run that holds the render call."""

    run: Run

    def follow(
        self, scope: object, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
    ) -> Value:
        """Return what a function of the project gives, called from the template."""
        return _called(self.run, scope, args, keywords, at)

    def shared(self, key: str) -> Value:
        """Return what the project keeps under a key."""
        return kept(self.run, key) or CLEAN

    def member(self, value: Value, name: str, at: Location) -> Value | None:
        """Return an attribute of an object of the project."""
        run: Any = self.run
        found: Value | None = run.attribute(value, name, _Site(at))
        return found

    def method(
        self, value: Value, name: str, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
    ) -> Value | None:
        """Return what a method of an object of the project gives."""
        run: Any = self.run
        found = run.members(value, name)
        result: Value | None = run.invoke(found, args, (), keywords, _Site(at)) if found else None
        return result

    def harmed(self, taint: Any, harm: Harm, output: Output) -> None:
        """Record a flow that ends in the template."""
        self.run.record(harm.kind, Value((taint,)), output.location, harm.sink, harm.confidence)
        self._came_out(output, HARM)

    def shown(self, output: Output, *, fixed: bool) -> None:
        """Remember what else comes out there."""
        self._came_out(output, CONSTANT if fixed else OPEN)

    def _came_out(self, output: Output, what: str) -> None:
        run: Any = self.run
        run.result.shown.add((output.location, what))


@dataclass(frozen=True, slots=True)
class _Site:
    """The place in a template from which a function of the project is called."""

    at: Place


def _called(
    run: Any, scope: object, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
) -> Value:
    found: Value = run.invoke((Target(scope),), args, (), keywords, _Site(at))
    return found


def kept(run: Any, key: str) -> Value | None:
    """Return what a cell holds; what lay in the session since another request is marked as stored."""
    found: Value | None = run.engine.shared.get(key)
    if found is None or not key.startswith(_LASTING):
        return found
    return found.refined(lambda taint: taint.marked(STORED))


def _sender(op: Call) -> str:
    """Return the last name of what sends: ``ordered`` of ``signals.ordered.send()``."""
    sender = getattr(getattr(op.at, "func", None), "value", None)
    return str(getattr(sender, "attr", getattr(sender, "id", "")))


def _aborted(run: Run, op: Call, args: tuple[Value, ...], keywords: dict[str, Value]) -> None:
    """Keep what ``abort(400, "...")`` says, for the handler of the error."""
    said = keywords.get("description", args[1] if len(args) > 1 else CLEAN)
    if said.every():
        run.share(_ABORTED, said.refined(lambda taint: taint.hop(op.at, "told by abort()")))


def _delayed(
    run: Any, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
) -> Value:
    """Follow a task that runs later with what it is given: ``task.delay(x)``, ``queue.enqueue(task, x)``."""
    targets = receiver.targets
    if op.last in _QUEUES:
        targets, args = args[0].targets, args[1:]
    if op.last in ("apply_async", "apply"):
        given = keywords.get("args", args[0] if args else CLEAN)
        by_name, _, _ = named({"**": keywords.get("kwargs", args[1] if len(args) > 1 else CLEAN)})
        args, keywords = tuple(part for _, part in given.items()), by_name
    if any(_is_bound(target.scope) for target in targets):
        args = (CLEAN, *args)
    run.invoke(targets, args, (), keywords, _Site(op.at))
    return CLEAN


def _is_bound(scope: Any) -> bool:
    """Tell whether a task takes itself as its first argument: ``@app.task(bind=True)``."""
    marks = [mark for mark in getattr(scope, "decorators", ()) if isinstance(mark, ast.Call)]
    return any(
        keyword.arg == "bind" and getattr(keyword.value, "value", False) is True
        for mark in marks
        for keyword in mark.keywords
    )


def _keep(run: Any, key: str, value: Value, at: Place) -> None:
    """Put a value into a cell, constants too: a template may show what is known to be harmless."""
    note = f"kept as {key.removeprefix('flask.')}"
    run.result.share(key, value.refined(lambda taint: taint.hop(at, note)))


def _extends(op: Store) -> bool:
    """Tell whether something is stored among an application's extensions: ``app.extensions["mail"] = self``."""
    written = getattr(op.at, "targets", ()) if op.part[0] == "[" else ()
    return any(getattr(getattr(one, "value", None), "attr", "") == "extensions" for one in written)


def _keeper(name: str, value: Value) -> str:
    """Return ``flask.g`` or ``flask.session`` where one of them is meant."""
    if name not in _KEPT and value.name not in _KEPT:
        return ""
    return next(one for one in _KEPT if one in (name, value.name))


def _key(run: Any, op: Load | Store) -> str:
    part: str = run.part(op)
    return part.strip(".[]'\"") if part not in ("[*]", "[:]", "[each]") else ""
