"""What no view hands anything to, as far as the code shows: the functions that the flows do not look at."""

from __future__ import annotations

from collections.abc import Callable

from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.module import Kind
from stopper.source.project import Project
from stopper.taint.flows import every


def unseen_by_flows(project: Project) -> Callable[[Call], bool]:
    """Return a test whether a call stands in application code that no view and nothing else in the project calls."""
    views = {
        id(view) for route in project.routes.routes for view in (route.view, *route.handlers.values()) if view
    }
    followed = views | every(project).called

    def test(call: Call) -> bool:
        if call.module.role is not Role.APP:
            return False
        around = [scope for scope in call.scope.chain() if scope.kind is Kind.FUNCTION]
        return not any(
            id(scope) in followed or any(True for _ in project.code.every_call(scope.name))
            for scope in around
        )

    return test
