"""Model what Flask's own objects, and those of the API extensions, do when routes are registered on them."""

from __future__ import annotations

import ast
import functools
from typing import Any

from stopper.finding import Location
from stopper.source.routes_admin import admin_rules, index_rules
from stopper.source.routes_eval import Evaluator
from stopper.source.routes_interest import HOOKS
from stopper.source.routes_libraries import (
    MADE,
    Exposed,
    class_routes,
    default_endpoint,
    namespace_of,
)
from stopper.source.routes_objects import (
    Bound,
    Class,
    ClassView,
    Env,
    External,
    Function,
    Instance,
    Mount,
    Node,
    RawHook,
    RawRule,
    Super,
    Unknown,
    view_of,
)
from stopper.source.routes_pure import BUILTINS
from stopper.source.routes_run import MISSING

VERBS = ("get", "post", "put", "delete", "patch")


class Registrar(Evaluator):
    """Record every rule, hook and mount that running the project on paper comes by."""

    nodes: list[Node]
    current: Node | None = None

    def where(self, node: ast.AST, env: Env) -> Location:
        """Return the place of a call."""
        return env.module.location(node)

    def construct(self, cls: Class, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Return a new object of a project class: a node when a known class is among its bases."""
        made = next((MADE[known] for dotted in cls.external() if (known := _known(dotted))), None)
        target: Node | Instance = Instance(cls)
        if made is not None:
            target = self._make(made, node, env)
            target.cls = cls
        init = cls.find("__init__")
        if isinstance(init, Function):
            self.enter_once(init, target, args, kwargs)
        elif isinstance(target, Node):
            self.initialise(target, args, kwargs, node, env)
        else:
            target.attrs.update(__args__=tuple(args), __given__=kwargs)
        return target

    def enter_once(self, init: Function, target: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Run a constructor of the project."""
        if (
            isinstance(target, Node)
            or id(init.node) in self.interest.hot
            or len(getattr(init.node, "body", [])) < 15
        ):
            self.enter(init, [target, *args], kwargs)

    def _make(self, made: tuple[str, str], node: ast.AST, env: Env) -> Node:
        fresh = Node(made[0], self.where(node, env), made[1])
        self.nodes.append(fresh)
        if fresh.kind == "app" and self.current is None:
            self.current = fresh
        return fresh

    def initialise(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> None:
        """Do what the constructor of Flask, Blueprint, Api or Namespace does."""
        first = args[0] if args else kwargs.get("name", kwargs.get("app"))
        if target.kind in {"blueprint", "namespace"}:
            target.name = first if isinstance(first, str) else f"{{{getattr(first, 'text', '')}}}"
        if target.kind == "namespace":
            path = kwargs.get("path")
            target.prefix = path if isinstance(path, str) else "/" + target.name
        elif target.kind in {"api", "admin"}:
            self._initialise_api(target, first, args, kwargs, node, env)
        else:
            prefix = kwargs.get(
                "url_prefix", args[3] if target.kind == "blueprint" and len(args) > 3 else None
            )
            target.prefix = prefix if isinstance(prefix, str) else None

    def _initialise_api(
        self, target: Node, first: Any, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> None:
        prefix = kwargs.get("prefix", args[1] if len(args) > 1 and target.library == "flask_restful" else "")
        target.prefix = prefix if isinstance(prefix, str) else ""
        if isinstance(kwargs.get("url"), str):
            target.prefix = kwargs["url"]
        if target.library == "flask_admin":
            target.rules.extend(index_rules(target, kwargs.get("index_view"), self.where(node, env)))
        target.attrs.setdefault("blueprint", first)
        host = kwargs.get("app", first)
        if isinstance(host, Node | Unknown):
            self.native(target, "init_app", [host], {}, node, env)

    def native(
        self, target: Node, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what a method of an app, blueprint or API gives."""
        if name == "__init__":
            self.initialise(target, args, kwargs, node, env)
            return None
        method = _METHODS.get(name)
        if method is not None:
            return method(self, target, args, kwargs, node, env)
        if name in VERBS and target.kind in {"app", "blueprint"}:
            return Bound(
                target, "_decorate", (), {"_args": args, "_kwargs": {**kwargs, "methods": [name.upper()]}}
            )
        if name in HOOKS:
            return self._hook(target, name, args, kwargs, node, env)
        return self.passed(args)

    def route(self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Do what ``route`` does on an app, blueprint or API."""
        del node, env
        return Bound(target, "_decorate", (), {"_args": args, "_kwargs": kwargs})

    def decorated(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``decorated`` does on an app, blueprint or API."""
        urls, given = kwargs["_args"], kwargs["_kwargs"]
        view = args[0] if args else None
        if isinstance(view_of(view), Class):
            self._class_rules(target, view_of(view), urls, given, node, env)
        else:
            rule = urls[0] if urls else given.get("rule")
            endpoint = given.get("endpoint", urls[1] if len(urls) > 1 else None)
            self._add(target, rule, endpoint, view, given, self.where(node, env), decorated=True)
        return view

    def _class_rules(
        self, target: Node, cls: Class, urls: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> None:
        name = kwargs.get("endpoint")
        endpoint = name if isinstance(name, str) else default_endpoint(target, cls.node.name)
        for url in urls:
            self._add(
                target, url, endpoint, ClassView(cls, endpoint), kwargs, self.where(node, env), decorated=True
            )

    def add_url_rule(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``add_url_rule`` does on an app, blueprint or API."""
        rule = args[0] if args else kwargs.get("rule")
        endpoint = args[1] if len(args) > 1 else kwargs.get("endpoint")
        view = args[2] if len(args) > 2 else kwargs.get("view_func")
        self._add(target, rule, endpoint, view, kwargs, self.where(node, env))

    def _add(
        self,
        target: Node,
        rule: Any,
        endpoint: Any,
        view: Any,
        kwargs: dict[str, Any],
        where: Location,
        *,
        decorated: bool = False,
    ) -> None:
        text = rule if isinstance(rule, str) else f"{{{rule.text}}}" if isinstance(rule, Unknown) else None
        if text is None:
            return
        methods = kwargs.get("methods")
        if isinstance(methods, list | tuple | set) and all(isinstance(method, str) for method in methods):
            declared: tuple[str, ...] | None = tuple(sorted({method.upper() for method in methods}))
        else:
            declared = None
        name = (
            endpoint
            if isinstance(endpoint, str)
            else getattr(view_of(view), "name", "")
            if view is not None
            else ""
        )
        target.rules.append(RawRule(text, declared, name, view, where, decorated))

    def add_resource(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``add_resource`` does on an app, blueprint or API."""
        cls = view_of(args[0]) if args else None
        if isinstance(cls, Class):
            self._class_rules(target, cls, args[1:], kwargs, node, env)

    def resource(self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Do what ``resource`` does on an app, blueprint or API."""
        return self.route(target, args, kwargs, node, env)

    def register_blueprint(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``register_blueprint`` does on an app, blueprint or API."""
        child = args[0] if args else kwargs.get("blueprint")
        if isinstance(child, Node):
            prefix, name = kwargs.get("url_prefix"), kwargs.get("name")
            self._mount(target, child, prefix, name, self.where(node, env))

    def _mount(self, target: Node, child: Node, prefix: Any, name: Any, where: Location) -> None:
        if child is target or any(
            mount.child is child and mount.location == where for mount in target.mounts
        ):
            return
        child.mounted = True
        text = (
            prefix
            if isinstance(prefix, str)
            else f"{{{prefix.text}}}"
            if isinstance(prefix, Unknown)
            else None
        )
        target.mounts.append(Mount(child, text, name if isinstance(name, str) else None, where))

    def init_app(self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Do what ``init_app`` does on an app, blueprint or API."""
        host = args[0] if args else kwargs.get("app")
        if isinstance(host, Unknown) and target.kind in {"api", "admin"}:
            host = self.adopt(host, node, env) if host.parameter else None
        if isinstance(host, Node) and target.kind != "app":
            self._mount(host, target, None, None, self.where(node, env))

    def add_namespace(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``add_namespace`` does on an app, blueprint or API."""
        child = args[0] if args else kwargs.get("ns")
        path = args[1] if len(args) > 1 else kwargs.get("path")
        if isinstance(child, Node):
            self._mount(target, child, path, None, self.where(node, env))

    def namespace(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``namespace`` does on an app, blueprint or API."""
        fresh = self._make(("namespace", target.library), node, env)
        self.initialise(fresh, args, kwargs, node, env)
        self._mount(target, fresh, None, None, self.where(node, env))
        return fresh

    def endpoint(self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Do what ``endpoint`` does on an app, blueprint or API."""
        del node, env
        return Bound(target, "_endpoint", tuple(args or kwargs.values()))

    def bound_endpoint(
        self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Do what ``bound_endpoint`` does on an app, blueprint or API."""
        del kwargs, node, env
        if len(args) == 2 and isinstance(args[0], str):
            target.views[args[0]] = args[1]
        return args[-1] if args else None

    def url_map_add(self, target: Node, rule: Any, where: Location) -> None:
        """Record ``app.url_map.add(Rule(...))``."""
        if isinstance(rule, External) and rule.dotted.endswith("Rule"):
            path = rule.args[0] if rule.args else rule.kwargs.get("string")
            self._add(target, path, rule.kwargs.get("endpoint"), None, rule.kwargs, where)

    def add_view(self, target: Node, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Do what ``add_view`` does on an app, blueprint or API."""
        view = args[0] if args else None
        target.rules.extend(admin_rules(view, target, kwargs, self.where(node, env)))

    def _hook(
        self, target: Node, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        view = view_of(args[-1]) if args else None
        if not isinstance(view, Function | ClassView):
            return Bound(target, name, tuple(args), kwargs)
        argument = args[0] if len(args) > 1 else kwargs.get("name")
        target.hooks.append(RawHook(name, view, self.where(node, env), argument))
        return args[-1]

    def external(
        self, target: External, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what something of another package gives when it is called."""
        known = _known(target.dotted)
        if known:
            fresh = self._make(MADE[known], node, env)
            self.initialise(fresh, args, kwargs, node, env)
            return fresh
        last = target.dotted.rpartition(".")[2]
        if target.dotted.startswith("builtins."):
            return self._builtin(last, args, kwargs, node, env)
        if last in {"partial", "wraps"} and args:
            return Bound(args[0], last, tuple(args[1:]), kwargs)
        if last in {"expose", "expose_plugview"} or (
            last == "route" and target.dotted.startswith(("flask_class", "flask_appb"))
        ):
            return Exposed(tuple(args), kwargs)
        if last == "Rule" or target.dotted.startswith(("flask_admin.", "flask_appbuilder.")):
            return External(target.dotted, tuple(args), kwargs)
        if target.dotted.startswith("flask.current_app."):
            return self.native(self.adopt(Unknown(), node, env), last, args, kwargs, node, env)
        passed = self.passed(args)
        return External(f"{target.dotted}()") if isinstance(passed, Unknown) else passed

    def _builtin(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        if name == "getattr" and len(args) > 1 and isinstance(args[1], str):
            value = self.get(args[0], args[1])
            return (args[2] if len(args) > 2 else Unknown()) if value is MISSING else value
        if name == "setattr" and len(args) == 3 and isinstance(args[0], Instance | Class | Function | Node):
            args[0].attrs[str(args[1])] = args[2]
            return None
        if name == "type" and len(args) == 1 and isinstance(args[0], Instance):
            return args[0].cls
        if name in BUILTINS and not any(isinstance(arg, Unknown | External | Bound) for arg in args):
            kind = BUILTINS[name]
            return self.call(_made(kind) if isinstance(kind, type) else kind, args, kwargs, node, env)
        return args[0] if name in {"list", "tuple", "sorted"} and args else self.passed(args)

    def guess(
        self, target: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what a method gives of an object nothing is known of."""
        if isinstance(target, Bound) and isinstance(target.target, Node):
            return self.passed(args)
        if isinstance(target, Instance | Super):
            holder = target.target if isinstance(target, Super) else target
            return (
                self.native(holder, name, args, kwargs, node, env)
                if isinstance(holder, Node)
                else self.passed(args)
            )
        if isinstance(target, Class):
            return self._of_class(target, name, args, kwargs, node, env)
        if isinstance(target, Unknown) and (_takes_node(name, args) or _takes_rule(target, name, args)):
            return self.native(self.adopt(target, node, env), name, args, kwargs, node, env)
        return Exposed(tuple(args), kwargs) if name == "__exposed__" else self.passed(args)

    def _of_class(
        self, target: Class, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        if name == "as_view":
            text = args[0] if args else kwargs.get("name", "")
            named = [(key, value) for key, value in kwargs.items() if key != "name" or args]
            given = (*((str(place), value) for place, value in enumerate(args[1:])), *named)
            return ClassView(target, text if isinstance(text, str) else target.node.name, given)
        if name == "register" and args and isinstance(args[0], Node):
            args[0].rules.extend(class_routes(target, kwargs, self.where(node, env)))
            return None
        if name == "__init__" and args and isinstance(args[0], Node):
            self.initialise(args[0], args[1:], kwargs, node, env)
        return self.passed(args)

    def adopt(self, value: Unknown, node: ast.AST, env: Env) -> Node:
        """Take an unknown object for the project's app."""
        if value.node is None:
            value.node = self.current or self._make(("app", "flask"), node, env)
        return value.node

    def call(self, target: Any, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Return what calling ``target`` gives, minding ``app.url_map.add`` and exposed methods."""
        if isinstance(target, Exposed):
            view = view_of(args[0]) if args else None
            if isinstance(view, Function):
                view.attrs.setdefault("__exposed__", []).append(target)
            return args[0] if args else None
        func = node.func if isinstance(node, ast.Call) else None
        if isinstance(func, ast.Attribute) and func.attr == "add" and args and target is not None:
            holder = self.eval(func.value, env) if isinstance(args[0], External) else None
            if isinstance(holder, Bound) and holder.function == "url_map" and isinstance(holder.target, Node):
                self.url_map_add(holder.target, args[0], self.where(node, env))
        return super().call(target, args, kwargs, node, env)


def _made(kind: type) -> Any:
    return functools.partial(kind)


def _known(dotted: str) -> tuple[str, str] | None:
    return namespace_of(dotted)


def _takes_node(name: str, args: list[Any]) -> bool:
    return name in {"register_blueprint", "register_api"} and bool(args) and isinstance(args[0], Node)


def _takes_rule(target: Unknown, name: str, args: list[Any]) -> bool:
    path = bool(args) and isinstance(args[0], str) and args[0].startswith("/")
    return target.parameter and name in {"route", "add_url_rule"} and path


_METHODS = {
    "route": Registrar.route,
    "_decorate": Registrar.decorated,
    "add_url_rule": Registrar.add_url_rule,
    "add_resource": Registrar.add_resource,
    "resource": Registrar.resource,
    "register_blueprint": Registrar.register_blueprint,
    "init_app": Registrar.init_app,
    "add_namespace": Registrar.add_namespace,
    "namespace": Registrar.namespace,
    "endpoint": Registrar.endpoint,
    "_endpoint": Registrar.bound_endpoint,
    "view_functions[]": Registrar.bound_endpoint,
    "add_view": Registrar.add_view,
    "add_view_no_menu": Registrar.add_view,
    "add_api": Registrar.add_view,
}
