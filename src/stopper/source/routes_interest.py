"""Tell which functions can register a route, so that only those are followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stopper.source.module import CallNode, Kind, Module, Scope
from stopper.source.names import Names, RefKind

HOOKS = frozenset(
    (
        "before_request before_app_request after_request after_app_request teardown_request "
        "teardown_app_request teardown_appcontext before_first_request before_app_first_request "
        "errorhandler app_errorhandler register_error_handler context_processor app_context_processor "
        "template_filter app_template_filter template_global app_template_global template_test "
        "app_template_test url_value_preprocessor app_url_value_preprocessor url_defaults "
        "app_url_defaults add_template_filter add_template_global add_template_test "
        "add_app_template_filter add_app_template_global add_app_template_test shell_context_processor"
    ).split()
)
"""Names of the methods with which an app or blueprint takes a hook."""

REGISTERS = frozenset(
    (
        "route register_blueprint add_url_rule add_resource add_namespace as_view expose "
        "expose_plugview add_view add_view_no_menu add_api add_views view_functions "
        "register_view"
    ).split()
)
MAKES = frozenset(
    [
        "Flask",
        "Blueprint",
        "Api",
        "Namespace",
        "APIFlask",
        "APIBlueprint",
        "OpenAPI",
        "FlaskAPI",
        "Admin",
        "AppBuilder",
    ]
)

STARTS = REGISTERS | MAKES | HOOKS

_CALLED = "endpoint"
"""Registers where it is called, ``@app.endpoint("x")``; ``request.endpoint`` is only read."""
_MAP = frozenset(("url_map", "add"))
"""Register together, ``app.url_map.add(Rule(...))``; alone the map is only read."""


_ANYTHING = frozenset(("get", "<lambda>", "__call__", "wrapper", "decorator", "inner"))
"""Names by which a call says nothing of what it calls."""


class Interest:
    """Know the functions from which a registration can be reached."""

    def __init__(self, modules: Sequence[Module], names: Names) -> None:
        """Index the functions of the modules and follow the calls of those that register to a fixed point."""
        self.names = names
        self.functions = [
            scope for module in modules for scope in module.scopes if scope.kind is Kind.FUNCTION
        ]
        self.starting = {id(scope.node) for scope in self.functions if _starts(scope.words)}
        self._calls: dict[str, list[CallNode]] = {}
        for module in modules:
            for last, calls in module.calls.items():
                self._calls.setdefault(last, []).extend(calls)
        for call in self._calls.get(_CALLED, ()):
            self.starting |= {id(scope.node) for scope in call.scope.chain()}
        self.hot = set(self.starting)
        self._spread()

    def directly(self, scope: Scope) -> bool:
        """Tell whether the function itself registers or makes something."""
        return id(scope.node) in self.starting

    def _spread(self) -> None:
        waiting = [scope for scope in self.functions if id(scope.node) in self.hot]
        while waiting:
            for caller in self._callers(waiting.pop()):
                outer: Scope | None = caller
                while outer is not None:
                    if outer.kind is Kind.FUNCTION and id(outer.node) not in self.hot:
                        self.hot.add(id(outer.node))
                        waiting.append(outer)
                    outer = outer.parent

    def _callers(self, scope: Scope) -> Iterator[Scope]:
        name = _called_as(scope)
        if name in _ANYTHING:
            return
        for call in self._calls.get(name, ()):
            caller = call.scope.function
            if caller is not None and id(caller.node) not in self.hot and self._may_mean(call, scope):
                yield caller
        if any("property" in getattr(mark, "attr", getattr(mark, "id", "")) for mark in scope.decorators):
            yield from (function for function in self.functions if name in function.words)

    def _may_mean(self, call: CallNode, scope: Scope) -> bool:
        """Tell whether a call may call the function, or an override of it; where nothing is known, the name decides."""
        ref = self.names.resolve(call.node.func, call.scope)
        if ref is None or ref.scope is None:
            return ref is None or ref.name.partition(".")[0] in self.names.tops
        if ref.scope in (scope, scope.owner):
            return True
        if ref.kind is RefKind.CLASS:
            return any(base.scope is scope.owner for base in self.names.bases(ref.scope))
        if ref.kind is not RefKind.FUNCTION or ref.scope.owner is None or scope.owner is None:
            return False
        return any(base.scope is ref.scope.owner for base in self.names.bases(scope.owner))


def _starts(words: set[str]) -> bool:
    return not words.isdisjoint(STARTS) or words >= _MAP


def _called_as(scope: Scope) -> str:
    if scope.name == "__init__" and scope.owner is not None:
        return scope.owner.name
    return scope.name
