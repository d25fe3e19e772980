"""Know the texts that an app's author wrote, to tell them from what a request brought by chance in the same words.

They are the string constants of the app's functions, classes and modules, and of the functions that are running. They are gathered
only when a statement is about to be stopped, and once for as long as no further module is loaded.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import Flask

MOST: Final = 100_000
"""How many objects of an app are looked at."""


class Authored:
    """Hold the texts of one app's author."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._known = ""
        self._modules = 0

    def wrote(self, text: str, times: int) -> bool:
        """Tell whether a text stands in the author's own at least as often as it stands in a statement."""
        running = "\0".join(dict.fromkeys(_running()))
        return self._gather().count(text) + running.count(text) >= times

    def has(self, text: str) -> bool:
        """Tell whether the author wrote exactly this text."""
        return f"\0{text}\0" in self._gather() or text in _running()

    def _gather(self) -> str:
        """Return all texts with NUL around each, gathered again once a module was loaded."""
        if self._modules != len(sys.modules):
            self._modules = len(sys.modules)
            self._known = "\0".join(("", *self._gathered(), ""))
        return self._known

    def _gathered(self) -> Iterator[str]:
        """Yield the texts in the modules of the app and of its blueprints."""
        names = (self._app.import_name, *(one.import_name for one in self._app.blueprints.values()))
        packages = {name.partition(".")[0] for name in names}
        modules = [
            module for name, module in tuple(sys.modules.items()) if name.partition(".")[0] in packages
        ]
        todo: list[Any] = [one for module in modules for one in vars(module).values()]
        seen: set[int] = set()
        while todo and len(seen) < MOST:
            one = todo.pop()
            if isinstance(one, str):
                yield one
            elif id(one) not in seen:
                seen.add(id(one))
                todo += _inside(one, packages)


def _inside(one: Any, packages: set[str]) -> Iterable[Any]:
    """Return what an object holds that its author wrote."""
    if isinstance(one, types.CodeType):
        return one.co_consts
    if isinstance(one, types.FunctionType):
        wrapped = one.__dict__.get("__wrapped__")
        return (
            (one.__code__, *(one.__defaults__ or ()), wrapped)
            if wrapped
            else (one.__code__, *(one.__defaults__ or ()))
        )
    if isinstance(one, staticmethod | classmethod):
        return (one.__func__,)
    if isinstance(one, type):
        return tuple(vars(one).values()) if one.__module__.partition(".")[0] in packages else ()
    if isinstance(one, dict):
        return tuple(one.values())
    return tuple(one) if isinstance(one, list | tuple | set | frozenset) else ()


def _running() -> Iterator[str]:
    """Yield the text constants of the functions that are running for the request, from here out to Flask."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not Flask.wsgi_app.__code__:
        yield from (one for one in frame.f_code.co_consts if isinstance(one, str))
        frame = frame.f_back
