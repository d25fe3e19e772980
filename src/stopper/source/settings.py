"""Answer what the settings of a project hold in production, wherever they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.branches import ANY, PRODUCTION
from stopper.source.code import Code
from stopper.source.files import Tree
from stopper.source.settings_code import Loaded, load
from stopper.source.settings_files import commands_in, variables_in
from stopper.source.settings_model import Command, ProxyFile, Setting, Variable, constant
from stopper.source.settings_proxies import proxies_in
from stopper.source.values import State


@dataclass(frozen=True)
class Settings:
    """Every setting that the project's code and files give a value, how the app is started, and what stands before it."""

    settings: tuple[Setting, ...]
    unreadable: list[Location]
    """Where configuration is loaded that cannot be read here: a setting may then be set although none is found."""
    variables: tuple[Variable, ...] = ()
    """The environment variables that files of the project set."""
    commands: tuple[Command, ...] = ()
    proxies: tuple[ProxyFile, ...] = ()

    @cached_property
    def _by_key(self) -> dict[str, list[Setting]]:
        found: dict[str, list[Setting]] = {}
        for setting in self.settings:
            found.setdefault(setting.key, []).append(setting)
        return found

    @property
    def keys(self) -> frozenset[str]:
        """Return the names of all settings that are given a value anywhere."""
        return frozenset(self._by_key)

    def of(self, key: str) -> list[Setting]:
        """Return every place that sets ``key``, in whatever environment."""
        return list(self._by_key.get(key, ()))

    def in_production(self, key: str) -> list[Setting]:
        """Return the places whose value of ``key`` can hold in production; of several in one function, the last."""
        return list(self._holding.get(key, ()))

    @cached_property
    def _holding(self) -> dict[str, list[Setting]]:
        return {key: self._in_production(key) for key in self._by_key}

    def _in_production(self, key: str) -> list[Setting]:
        chosen = [one for one in self.of(key) if one.environment in {ANY, PRODUCTION}]
        groups: dict[tuple[str, str], list[Setting]] = {}
        for setting in chosen:
            groups.setdefault(setting.order[:2], []).append(setting)
        return [setting for group in groups.values() for setting in _surviving(group)]

    def is_set(self, key: str) -> bool:
        """Tell whether ``key`` is given a value that can hold in production."""
        return bool(self.in_production(key))

    def variable(self, name: str) -> list[Variable]:
        """Return the places that set an environment variable."""
        return list(self._variables.get(name, ()))

    @cached_property
    def _variables(self) -> dict[str, list[Variable]]:
        found: dict[str, list[Variable]] = {}
        for one in self.variables:
            found.setdefault(one.name, []).append(one)
        return found


def _surviving(group: list[Setting]) -> list[Setting]:
    kept: list[Setting] = []
    for setting in sorted(group, key=lambda one: one.order[2]):
        if setting.how == "setdefault" and any(not one.conditional for one in kept):
            continue
        same_load = [
            one for one in kept if one.order == setting.order and one.environment != setting.environment
        ]
        alone = not setting.conditional and setting.environment == ANY
        kept = [setting] if alone and not same_load else [*kept, setting]
    specific = [one for one in kept if one.environment == PRODUCTION and not one.conditional]
    return specific[-1:] if specific and specific[-1] is kept[-1] else kept


def read(tree: Tree, code: Code) -> Settings:
    """Return the settings of a project."""
    variables = tuple(variables_in(tree))
    loaded = load(tree, code, variables)
    settings = _dedupe(loaded.settings)
    settings.extend(_from_variables(settings, loaded, variables))
    return Settings(
        tuple(settings), loaded.unreadable, variables, tuple(commands_in(tree, code)), tuple(proxies_in(tree))
    )


def _dedupe(settings: Iterable[Setting]) -> list[Setting]:
    """Merge what several configurations inherit from one line: it holds in production if it does in any of them."""
    merged: dict[tuple[str, Location], Setting] = {}
    for setting in settings:
        key = (setting.key, setting.location)
        before = merged.get(key)
        if before is None:
            merged[key] = setting
        elif before.environment != setting.environment:
            live = {before.environment, setting.environment} & {ANY, PRODUCTION}
            merged[key] = replace(before, environment=ANY if live else before.environment)
    return list(merged.values())


def _from_variables(
    settings: list[Setting], loaded: Loaded, variables: tuple[Variable, ...]
) -> Iterable[Setting]:
    """Yield what environment files say of settings that are read from the environment as they are."""
    reads: dict[str, list[Setting]] = {}
    for setting in settings:
        if setting.value.state is State.ENVIRONMENT and setting.value.variable and _is_bare(setting):
            reads.setdefault(setting.value.variable, []).append(setting)
    for one in variables:
        keys = {setting.key for setting in reads.get(one.name, ())}
        keys |= {one.name.removeprefix(prefix) for prefix in loaded.prefixes if one.name.startswith(prefix)}
        if one.name == "FLASK_DEBUG":
            keys.add("DEBUG")
        for key in sorted(keys):
            order = (one.location.path, "", one.location.line)
            yield Setting(
                key,
                constant(one.value),
                one.location,
                one.environment,
                one.how,
                one.location.path,
                None,
                order,
            )


def _is_bare(setting: Setting) -> bool:
    node = setting.expr.node if setting.expr is not None else None
    if isinstance(node, ast.BoolOp):
        node = node.values[0]
    return isinstance(node, ast.Subscript) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute | ast.Name)
        and _last(node.func) in {"get", "getenv"}
    )


def _last(func: ast.Attribute | ast.Name) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id
