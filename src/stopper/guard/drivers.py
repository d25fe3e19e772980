"""Show each statement to a hook before a database driver sees it.

The drivers are sqlite3, psycopg, psycopg2, PyMySQL, mysqlclient and MySQL Connector, and every driver under SQLAlchemy. A driver is
touched when it is imported, or at once where it is; one that the app does not use is never loaded. A driver written in Python
gets its cursor's methods wrapped; for one written in C, ``connect`` returns a subclass of the connection that was asked for, so
that ``isinstance``, factories, row factories and context managers go on as before. Bound parameters are not looked at.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import Any, Final

Hook = Callable[[Any, str, Any, bool, Any], None]
"""What is called with the statement as the app gave it, the dialect, the cursor or the connection, whether the driver itself puts
bound values into the text, and SQLAlchemy's compiled statement where there is one."""

INTERPOLATING: Final = frozenset(("psycopg2", "pymysql", "mysqldb", "mysqlconnector"))
"""SQLAlchemy's names of the drivers that put bound values into the text."""

METHODS: Final = ("execute", "executemany", "executescript", "copy", "copy_expert", "stream")
"""Methods of a cursor whose first argument is a statement."""

_inside: ContextVar[bool] = ContextVar("stopper_inside_driver", default=False)
"""Whether a driver runs: the statements that it makes of one it was given are its own."""

_watched: Final[set[str]] = set()
"""The modules that were touched. A module is one for the whole process, however many apps are guarded."""


def watch(hook: Hook) -> None:
    """Show statements to a hook from now on, those of drivers that are imported later too."""
    for name, touch in TOUCHES.items():
        if name in sys.modules:
            _touch(name, sys.modules[name], functools.partial(touch, hook))
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(hook))


class _Finder(importlib.abc.MetaPathFinder):
    """Find nothing, but see to it that a driver is touched as soon as it is loaded."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the specification that the other finders give, with a loader that touches what it loaded."""
        touch = TOUCHES.get(fullname)
        if touch is None or fullname in _watched:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                _after_loading(spec, functools.partial(touch, self._hook))
                return spec
        return None


def _after_loading(spec: importlib.machinery.ModuleSpec, touch: Callable[[ModuleType], None]) -> None:
    """Have a module touched when its loader has run it."""
    loader: Any = spec.loader
    if loader is None:
        return
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        if module.__name__ == spec.name:
            _touch(spec.name, module, touch)

    loader.exec_module = exec_module


def _touch(name: str, module: ModuleType, touch: Callable[[ModuleType], None]) -> None:
    """Touch a module once."""
    if name not in _watched:
        _watched.add(name)
        touch(module)


def _sqlite(hook: Hook, module: ModuleType) -> None:
    """Have sqlite3's `connect` return guarded connections, wherever a reference to it was kept."""
    connect = module.connect

    @functools.wraps(connect)
    def guarded(database: Any, *args: Any, **kwargs: Any) -> Any:
        given = list(args)
        if len(given) > 4:
            given[4] = _subclass(given[4], module, hook)
        else:
            kwargs["factory"] = _subclass(kwargs.get("factory", module.Connection), module, hook)
        return connect(database, *given, **kwargs)

    _replace(connect, guarded)


def _subclass(factory: Any, module: ModuleType, hook: Hook) -> Any:
    """Return a guarded connection class in place of a class; another factory as it is."""
    if not isinstance(factory, type) or not issubclass(factory, module.Connection):
        return factory
    return _guarded_connection(factory, module.Cursor, hook)


@functools.cache
def _guarded_connection(base: Any, plain: Any, hook: Hook) -> Any:
    """Return a subclass of a sqlite3 connection whose cursors are guarded."""

    def cursor(self: Any, factory: Any = plain) -> Any:
        is_class = isinstance(factory, type) and issubclass(factory, plain)
        return base.cursor(self, _guarded(factory, "sqlite", hook) if is_class else factory)

    return _derived(_guarded(base, "sqlite", hook), base, cursor=cursor)


@functools.cache
def _guarded(base: Any, dialect: str, hook: Hook, interpolating: bool = False) -> Any:
    """Return a subclass of a class written in C whose methods show their statement first."""
    found = {
        name: _shown(getattr(base, name), dialect, hook, interpolating=interpolating)
        for name in METHODS
        if hasattr(base, name)
    }
    return _derived(base, base, **found)


