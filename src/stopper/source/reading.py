"""Which Python files are read, and under which names: all but the tests, and of those the ones that other code imports.

Nothing of what a rule asks holds for tests, and they are half of the lines of a well-tested project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stopper.source.files import Role, SourceFile
from stopper.source.module import Module, read

_LAYOUTS = ("src/", "lib/", "python/")


class Reading:
    """The Python files of a target by the names under which the project imports them."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        """Take the files; what is not Python is passed over."""
        python = [file for file in files if file.path.endswith((".py", ".pyw"))]
        packages = {file.folder for file in python if file.name == "__init__.py"}
        self.files = [(file, module_name(file, packages)) for file in python]
        self._read: dict[str, Module] = {}

    @property
    def left_out(self) -> bool:
        """Tell whether something was not read so far."""
        return len(self._read) < len(self.files)

    def without_tests(self) -> list[Module]:
        """Read all but the tests, and the tests that the rest imports, directly or through one another."""
        tests: dict[str, list[SourceFile]] = {}
        for file, name in self.files:
            if file.role is Role.TEST:
                tests.setdefault(name, []).append(file)
            else:
                self._read[file.path] = read(file, name)
        if tests:
            self._follow(tests)
        return self._in_order()

    def every(self) -> list[Module]:
        """Read all files."""
        for file, name in self.files:
            if file.path not in self._read:
                self._read[file.path] = read(file, name)
        return self._in_order()

    def _follow(self, tests: dict[str, list[SourceFile]]) -> None:
        words = {word for name in tests for word in name.split(".")}
        waiting = list(self._read.values())
        while waiting:
            for name in set(_wanted(waiting.pop(), words)) & tests.keys():
                for file in tests.pop(name):
                    self._read[file.path] = module = read(file, name)
                    waiting.append(module)

    def _in_order(self) -> list[Module]:
        return [self._read[file.path] for file, _ in self.files if file.path in self._read]


def _wanted(module: Module, words: set[str]) -> Iterator[str]:
    """Yield the names that a module's imports may mean, seen from the target or from a folder that holds the module."""
    roots = [f"{root}." for root in (*_above(module.name), module.name)]
    for dotted in {dotted for dotted, _ in module.imports}:
        if dotted.partition(".")[0] in words:
            for name in (*_above(dotted), dotted):
                yield name
                yield from (root + name for root in roots)


def _above(dotted: str) -> list[str]:
    """Return the packages that hold a module: ``a`` and ``a.b`` for ``a.b.c``."""
    parts = dotted.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def module_name(file: SourceFile, packages: set[str]) -> str:
    """Return the dotted name under which the project imports a file.

    Packages are folders that hold an ``__init__.py``, and namespace folders around them; a leading ``src/`` is no package.
    """
    path = file.path.rsplit(".", 1)[0]
    for layout in _LAYOUTS:
        if path.startswith(layout) and layout.rstrip("/") not in packages:
            path = path[len(layout) :]
    path = path.removesuffix("/__init__") if file.name == "__init__.py" else path
    return path.replace("/", ".") if path != "__init__" else file.absolute.parent.name
