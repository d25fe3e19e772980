"""Tell which functions can register a route, so that only those are followed."""

from __future__ import annotations

from collections.abc import Iterable

from stopper.source.module import Kind, Module, Scope

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
        "route register_blueprint add_url_rule add_resource add_namespace as_view endpoint expose "
        "expose_plugview add_view add_view_no_menu add_api add_views view_functions url_map "
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


class Interest:
    """Know the functions from which a registration can be reached by name."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Index the functions of the modules and follow their calls by name to a fixed point."""
        self.words: dict[int, set[str]] = {}
        self.functions: list[Scope] = []
        for module in modules:
            for scope in module.scopes:
                if scope.kind is Kind.FUNCTION:
                    self.functions.append(scope)
                    self.words[id(scope.node)] = scope.words
        self.hot: set[int] = {key for key, names in self.words.items() if names & STARTS}
        self._spread()

    def _spread(self) -> None:
        names = set(STARTS)
        while True:
            fresh = {_called_as(scope) for scope in self.functions if id(scope.node) in self.hot}
            fresh -= names | {"get", "<lambda>", "__call__", "wrapper", "decorator", "inner"}
            if not fresh:
                return
            names |= fresh
            self.hot |= {key for key, own in self.words.items() if own & fresh}

    def directly(self, scope: Scope) -> bool:
        """Tell whether the function itself registers or makes something."""
        return bool(self.words.get(id(scope.node), set()) & STARTS)


def _called_as(scope: Scope) -> str:
    if scope.name == "__init__" and scope.owner is not None:
        return scope.owner.name
    return scope.name
