"""Containers: what methods of lists, dicts, sets and keyed stores give, and what they leave in the container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from stopper.taint.constants import numbered, updated
from stopper.taint.domain import (
    ANY,
    CLEAN,
    CONTAINERS,
    EACH,
    KEYS,
    SEQUENCES,
    Value,
    joined,
    merged,
    together,
)

Result = tuple[Value, Value]
"""What a method gives, and the container afterwards."""
Args = tuple[Value, ...]

_DICTS = frozenset(
    (
        "dict",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.Counter",
        "werkzeug.datastructures.MultiDict",
    )
)
_LISTS = {
    "list": "list",
    "tuple": "tuple",
    "set": "set",
    "frozenset": "set",
    "collections.deque": "list",
    "sorted": "list",
    "reversed": "list",
}
_ALIKE = frozenset(("iter", "copy.copy", "copy.deepcopy", "aiter"))
_CHAINS = frozenset(
    (
        "itertools.chain",
        "itertools.islice",
        "itertools.cycle",
        "itertools.chain.from_iterable",
        "more_itertools.chunked",
    )
)
_ZIPS = frozenset(("zip", "itertools.zip_longest", "itertools.product"))
_PICKS = frozenset(("next", "anext", "random.choice", "secrets.choice", "min", "max", "sum"))
_MADE = frozenset(("enumerate", "collections.ChainMap")).union(_DICTS, _LISTS, _ALIKE, _CHAINS, _ZIPS, _PICKS)
"""All functions that make a container, or go through one."""
_INTO = frozenset(
    (
        "append",
        "add",
        "extend",
        "insert",
        "update",
        "write",
        "writelines",
        "appendleft",
        "put",
        "push",
        "put_nowait",
        "send",
    )
)
_SETS = frozenset(("set", "setex", "setdefault", "__setitem__", "put", "add", "store", "save", "hset"))
_GETS = frozenset(("get", "pop", "__getitem__", "fetch", "load", "hget"))


HOLDERS = (
    "io.",
    "queue.",
    "collections.",
    "array.",
    "tempfile.",
    "types.",
    "multiprocessing.",
    "asyncio.",
    "werkzeug.datastructures.",
    "cachetools.",
    "bytearray()",
    "contextvars.",
    "threading.local",
    "werkzeug.local.",
)
"""Libraries whose objects hold what is put into them; a database's session is none, its rows are."""


def element(value: Value) -> Value:
    """Return a container of which every element may be ``value``."""
    return Value(shape="iterator", fields=((ANY, value),))


def pair(first: Value, second: Value) -> Value:
    """Return a tuple of two."""
    return Value(shape="tuple", fields=(("[0]", first), ("[1]", second)))


def made(name: str, args: Args, keywords: Mapping[str, Value]) -> Value | None:
    """Return what a constructor of containers gives, or a function that goes through one; None for all others."""
    if name not in _MADE:
        return None
    first = args[0] if args else CLEAN
    if name in _DICTS:
        return _dict(name, args, keywords)
    if name == "collections.ChainMap":
        return _update(Value(shape="dict"), args[::-1], {})[1]
    if name in _LISTS:
        return _sequence(name, first) if args else Value(shape=_LISTS[name])
    if name in _ALIKE:
        return first
    if name in _CHAINS:
        return element(together([value.part(EACH) for value in args]))
    if name == "enumerate":
        return element(pair(CLEAN, first.part(EACH)))
    if name in _ZIPS:
        parts = tuple((f"[{at}]", value.part(EACH)) for at, value in enumerate(args))
        return element(Value(shape="tuple", fields=parts))
    if name in _PICKS:
        return together([first.part(EACH), *args[1:]]) if first.fields or first.taints else None
    return None


def _dict(name: str, args: Args, keywords: Mapping[str, Value]) -> Value:
    result = Value(shape="dict")
    source = args[-1] if args else CLEAN
    if source.shape == "dict":
        result = updated(result, source)
    elif source.taints or source.fields:
        item = source.part(EACH)
        if name == "collections.Counter":
            return result.with_part(KEYS, item).with_part(ANY, CLEAN)
        result = result.with_part(KEYS, item.part("[0]")).with_part(ANY, item.part("[1]"))
    elif name == "collections.defaultdict":
        return result
    for key, value in keywords.items():
        result = updated(result, value) if key == "**" else result.with_part(f"[{key!r}]", value)
    return result


