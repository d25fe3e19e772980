"""Match a request's path with patterns that were prepared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a path is one of some, or below one that ends in `*`."""
    exact = frozenset(one for one in patterns if not one.endswith("*"))
    below = tuple(one.removesuffix("*") for one in patterns if one.endswith("*"))

    def matches(path: str) -> bool:
        return path in exact or (bool(below) and path.startswith(below))

    return matches
