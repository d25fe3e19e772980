"""What no view hands anything to, as far as the code shows: the functions that the flows do not look at."""

from __future__ import annotations

from collections.abc import Callable

from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.module import Kind
from stopper.source.project import Project
from stopper.taint.flows import every


def unseen_by_flows(project: Project) -> Callable[[Call], bool]:
    """Return a test whether a call stands in application code that no view and nothing else in the project calls or hands over."""
    views = {
        id(view) for route in project.routes.routes for view in (route.view, *route.handlers.values()) if view
    }
    followed = views | every(project).called

    def test(call: Call) -> bool:
        if call.module.role is not Role.APP:
            return False
        around = [scope for scope in call.scope.chain() if scope.kind is Kind.FUNCTION]
        return not any(
            id(scope) in followed
            or project.code.is_handed(scope.name)
            or any(_may_be_own(one, project) for one in project.code.every_call(scope.name))
            for scope in around
        )

    return test


def _may_be_own(call: Call, project: Project) -> bool:
    """Tell whether what a call names may be the project's, and is not a library's."""
    top = call.name.partition(".")[0].partition("(")[0]
    return not top or top in project.code.names.tops
