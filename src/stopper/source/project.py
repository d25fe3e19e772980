"""One target and every question that a rule may ask of its source. Each fact is worked out when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.aside import Aside
from stopper.source.code import Call, Code
from stopper.source.files import Role, Tree
from stopper.source.history import History, gathered
from stopper.source.module import Module

if TYPE_CHECKING:
    from stopper.source.manifests import Manifests
    from stopper.source.routes import Routes
    from stopper.source.settings import Settings
    from stopper.source.templates import Templates

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user allows the look at the source to use."""

    advisories: Path | None = None
    """A folder or zip of advisories in OSV format."""
    online: bool = False
    """Whether package indexes and advisory services may be asked."""
    second_order: bool = True
    """Whether data is followed from one request to the next: through sessions, databases, files and caches."""


class Shelf(Protocol):
    """Where something is kept from one run to the next."""

    def load(self) -> bytes | None:
        """Return what was kept last, None where there is nothing that can be trusted."""

    def keep(self, raw: bytes) -> None:
        """Keep something for the next run."""


@dataclass(frozen=True, eq=False)
class Application:
    """One place where a Flask object is made."""

    call: Call
    """The call of ``Flask(...)`` or of a class derived from it."""

    @property
    def location(self) -> Location:
        """Return where the application is made."""
        return self.call.location

    @property
    def module(self) -> Module:
        """Return the module that makes it."""
        return self.call.module


@dataclass(eq=False)
class Project:
    """The source of one target."""

    tree: Tree
    options: Options = field(default_factory=Options)
    _memo: dict[object, Any] = field(default_factory=dict, repr=False)
    _begun: Aside[dict[str, Any]] | None = field(default=None, repr=False)
    _keys: frozenset[str] = frozenset()
    shelf: Shelf | None = None
    """Where the work on its flows is kept; None where nothing is."""

    @cached_property
    def code(self) -> Code:
        """The Python code."""
        return Code.of(self.tree)

    @property
    def lines(self) -> int:
        """Return the number of lines of all Python files, tests included."""
        return sum(file.text.line_count for file in self.tree.files if file.path.endswith((".py", ".pyw")))

    @property
    def modules(self) -> tuple[Module, ...]:
        """Return the Python modules in the order of their paths."""
        return self.code.modules

    @cached_property
    def routes(self) -> Routes:
        """The routes and hooks."""
        from stopper.source.routes import read

        return read(self.code)

    @cached_property
    def settings(self) -> Settings:
        """The settings, wherever they are written."""
        from stopper.source.settings import read

        return read(self.tree, self.code)

    @cached_property
    def templates(self) -> Templates:
        """The Jinja templates, files and inline strings."""
        from stopper.source.templates import read

        return read(self.tree, self.code)

    @cached_property
    def manifests(self) -> Manifests:
        """The requirements, pins and indexes."""
        from stopper.source.manifests import read

        return read(self.tree)

    @cached_property
    def history(self) -> History:
        """What git knows of the target."""
        known: History = self.cached("history", lambda: gathered(self.tree.root))
        return known

    @property
    def history_skipped(self) -> tuple[Skipped, ...]:
        """Return what git could not tell, if it was asked at all."""
        return tuple(self.history.skipped) if "history" in self.__dict__ else ()

    @property
    def asides(self) -> tuple[str, ...]:
        """Return the paths that may lie outside the tree and were looked at all the same."""
        past = self.history.env_files() if "history" in self.__dict__ else ()
        return tuple(sorted({one.path for one in past}))

    def begin(self, *, apart: bool, **ahead: Callable[[], object]) -> None:
        """Start what needs no parsing.

        Args:
            apart: Whether a second process may do it now; else it is done when it is asked for.
            ahead: How to compute what ``cached`` will be asked for, by its key: ``history`` is one.
        """
        self._keys = frozenset(ahead)
        self._begun = Aside(lambda: {key: compute() for key, compute in ahead.items()}, apart=apart)

    def end(self) -> None:
        """End what was begun and never asked for."""
        if self._begun is not None:
            self._begun.drop()

    @cached_property
    def uses_flask(self) -> bool:
        """Whether any Python file imports Flask or a library that stands on it."""
        return any(
            dotted.partition(".")[0] == "flask"
            or dotted.startswith(("flask_", "apiflask", "connexion", "werkzeug"))
            for module in self.modules
            for dotted, _ in module.imports
        )

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Where the application code makes its Flask objects; tests and examples only when there is nothing else."""
        every = [Application(call) for call in self.code.applications]
        own = [one for one in every if one.module.role is Role.APP]
        return tuple(own or every)

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """What could not be read of the tree, the code, the routes, the templates and the manifests."""
        routes, templates = self.routes.skipped, self.templates.skipped
        parts = (self.tree.skipped, self.code.skipped, routes, templates, self.manifests.skipped)
        return tuple(one for part in parts for one in part)

    def cached(self, key: object, compute: Callable[[], _T]) -> _T:
        """Return what ``compute`` gave when this key was first asked for."""
        if key not in self._memo and self._begun is not None and key in self._keys:
            self._memo.update(self._begun.result())
        if key not in self._memo:
            self._memo[key] = compute()
        found: _T = self._memo[key]
        return found

    def role(self, path: str) -> Role:
        """Return what the file at a path is for."""
        file = self.tree.by_path.get(path)
        return file.role if file else Role.APP

    def line(self, location: Location) -> str:
        """Return the line of code at which a location starts."""
        file = self.tree.by_path.get(location.path)
        return file.text.line(location.line) if file else ""