def _sequence(name: str, source: Value) -> Value:
    shape = _LISTS[name]
    kept = source.closed and source.shape in SEQUENCES
    if kept and (name in ("list", "tuple") or name == "collections.deque"):
        return replace(source, shape=shape, classes=())
    if kept and name == "reversed":
        return numbered("list", [item for _, item in reversed(source.items())])
    if not source.fields and not source.taints:
        return Value(shape=shape, fields=((ANY, CLEAN),)) if not source.closed else Value(shape=shape)
    return Value(shape=shape, fields=((ANY, source.part(EACH)),))


def method(last: str, receiver: Value, args: Args, keywords: Mapping[str, Value]) -> Result | None:
    """Return what a method of a container gives and leaves; None where the method is not known."""
    if receiver.shape == "dict" or (last == "update" and any(key[:2] == "['" for key, _ in receiver.fields)):
        found = _OF_DICTS.get(last)
        return found(receiver, args, keywords) if found else None
    if receiver.shape in SEQUENCES:
        listed = _OF_LISTS.get(last)
        return listed(receiver, args) if listed else None
    if receiver.shape in CONTAINERS:
        return _other(last, receiver, args)
    return None


def stored(last: str, name: str, receiver: Value, args: Args, keywords: Mapping[str, Value]) -> Result | None:
    """Return what a library's object that keeps values under keys gives and leaves: a cache, a config parser."""
    deep = "ConfigParser" in name
    if deep and last in ("read_string", "read_file") and args and args[0].every():
        return CLEAN, receiver.with_part(ANY, Value(args[0].every()))
    if deep and last == "read_dict" and args and args[0].shape == "dict":
        return CLEAN, replace(receiver, fields=updated(Value(fields=receiver.fields), args[0]).fields)
    if last in _SETS and len(args) >= (3 if deep else 2):
        keys, value = (args[:2], args[2]) if deep else (args[:1], args[1])
        return CLEAN, _put(receiver, keys, value)
    if last == "set" and len(args) == 1 and name.startswith("contextvars."):
        return CLEAN, receiver.with_part(ANY, args[0])
    if last in _INTO and args and (not name or name.startswith(HOLDERS)):
        every = together([*args])
        return (CLEAN, receiver.with_part(ANY, every)) if every.every() else None
    if last in _GETS and receiver.fields:
        value = receiver
        for key in args[: 2 if deep else 1]:
            value = value.part(_key(key))
        return value if args else receiver.part(ANY), receiver
    del keywords
    return None


def _put(holder: Value, keys: Args, value: Value) -> Value:
    if not keys:
        return value
    part = _key(keys[0])
    return holder.with_part(part, _put(holder.field(part) or CLEAN, keys[1:], value))


def _key(value: Value) -> str:
    return f"[{value.constant!r}]" if value.known else ANY


def _get(holder: Value, args: Args, _: Mapping[str, Value]) -> Result | None:
    if not args:
        return None
    value = holder.part(_key(args[0]))
    if len(args) > 1 and holder.field(_key(args[0])) is None:
        value = args[1] if holder.closed and args[0].known else joined(value, args[1])
    return value, holder


def _take(holder: Value, args: Args, keywords: Mapping[str, Value]) -> Result | None:
    found = _get(holder, args, keywords)
    if found is None:
        return None
    left = tuple(item for item in holder.fields if item[0] != _key(args[0]) or item[0] == ANY)
    return found[0], replace(holder, fields=left)


def _set_default(holder: Value, args: Args, _: Mapping[str, Value]) -> Result | None:
    if not args:
        return None
    given = args[1] if len(args) > 1 else CLEAN
    before = holder.field(_key(args[0]))
    if before is None and not holder.closed:
        before = holder.part(_key(args[0]))  # the client, or a key that is not known, may have set it
    value = given if before is None else before if before.known else joined(before, given)
    return value, holder.with_part(_key(args[0]), value)


def _update(holder: Value, args: Args, keywords: Mapping[str, Value]) -> Result:
    for value in args:
        holder = updated(holder, value if value.shape == "dict" else _dict("dict", (value,), {}))
    for key, value in keywords.items():
        holder = updated(holder, value) if key == "**" else holder.with_part(f"[{key!r}]", value)
    return Value(constant=None), holder


