"""What no view hands anything to, as far as the code shows: the functions that the flows do not look at."""

from __future__ import annotations

import re
from collections.abc import Callable

from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.module import Kind, Scope
from stopper.source.project import Project
from stopper.taint.flows import every
from stopper.taint.listeners import listeners


def unseen_by_flows(project: Project) -> Callable[[Call], bool]:
    """Return a test whether a call stands in application code that no view and nothing else in the project calls or hands over."""
    views = {
        id(view) for route in project.routes.routes for view in (route.view, *route.handlers.values()) if view
    }
    followed = views | every(project).called
    followed |= {id(scope) for scope, _ in listeners(project)}

    def test(call: Call) -> bool:
        if call.module.role is not Role.APP:
            return False
        around = [scope for scope in call.scope.chain() if scope.kind is Kind.FUNCTION]
        return not any(
            id(scope) in followed or project.code.is_handed(scope.name) or _is_called(scope, project)
            for scope in around
        )

    return test


def _is_called(scope: Scope, project: Project) -> bool:
    """Tell whether a call of the project may be one of this function."""
    if scope.owner is not None and _is_unnamed(scope.owner, project):
        return False
    return any(_may_be_own(call, project) for call in project.code.every_call(scope.name))


def _is_unnamed(owner: Scope, project: Project) -> bool:
    """Tell whether nothing in the project names a class but its own definition: only a framework can make one."""
    texts = (module.text.content for module in project.modules)
    return (
        sum(len(re.findall(rf"\b{re.escape(owner.name)}\b", text)) for text in texts if owner.name in text)
        == 1
    )


def _may_be_own(call: Call, project: Project) -> bool:
    """Tell whether what a call names may be the project's, and is not a library's."""
    top = call.name.partition(".")[0].partition("(")[0]
    return not top or top in project.code.names.tops