def _derived(base: Any, like: Any, **members: Any) -> Any:
    """Return a subclass that calls itself as the class it stands for does."""
    own = {"__module__": like.__module__, "__qualname__": like.__qualname__, "__doc__": like.__doc__}
    return type(like.__name__, (base,), {**own, **members})


def _shown(method: Any, dialect: str, hook: Hook, *, interpolating: bool = False) -> Any:
    """Return a method that shows its statement, and then does what it did."""

    @functools.wraps(method)
    def shown(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return method(self, *args, **kwargs)
        statement = (
            args[0]
            if args
            else next((kwargs[name] for name in ("query", "operation", "sql") if name in kwargs), None)
        )
        bound = interpolating and bool((args[1:2] and args[1]) or kwargs)
        hook(statement, dialect, self, bound, None)
        token = _inside.set(True)
        try:
            return method(self, *args, **kwargs)
        finally:
            _inside.reset(token)

    return shown


def _replace(old: Any, new: Any) -> None:
    """Put a function in the place of another in every module that holds it."""
    for module in tuple(sys.modules.values()):
        for name, value in tuple(getattr(module, "__dict__", {}).items()):
            if value is old:
                setattr(module, name, new)


def _wrap(dialect: str, interpolating: bool, hook: Hook, module: ModuleType) -> None:
    """Wrap the methods of every cursor class that a module of Python code defines."""
    for kind in tuple(vars(module).values()):
        if not isinstance(kind, type) or not kind.__name__.endswith("Cursor"):
            continue
        for name in METHODS:
            method = vars(kind).get(name)
            if callable(method) and not hasattr(method, "__wrapped__"):
                setattr(kind, name, _shown(method, dialect, hook, interpolating=interpolating))


def _psycopg2(hook: Hook, module: ModuleType) -> None:
    """Have psycopg2's `connect` return guarded connections."""
    connect, plain = module.connect, module.extensions

    @functools.wraps(connect)
    def guarded(
        dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **kwargs: Any
    ) -> Any:
        factory = connection_factory or plain.connection
        if isinstance(factory, type):
            factory = _guarded_psycopg2(factory, plain.connection, plain.cursor, hook)
        return connect(dsn, connection_factory=factory, cursor_factory=cursor_factory, **kwargs)

    _replace(connect, guarded)


@functools.cache
def _guarded_psycopg2(base: Any, plain: Any, plain_cursor: Any, hook: Hook) -> Any:
    """Return a subclass of a psycopg2 connection whose cursors are guarded."""

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = list(args)
        asked = given[1] if len(given) > 1 else kwargs.get("cursor_factory")
        factory = asked or self.cursor_factory or (plain_cursor if base.cursor is plain.cursor else None)
        if isinstance(factory, type):
            factory = _guarded(factory, "postgresql", hook, True)
        if len(given) > 1:
            given[1] = factory
        elif factory is not None:
            kwargs["cursor_factory"] = factory
        made = base.cursor(self, *given, **kwargs)
        if factory is None:  # the connection's class chose: its cursors are classes of Python code
            kind: Any = type(made)
            made.__class__ = _guarded(kind, "postgresql", hook, True)
        return made

    return _derived(base, base, cursor=cursor)


def _sqlalchemy(hook: Hook, module: ModuleType) -> None:
    """Listen to every engine of SQLAlchemy, whatever its driver."""

    def before(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, _: bool) -> None:
        dialect = connection.dialect
        bound = dialect.driver in INTERPOLATING and bool(parameters)
        hook(statement, dialect.name, cursor, bound, getattr(context, "compiled", None))

    module.event.listen(module.engine.Engine, "before_cursor_execute", before)


TOUCHES: Final[dict[str, Callable[[Hook, ModuleType], None]]] = {
    "sqlite3": _sqlite,
    "psycopg": lambda hook, module: _wrap("postgresql", False, hook, module),
    "psycopg2": _psycopg2,
    "pymysql.cursors": lambda hook, module: _wrap("mysql", True, hook, module),
    "MySQLdb.cursors": lambda hook, module: _wrap("mysql", True, hook, module),
    "mysql.connector.cursor": lambda hook, module: _wrap("mysql", True, hook, module),
    "mysql.connector.cursor_cext": lambda hook, module: _wrap("mysql", True, hook, module),
    "sqlalchemy": _sqlalchemy,
}
"""What to do to each module once it is loaded."""
