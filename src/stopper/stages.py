"""The order in which an audit asks its rules, and what it leaves to a second process.

Rules that follow data ask the engine, which takes most of the time; the others are asked meanwhile by a fork that knows the
same facts. What comes out is put together in the order of the rules, so that nothing tells who did what.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from stopper.cache import Cache
from stopper.finding import Area, Cleared, Finding, Skipped
from stopper.rule import Rule
from stopper.rules.secrets import _text
from stopper.source.aside import Aside, pays
from stopper.source.project import Project

Said = tuple[list[Finding], list[Skipped]]
"""What a rule found, and what it could not look at."""

Item = TypeVar("Item", bound=Finding | Cleared)
Tell = Callable[[str, int, int], None]

WORTH = 4_000
"""Lines of Python from which a fork for the rules costs less than it saves."""
LONG = 40_000
"""The same where there is little to follow, as an earlier run has followed most."""


@contextlib.contextmanager
def begun(project: Project, rules: Iterable[Rule], cache: Cache) -> Iterator[None]:
    """Read the history and the secrets in files meanwhile, if a rule will ask for them; leave no process behind."""
    project.shelf = cache.shelf(project.tree.root, project.options)
    if any(rule.area is Area.SECRETS for rule in rules):
        root = project.tree.root
        texts = {_text.KEY: lambda: cache.bare(root, lambda bare: _text.located(project, bare))}
        project.begin(apart=pays(), history=lambda: cache.history(root), **texts)
    try:
        yield
    finally:
        project.end()


def ask(rules: list[Rule], project: Project, tell: Tell) -> Said:
    """Return what the rules say of the project, in the order of the rules."""
    first = [rule for rule in rules if follows(rule)]
    rest = [rule for rule in rules if not follows(rule)]
    apart = [rule for rule in rest if rule.area is not Area.SECRETS]
    meanwhile = None
    lines = sum(module.text.line_count for module in project.modules)
    if first and apart and pays() and lines >= WORTH and (lines >= LONG or not _is_short(project)):
        tell("reading routes, templates and settings", 0, len(rules))
        _ = project.routes, project.templates, project.settings
        meanwhile = Aside(lambda: {rule.slug: _ask(rule, project) for rule in apart}, apart=True)
        rest = [rule for rule in rest if rule.area is Area.SECRETS]
    said: dict[str, Said] = {}
    for done, rule in enumerate((*first, *rest)):
        tell(rule.slug, done, len(rules))
        said[rule.slug] = _ask(rule, project)
    if meanwhile is not None:
        said |= meanwhile.result()
    found = [finding for rule in rules for finding in said[rule.slug][0]]
    skipped = [one for rule in rules for one in said[rule.slug][1]]
    return list(dict.fromkeys(found)), list(dict.fromkeys([*skipped, *_unfollowed(project, first)]))


def _unfollowed(project: Project, asked: list[Rule]) -> list[Skipped]:
    """Return the functions that the engine could not follow to the end, where a rule has asked it."""
    if not asked:
        return []
    from stopper.taint.flows import unfollowed  # late, as above: the rules have imported it by now

    return unfollowed(project)


def _is_short(project: Project) -> bool:
    """Tell whether there is little to follow; what fails here fails again in the rules that follow data, which say so."""
    from stopper.taint.flows import is_short  # late: a report that is known needs none of it

    with contextlib.suppress(Exception):
        return is_short(project)
    return False


def _ask(rule: Rule, project: Project) -> Said:
    return asked(rule, lambda: rule.source(project))


def asked(
    rule: Rule, hook: Callable[[], Iterable[Item | Skipped]], where: str = ""
) -> tuple[list[Item], list[Skipped]]:
    """Return what a rule's hook yields, and what it could not look at; a rule that raises is skipped, and told ``where``."""
    said: list[Item] = []
    skipped: list[Skipped] = []
    try:
        for item in hook():
            if isinstance(item, Skipped):
                skipped.append(item)
            else:
                said.append(item)
    except Exception as error:  # noqa: BLE001 - one broken rule must not hide what the others see
        reason = f"the rule failed{where}: {type(error).__name__}: {error}; please report it"
        skipped.append(Skipped(f"rule {rule.slug}", reason, (rule.area,)))
    return said, skipped


def follows(rule: Rule) -> bool:
    """Tell whether a rule, or what its file shares with others, asks the engine."""
    return _asks_engine(type(rule).__module__)


@cache
def _asks_engine(module: str) -> bool:
    """Tell it of a module under ``rules``; what it imported from there is asked in its turn, and no two import each other."""
    things = vars(sys.modules[module]).values() if module in sys.modules else ()
    homes = {getattr(thing, "__module__", None) or "" for thing in list(things)} - {module}
    if any(home.startswith("stopper.taint") for home in homes):
        return True
    return any(_asks_engine(home) for home in homes if home.startswith("stopper.rules."))
