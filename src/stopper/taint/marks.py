"""Marks: how to tell that a module's text did not change, but for constants at its end that nothing mentions."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable

from stopper.records import dataclass
from stopper.source.module import Module


@dataclass(frozen=True, slots=True)
class Mark:
    """What a module's text was."""

    core: str
    """The digest of all but the constants at its end."""
    constants: tuple[tuple[str, str], ...] = ()
    """Those constants, as written: ``LIMIT = 3``."""


def mark(module: Module) -> Mark:
    """Return the mark of a module's text."""
    core, tail = _split(module)
    digest = hashlib.blake2b(core.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Mark(digest, tuple((target.id, repr(value.value)) for target, value in tail))


def differing(
    old: Iterable[Mark], modules: tuple[Module, ...], new: Iterable[Mark], pages: Iterable[str]
) -> int:
    """Return the modules that differ for those who look at them, one bit each.

    Args:
        old: The marks of an earlier run.
        modules: The modules now.
        new: Their marks.
        pages: The texts of the templates.
    """
    found = 0
    pages = list(pages)
    for number, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        other = set(before.constants) ^ set(after.constants)
        names = {name for name, _ in other or (*before.constants, *after.constants)}
        if before.core != after.core or _mentioned(names, modules, number, pages):
            found |= 1 << number
    return found


def _mentioned(names: set[str], modules: tuple[Module, ...], home: int, pages: list[str]) -> bool:
    texts = [module.text.content for number, module in enumerate(modules) if number != home]
    texts += [_split(modules[home])[0], *pages]
    return any(name in text for name in names for text in texts)


def _split(module: Module) -> tuple[str, list[tuple[ast.Name, ast.Constant]]]:
    """Return a module's text without the constants at its end, and these."""
    text, body = module.text, module.tree.body
    tail: list[tuple[ast.Name, ast.Constant]] = []
    first, last = 0, 0
    for at in range(len(body) - 1, 0, -1):
        statement = body[at]
        alone = statement.col_offset == 0 and (body[at - 1].end_lineno or 0) < statement.lineno
        match statement:
            case ast.Assign(targets=[ast.Name() as target], value=ast.Constant() as value) if alone:
                tail.append((target, value))
                first, last = statement.lineno, last or statement.end_lineno or 0
            case _:
                break
    if not tail:
        return text.content, []
    end = text.starts[last] if last < len(text.starts) else len(text.content)
    return f"{text.content[: text.starts[first - 1]].rstrip()}\n{text.content[end:].strip()}", tail
