"""Lookups: calls that fetch a row of a model of the project by an id alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.records import dataclass
from stopper.rules._posture import own_calls
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.module import Kind, Scope
from stopper.source.project import Project

_BY_KEY = (
    "flask_sqlalchemy.SQLAlchemy().get_or_404", "flask_sqlalchemy.SQLAlchemy().session.get", "flask_sqlalchemy.SQLAlchemy().session.get_one",
    "sqlalchemy.orm.Session().get", "flask_sqlalchemy.SQLAlchemy().Model.query.get",
    "flask_sqlalchemy.SQLAlchemy().Model.query.get_or_404",
)  # fmt: skip
_NARROWING = ("filter_by", "filter", "where")
_QUERIED = re.compile(r"(?:^|\.)(\w+)\.query$|\b(?:query|select)\(\s*(?:\w+\.)*(\w+)\s*\)$")
"""What a condition is put on: all rows of one model, nothing narrower."""
_EQUAL = re.compile(r"^(?:\w+\.)*(\w+)\.(\w+)\s*==\s*(.+)$", re.DOTALL)
_KEY = re.compile(r"^(?:id|pk|uuid|\w+_id)$")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A call that fetches a row by its id."""

    call: Call
    model: Scope
    wanted: str
    """The text of the id."""


def lookups(project: Project) -> Iterator[Lookup]:
    """Yield the lookups of application code in models of the project: ``Order.query.get(number)``, ``.filter_by(id=number)``."""
    models = {
        scope.name: scope for module in project.modules for scope in module.scopes if scope.kind is Kind.CLASS
    }
    named = (f"*.{name}.query.{way}" for name in models for way in ("get", "get_or_404"))
    for call in own_calls(project, *_BY_KEY, *named):
        model = _model(call, models)
        if model is not None and call.arguments:
            yield Lookup(call, model, call.arguments[-1].source)
    for call in project.code.calls_holding(*[f".{way}(" for way in _NARROWING]):
        found = _narrowed(call, models) if call.module.role is Role.APP else None
        if found is not None:
            yield found


def _model(call: Call, models: dict[str, Scope]) -> Scope | None:
    if len(call.arguments) > 1:
        return models.get(call.arguments[0].source.rpartition(".")[2])
    return next((models[part] for part in call.target.source.split(".") if part in models), None)


def _narrowed(call: Call, models: dict[str, Scope]) -> Lookup | None:
    """Return a lookup by one condition: that the id of a model equals something."""
    queried = _QUERIED.search(call.receiver.source) if call.receiver is not None else None
    conditions = [*call.keywords.items()]
    if queried is None or call.target.source.rpartition(".")[2] not in _NARROWING or call.has_star:
        return None
    model = models.get(queried[1] or queried[2])
    if model is None or len(call.arguments) + len(conditions) != 1:
        return None
    if conditions:
        key, wanted = conditions[0][0], conditions[0][1].source
    else:
        equal = _EQUAL.match(call.arguments[0].source)
        if equal is None or equal[1] != model.name:
            return None
        key, wanted = equal[2], equal[3]
    return Lookup(call, model, wanted) if _KEY.match(key) else None
