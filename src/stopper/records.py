"""`dataclass` as in the standard library, whose methods are written when they are first called.

To write the methods of a class takes Python much longer than to load the class. A run makes two hundred such classes, prints few of
them and compares few; one that is not used costs no more than its fields. Fields, ``replace``, slots and the rules of what is
written for which option are the standard library's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import field
from functools import partial
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

_Method = Callable[..., Any]
_ORDER = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type[Any] | None = None, /, **options: bool) -> Any:
        """Make a class a dataclass; known are ``frozen slots eq order repr unsafe_hash``."""
        return partial(_made, **options) if cls is None else _made(cls, **options)


def _made(
    cls: type[Any],
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,  # noqa: A002 - as the standard library calls it
    unsafe_hash: bool = False,
) -> Any:
    own = frozenset(name for name, value in vars(cls).items() if value is not None)
    if not cls.__doc__:
        cls.__doc__ = (
            cls.__name__
        )  # the standard library would write the signature there, for which it reads Python
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    writers: dict[str, Callable[[], _Method]] = {"__init__": partial(_init, made, frozen=frozen)}
    if eq:
        writers["__eq__"] = partial(_comparison, made, "__eq__", "==")
    for name, sign in _ORDER.items() if order else ():
        writers[name] = partial(_comparison, made, name, sign)
    if unsafe_hash or (eq and frozen):
        writers["__hash__"] = partial(_hash, made)
    elif eq and "__hash__" not in own:
        made.__hash__ = None
    if frozen:
        _freeze(made)
    if repr and "__repr__" not in own:
        made.__repr__ = _repr
    for name, write in writers.items():
        if name not in own:
            _put_off(made, name, write)
    return made


def _put_off(cls: type[Any], name: str, write: Callable[[], _Method]) -> None:
    """Give a class a method that writes the real one in its place when it is called."""

    def first(*args: Any, **keywords: Any) -> Any:
        method = write()
        method.__qualname__, method.__module__ = f"{cls.__qualname__}.{name}", cls.__module__
        setattr(cls, name, method)
        return method(*args, **keywords)

    setattr(cls, name, first)


def _written(name: str, parameters: Iterable[str], body: Iterable[str], known: dict[str, Any]) -> _Method:
    """Return a function made from its text, which holds names of fields and nothing else that varies."""
    exec("\n    ".join((f"def {name}({', '.join(parameters)}):", *body)), known)  # noqa: S102 - the text is made here
    method: _Method = known[name]
    return method


def _init(cls: type[Any], *, frozen: bool) -> _Method:
    known: dict[str, Any] = {"_set_": object.__setattr__, "_unset_": object()}
    parameters, body = ["self"], ["pass"]
    for one in dataclasses.fields(cls):
        name = value = one.name
        parameter = name
        if one.default_factory is not dataclasses.MISSING:
            known[f"_new_{name}"] = one.default_factory
            value = f"_new_{name}() if {name} is _unset_ else {name}" if one.init else f"_new_{name}()"
            parameter = f"{name}=_unset_"
        elif one.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = one.default
            value = name if one.init else f"_default_{name}"
            parameter = f"{name}=_default_{name}"
        elif not one.init:
            continue
        parameters += [parameter] if one.init else []
        body.append(f"_set_(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    return _written("__init__", parameters, body, known)


def _comparison(cls: type[Any], name: str, sign: str) -> _Method:
    fields = [one.name for one in dataclasses.fields(cls) if one.compare]
    own, others = (f"({''.join(f'{who}.{one}, ' for one in fields)})" for who in ("self", "other"))
    body = [
        f"if other.__class__ is self.__class__: return {own} {sign} {others}",
        "return NotImplemented",
    ]
    return _written(name, ("self", "other"), body, {})


def _hash(cls: type[Any]) -> _Method:
    fields = [one.name for one in dataclasses.fields(cls) if (one.compare if one.hash is None else one.hash)]
    own = "".join(f"self.{one}, " for one in fields)
    return _written("__hash__", ("self",), [f"return hash(({own}))"], {})


def _freeze(cls: Any) -> None:
    """Let nobody change an instance, and copies be made all the same."""
    fields = frozenset(one.name for one in dataclasses.fields(cls))

    def set_one(self: Any, name: str, value: object) -> None:
        if type(self) is cls or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete_one(self: Any, name: str) -> None:
        if type(self) is cls or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    cls.__setattr__, cls.__delattr__ = set_one, delete_one
    if "__slots__" in vars(cls):
        cls.__getstate__, cls.__setstate__ = _state, _set_state


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
