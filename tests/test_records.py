"""`stopper.records.dataclass` makes what the standard library's makes, only later."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stopper import records

OPTIONS = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True, "eq": False},
    {"slots": True, "eq": False, "repr": False},
    {"slots": True, "unsafe_hash": True},
]


def classes(**options: bool) -> tuple[Any, Any]:
    """Return one class made by the standard library and the same made here."""
    return _point(dataclasses.dataclass(**options)), _point(records.dataclass(**options))


def _point(decorate: Callable[[Any], Any]) -> Any:
    class Point:
        """A class with a field of every kind."""

        x: int
        y: int = 2
        name: str = dataclasses.field(default="p", compare=False)
        tags: list[str] = dataclasses.field(default_factory=list, repr=False, hash=False)
        seen: list[str] = dataclasses.field(default_factory=list, init=False, hash=False)
        kind: str = dataclasses.field(default="kind", init=False)

        def __post_init__(self) -> None:
            self.seen.append(self.name)

    return decorate(Point)


def told(act: Callable[[Any], object], cls: Any) -> object:
    """Return what an act gives, or how it fails."""
    try:
        return act(cls)
    except (TypeError, AttributeError) as error:
        return type(error), str(error).replace("test_records.", "")


ACTS: dict[str, Callable[[Any], object]] = {
    "by position": lambda cls: vars_of(cls(1, 3, "q", ["a"])),
    "by name": lambda cls: vars_of(cls(x=1, tags=["a"])),
    "no argument": lambda cls: cls(),
    "too many": lambda cls: cls(1, 2, "p", [], []),
    "unknown argument": lambda cls: cls(1, z=2),
    "parameters": lambda cls: (cls(1), tuple(inspect.signature(cls).parameters))[1],
    "own list each": lambda cls: cls(1).tags is cls(1).tags,
    "repr": lambda cls: repr(cls(1)).partition(" at 0x")[0],
    "equal": lambda cls: (cls(1) == cls(1), cls(1) == cls(2), cls(1, name="q") == cls(1), cls(1) == 1),
    "hash": lambda cls: len({hash(one) for one in [cls(1), cls(1), cls(1, name="q"), cls(2)]}),
    "set": lambda cls: len({cls(1), cls(1), cls(1, name="q"), cls(2)}),
    "order": lambda cls: (cls(1) < cls(2), cls(1) <= cls(1), cls(1) > cls(2), cls(1) >= cls(2)),
    "order of others": lambda cls: cls(1) < 2,
    "set a field": lambda cls: setattr(cls(1), "x", 2),
    "delete a field": lambda cls: delattr(cls(1), "x"),
    "replace": lambda cls: vars_of(dataclasses.replace(cls(1), y=5)),
    "fields": lambda cls: [(one.name, one.compare, one.repr) for one in dataclasses.fields(cls)],
    "copy": lambda cls: vars_of(copy.deepcopy(cls(1, tags=["a"]))),
    "match": lambda cls: cls.__match_args__,
    "slots": lambda cls: (getattr(cls, "__slots__", None), hasattr(cls(1), "__dict__")),
    "subclass": lambda cls: setattr(type("Sub", (cls,), {})(1), "x", 2),
}


def vars_of(thing: Any) -> dict[str, object]:
    """Return the fields of an instance with their values."""
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_instance_does_what_the_standard_librarys_does(options: dict[str, bool], act: str) -> None:
    standard, own = classes(**options)

    assert told(ACTS[act], own) == told(ACTS[act], standard)
    assert told(ACTS[act], own) == told(ACTS[act], standard), "the second time too"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_methods_that_the_class_has_are_kept(options: dict[str, bool]) -> None:
    def made(decorate: Callable[[Any], Any]) -> Any:
        class Own:  # noqa: PLW1641 - whether one is made is the question
            x: int

            def __repr__(self) -> str:
                return "own"

            def __eq__(self, other: object) -> bool:
                return True

        return decorate(Own)

    standard, own = made(dataclasses.dataclass(**options)), made(records.dataclass(**options))

    acts = [repr, lambda one: one == 3, hash]
    assert [told(act, own(1)) for act in acts] == [told(act, standard(1)) for act in acts]


@pytest.mark.parametrize("options", [{"frozen": True}, {"frozen": True, "slots": True}], ids=str)
def test_what_is_frozen_takes_no_name_of_its_own_and_a_subclass_does(options: dict[str, bool]) -> None:
    _, own = classes(**options)
    derived = type("Derived", (own,), {})(1)

    derived.more = 2

    assert derived.more == 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'more'"):
        own(1).more = 2


def test_a_class_that_derives_has_the_fields_of_both() -> None:
    def made(decorate: Callable[[Any], Any]) -> Any:
        class Base:
            x: int
            y: int = 1

        class Derived(decorate(Base)):  # type: ignore[misc]
            y: int = 2
            z: int = 3

        return decorate(Derived)

    standard = made(dataclasses.dataclass(frozen=True, slots=True))
    own = made(records.dataclass(frozen=True, slots=True))

    assert vars_of(own(0, z=9)) == vars_of(standard(0, z=9))


@records.dataclass(frozen=True, slots=True)
class Kept:
    """An instance of it goes to another process."""

    x: int
    more: tuple[str, ...] = ()


def test_an_instance_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, ("a",)), pickle.HIGHEST_PROTOCOL)) == Kept(1, ("a",))


def test_a_record_that_holds_itself_can_be_printed() -> None:
    _, own = classes()
    one = own(1)
    one.x = one

    assert "..." in repr(one)


def test_nothing_is_written_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    real = records._written
    monkeypatch.setattr(records, "_written", lambda name, *rest: (written.append(name), real(name, *rest))[1])

    one = classes(frozen=True, slots=True)[1]
    assert written == []

    assert one(1) == one(1)
    assert written == ["__init__", "__eq__"]


def test_what_an_audit_loads_makes_its_dataclasses_so() -> None:
    src = Path(records.__file__).parent
    other = {
        "errors.py",
        "policy.py",
        "records.py",
        "deploying.py",
    }  # the guard knows some, and no audit the last
    own = [
        path
        for path in src.rglob("*.py")
        if path.relative_to(src).parts[0] not in {"guard", "certs"}
        and path.relative_to(src).as_posix() not in other
    ]

    assert [
        path.name
        for path in own
        if re.search(r"from dataclasses import .*\bdataclass\b", path.read_text("utf-8"))
    ] == []
