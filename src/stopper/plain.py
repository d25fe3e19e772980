"""Dataclasses as JSON and back: what a file holds is checked against the types, and nothing in it can run.

Known are dataclasses, enumerations, paths, tuples, lists, mappings, unions with None, and what JSON itself knows.
"""

from __future__ import annotations

import dataclasses
import enum
import types
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def to_plain(value: Any) -> Any:
    """Return ``value`` as lists, dictionaries, text, numbers, booleans and None."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return [[to_plain(key), to_plain(item)] for key, item in value.items()]
    kind: Any = type(value)
    return {name: to_plain(getattr(value, name)) for name in _hints(kind)}


def from_plain(kind: type[_T], plain: Any) -> _T:
    """Return the ``kind`` that ``plain`` stands for.

    Raises:
        TypeError: It stands for something else.
        ValueError: It holds a word that an enumeration does not know.
    """
    return cast("_T", _read(kind, plain))


def _read(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin is Union or origin is types.UnionType:
        return _read_union(get_args(kind), plain)
    if origin is not None:
        return _read_many(origin, get_args(kind), plain)
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, plain)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(plain)
    if kind is Path and isinstance(plain, str):
        return Path(plain)
    if kind is float and type(plain) in (int, float):
        return plain
    if kind in (str, int, bool) and type(plain) is kind:
        return plain
    raise TypeError(f"{type(plain).__name__} stands where {kind} should")


def _read_union(kinds: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and type(None) in kinds:
        return None
    kept = [kind for kind in kinds if kind is not type(None)]
    if len(kept) != 1:
        raise TypeError(f"a choice of {kinds} cannot be read")
    return _read(kept[0], plain)


def _read_many(origin: Any, kinds: tuple[Any, ...], plain: Any) -> Any:
    if not isinstance(plain, list):
        raise TypeError(f"{type(plain).__name__} stands where {origin} should")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_read(kinds[0], key): _read(kinds[1], item) for key, item in plain}
    if origin is tuple and kinds[-1:] != (...,):
        return tuple(_read(kind, item) for kind, item in zip(kinds, plain, strict=True))
    return origin(_read(kinds[0], item) for item in plain)


def _read_fields(kind: Any, plain: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(plain, dict) or plain.keys() != hints.keys():
        raise TypeError(f"the fields are not those of {kind.__name__}")
    return kind(**{name: _read(hint, plain[name]) for name, hint in hints.items()})


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    """Return the fields of a dataclass with their types."""
    fields: Any = kind
    hints = get_type_hints(fields)
    return {field.name: hints[field.name] for field in dataclasses.fields(fields)}