def _items(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return element(pair(holder.part(EACH), holder.part(ANY))), holder


def _item(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return pair(holder.part(EACH), holder.part(ANY)), holder


def _keys(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return element(holder.part(EACH)), holder


def _values(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return element(holder.part(ANY)), holder


def _copy(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return holder, holder


def _clear(holder: Value, _: Args, __: Mapping[str, Value]) -> Result | None:
    return Value(constant=None), Value(shape=holder.shape)


_OF_DICTS: dict[str, Callable[[Value, Args, Mapping[str, Value]], Result | None]] = {
    "get": _get, "pop": _take, "setdefault": _set_default, "update": _update, "items": _items, "keys": _keys, "values": _values,
    "copy": _copy, "clear": _clear, "popitem": _item, "__getitem__": _get,
}  # fmt: skip


def _append(holder: Value, args: Args) -> Result | None:
    if len(args) != 1:
        return None
    if not holder.closed:
        return Value(constant=None), holder.with_part(ANY, args[0])
    return Value(constant=None), _renumbered(holder, [*_of(holder), args[0]])


def _extend(holder: Value, args: Args) -> Result | None:
    if len(args) != 1:
        return None
    more = args[0]
    if holder.closed and more.closed and more.shape in SEQUENCES:
        return Value(constant=None), _renumbered(holder, [*_of(holder), *_of(more)])
    return Value(constant=None), holder.opened().with_part(ANY, more.part(EACH))


def _insert(holder: Value, args: Args) -> Result | None:
    if len(args) != 2:
        return None
    if not holder.closed or not isinstance(args[0].constant, int):
        return Value(constant=None), holder.opened().with_part(ANY, args[1])
    items = _of(holder)
    items.insert(args[0].constant, args[1])
    return Value(constant=None), _renumbered(holder, items)


def _pop(holder: Value, args: Args) -> Result | None:
    place = args[0].constant if args else -1
    items = _of(holder)
    if not holder.closed or not isinstance(place, int) or not -len(items) <= place < len(items):
        return holder.part(ANY), holder.opened()
    value = items.pop(place)
    return value, _renumbered(holder, items)


def _remove(holder: Value, args: Args) -> Result | None:
    items = _of(holder)
    wanted = args[0].constant if len(args) == 1 and args[0].known else None
    if not holder.closed or wanted is None or not all(item.known for item in items):
        known = [at for at, item in enumerate(items) if item.known and item.constant == wanted]
        if (
            wanted is None
            or not holder.closed
            or not known
            or not all(item.known for item in items[: known[0]])
        ):
            return Value(constant=None), holder.opened()
    place = next((at for at, item in enumerate(items) if item.constant == wanted), None)
    if place is not None:
        items.pop(place)
    return Value(constant=None), _renumbered(holder, items)


def _reverse(holder: Value, _: Args) -> Result | None:
    if not holder.closed:
        return Value(constant=None), holder
    return Value(constant=None), _renumbered(holder, _of(holder)[::-1])


def _sort(holder: Value, _: Args) -> Result | None:
    return Value(constant=None), holder.opened()


def _lift(holder: Value, args: Args) -> Result | None:
    return _insert(holder, (Value(constant=0), *args))


def _shift(holder: Value, _: Args) -> Result | None:
    return _pop(holder, (Value(constant=0),))


def _same(holder: Value, _: Args) -> Result | None:
    return holder, holder


def _empty(holder: Value, _: Args) -> Result | None:
    return Value(constant=None), Value(shape=holder.shape)


_OF_LISTS: dict[str, Callable[[Value, Args], Result | None]] = {
    "append": _append, "extend": _extend, "insert": _insert, "pop": _pop, "remove": _remove, "reverse": _reverse, "sort": _sort,
    "copy": _same, "clear": _empty, "appendleft": _lift, "popleft": _shift,
}  # fmt: skip


def _of(holder: Value) -> list[Value]:
    return [item for _, item in holder.items()]


def _renumbered(holder: Value, items: list[Value]) -> Value:
    return numbered(holder.shape, items)


def _other(last: str, holder: Value, args: Args) -> Result | None:
    if last in ("add", "update", "discard", "remove"):
        given = together([value.part(EACH) if last == "update" else value for value in args])
        return Value(constant=None), holder if last in ("discard", "remove") else holder.with_part(ANY, given)
    if last == "intersection" and not all(value.every() for value in args):
        return Value(shape="set", fields=((ANY, CLEAN),)), holder
    if last in ("union", "intersection", "difference", "symmetric_difference", "copy"):
        taints = merged(*(value.every() for value in args if last in ("union", "symmetric_difference")))
        return holder.with_part(ANY, Value(taints)) if taints else holder, holder
    if last in ("pop", "__next__", "send"):
        return holder.part(ANY), holder
    return None
