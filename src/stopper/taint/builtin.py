"""What the language itself does with functions and objects as values: callbacks, partials, ``getattr``, ``locals``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stopper.taint import constants, containers, contents, raising, texts
from stopper.taint.binding import spread
from stopper.taint.calls import Args, Calls, record_maker, target_of
from stopper.taint.change import apply
from stopper.taint.domain import ANY, CLEAN, EACH, PAYLOAD, Target, Value, joined, merged, together
from stopper.taint.filtered import filtered
from stopper.taint.guards import ANSWERING, RAISING
from stopper.taint.ir import AccessPath, Call, Constant
from stopper.taint.libraries import result
from stopper.taint.models import Models
from stopper.taint.steps import depth
from stopper.taint.strings import attributes, joined_text, loaded

MAX_METHODS = 12
"""How many methods a name may mean that is computed."""
_EACH = frozenset(
    (
        "map",
        "filter",
        "itertools.starmap",
        "itertools.filterfalse",
        "itertools.takewhile",
        "itertools.dropwhile",
        "starmap",
    )
)
_CALLED = frozenset(("target", "func", "function", "callback"))
_WHOLE = frozenset(("os.environ", "flask.Flask().config"))
"""What holds secrets among other things."""
_GETTERS = frozenset(("operator.itemgetter()", "operator.attrgetter()"))
_METHOD_CALLER = "operator.methodcaller()"
_KEYED = frozenset(("sorted", "min", "max", "itertools.groupby"))
_RUNNING = frozenset(
    ("submit", "run_in_executor", "to_thread", "Timer", "start_new_thread", "call_later", "add_job")
)
"""What runs the function that it is given, a library's too."""
_MAPPING = frozenset(("map", "imap", "imap_unordered", "amap", "apply_async", "map_async"))


class Library(Calls):
    """Follow calls of functions that are not the project's."""

    def library(self, name: str, args: Args, keywords: dict[str, Value], op: Any) -> Value:
        """Return what a call of a library's function gives that a value, not a name, leads to."""
        if name == "namedtuple":
            return self._record(args, keywords)
        if name in _GETTERS and len(args) > 1 and all(key.known for key in args[:-1]):
            return self._got(name, args, op)
        if name == _METHOD_CALLER and len(args) > 1 and isinstance(args[0].constant, str):
            return self._method(args[0].constant, args[-1], args[1:-1], op)
        last = name.rpartition(".")[2]
        operands = op.args if isinstance(op, Call) and len(op.args) == len(args) else ()
        given = op.keywords if isinstance(op, Call) else ()
        return self.outside(
            Call(target_of(op), name, last, None, operands, given, None, op.at), CLEAN, args, keywords
        )

    def _got(self, name: str, args: Args, op: Any) -> Value:
        """Return what a getter of one key gives, or the tuple that one of several gives; the last argument is the holder."""
        keys, holder = [key.constant for key in args[:-1]], args[-1]
        if name.endswith("itemgetter()"):
            found = [loaded(holder, f"[{key!r}]") for key in keys]
        else:
            found = [self._member(holder, str(key), op) for key in keys]
        return found[0] if len(found) == 1 else constants.numbered("tuple", found)

    def _member(self, holder: Value, path: str, op: Any) -> Value:
        """Return an attribute by its path: ``owner.name``."""
        for name in path.split("."):
            held = holder.field(f".{name}") or self.attribute(holder, name, op)
            holder = loaded(holder, f".{name}") if held is None else held
        return holder

    def _method(self, last: str, holder: Value, args: Args, op: Any) -> Value:
        """Return what a method of a value gives, called by its name."""
        targets = self.members(holder, last)
        if targets:
            return self.invoke(targets, args, (), {}, op)
        name = self.program.canonical(f"{holder.name}.{last}") if holder.name else ""
        operands = tuple(Constant(arg.constant if arg.known else None) for arg in args)
        return self.outside(
            Call(target_of(op), name, last, Constant(None), operands, at=op.at), holder, args, {}
        )

    def _record(self, args: Args, keywords: dict[str, Value]) -> Value:
        """Return a named tuple; its maker passes the names of its fields as keywords."""
        names = [name for name, value in keywords.items() if value is CLEAN or name != "**"]
        value = Value(shape="tuple")
        for place, name in enumerate(names):
            part = args[place] if place < len(args) else keywords.get(name, CLEAN)
            value = value.with_part(f".{name}", part).with_part(f"[{place}]", part)
        return value

    def outside(self, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value:
        """Return what a call of a library's function gives."""
        if op.stars:
            args = tuple(spread(args, op.stars))
            op = replace(op, args=op.args[: op.stars[0]], stars=())
        answers = self._answers(op)
        if answers.sinks and op.callee is None:
            self.sinks.call(op, answers.sinks, receiver, args, keywords)
        if answers.writes:
            contents.write(self, op, receiver, args)
        within = contents.held(self, op, receiver, args, keywords) if answers.within is not None else None
        if within is not None:
            self.sinks.call(op, answers.within or (), receiver, (within, *args[1:]), keywords)
            if contents.gives(op):
                return within
            args = (within, *args[1:])
        found = self.engine.edges.call(self, op, receiver, args, keywords)
        if answers.ends:
            self.dead = True
            return CLEAN
        if answers.passes:
            apply(self.state, self.guards.passed(op))
        if found is None and answers.source:
            found = self.source(answers.result, op.at)
        for look in answers.looks:
            if found is not None:
                return found
            found = look(self, op, receiver, args, keywords)
        if found is not None:
            return found
        value = result(self.models, op, receiver, args, keywords)
        return answers.clean if value is CLEAN else value.named(answers.result) if op.name else value

    def _answers(self, op: Call) -> Answers:
        """Return what may answer a call, worked out once for all calls of one name."""
        key = (op.name, op.last, op.receiver is None)
        found = self.engine.answers.get(key)
        if found is None:
            found = self.engine.answers[key] = Answers(self.models, op)
        return found


class Answers:
    """What may answer a call of a library's function, by its name alone."""

    def __init__(self, models: Models, op: Call) -> None:
        """Take the models and one call of that name."""
        bare = op.last if op.receiver is None else ""
        name = op.name or bare
        self.sinks = models.find("sink", name, "" if op.receiver is None else op.last)
        self.writes = contents.writes(op)
        self.within = contents.looking(op, self.sinks)
        self.result = f"{op.name}()" if op.name else ""
        self.source = bool(self.result and models.find("source", self.result))
        self.ends = bool(op.name and models.find("ends", op.name))
        self.passes = op.last in ANSWERING or name in RAISING
        self.clean = Value(name=self.result) if op.name else CLEAN
        asked = {
            _folded: constants.may_know(name, op.last),
            _text: op.last in _TEXTS,
            _special: op.name in _SPECIAL or op.last == "__enter__",
        }
        self.looks = tuple([look for look in _LOOKS if asked.get(look, True)])


def _folded(run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    """Compute with constants."""
    del run
    if keywords:
        return None
    return constants.called(op.name or ("" if op.receiver is not None else op.last), op.last, receiver, args)


def _text(run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    """Build a text whose template is known."""
    del run
    text = receiver.constant if isinstance(receiver.constant, str) else ""
    if op.last in ("urlunsplit", "urlunparse") and args:
        return texts.unsplit(args[0], op.at)
    if op.last in ("substitute", "safe_substitute"):
        return texts.template_filled(receiver, args, keywords, op.at)
    if op.last == "join" and len(args) == 1 and op.receiver is not None and receiver.known:
        return texts.put_between(receiver, args[0], op.at)
    if not text:
        return None
    if op.last == "format":
        return texts.formatted(text, args, keywords, op.at)
    if op.last == "format_map" and args:
        return texts.formatted(text, (), {"**": args[0]}, op.at)
    if op.last == "replace" and len(args) > 1 and isinstance(args[0].constant, str) and args[1].every():
        return texts.replaced(text, args[0].constant, args[1], op.at)
    return None


def _special(run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    special = _SPECIAL.get(op.name) or (_ENTER if op.last == "__enter__" else None)
    return special(run, op, receiver, args, keywords) if special else None


def _get_attribute(run: Library, op: Call, _: Value, args: Args, __: dict[str, Value]) -> Value | None:
    if len(args) < 2 or not isinstance(args[1].constant, str):
        return _any_attribute(run, args) if len(args) > 1 else None
    name = args[1].constant
    stored = args[0].field(f".{name}")
    found = stored if stored is not None else run.attribute(args[0], name, op)
    if found is None and args[0].name:
        full = run.program.canonical(f"{args[0].name}.{name}")
        found = run.source(full, op.at) or Value(args[0].taints, name=full)
    return joined(found, args[2]) if found is not None and len(args) > 2 and args[2].every() else found


def _any_attribute(run: Library, args: Args) -> Value | None:
    """Return the methods that a computed name may mean: all those whose names begin as it does, where they are few."""
    begins = args[1].literal.partition("\0")[0]
    if not begins or not args[0].classes:
        return None
    places = [place for owner in args[0].classes for place in run.program.ancestors(owner)]
    names = dict.fromkeys(name for place in places for name in place.bindings if name.startswith(begins))
    found = [target for name in names if name[:2] != "__" for target in run.members(args[0], name)]
    return Value(targets=tuple(found)) if 0 < len(found) <= MAX_METHODS else None


def _exception(_: Library, op: Call, __: Value, args: Args, ___: dict[str, Value]) -> Value | None:
    """Return an exception of the language's that data was put into."""
    carries = any(value.every() for value in args)
    return raising.told(Value(name=f"{op.name}()"), args) if carries else None


def _exception_set_up(
    run: Library, op: Call, receiver: Value, args: Args, _: dict[str, Value]
) -> Value | None:
    """Set up an exception of the project by the constructor of the language's own: ``super().__init__(message)``."""
    if receiver.classes and any(value.every() for value in args):
        run.update(op.receiver, raising.told(receiver, args))
    return None


def _set_attribute(run: Library, op: Call, _: Value, args: Args, __: dict[str, Value]) -> Value | None:
    if len(args) == 3 and isinstance(args[1].constant, str):
        run.put(op.args[0], f".{args[1].constant}", args[2]) if op.args else None
    elif len(args) == 3 and op.args:
        held = args[0]
        run.update(op.args[0], replace(held, taints=held.every() + args[2].every()))
    return Value(constant=None)


def _locals(run: Library, _: Call, __: Value, ___: Args, ____: dict[str, Value]) -> Value | None:
    value = Value(shape="dict")
    for name in sorted(run.state):
        if not name.startswith("%"):
            value = value.with_part(f"[{name!r}]", run.state[name], depth(run.state[name]))
    return value


def _vars(_: Library, __: Call, ___: Value, args: Args, ____: dict[str, Value]) -> Value | None:
    return attributes(args[0]) if args else None


def _partial(_: Library, op: Call, __: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    if not args or op.stars:
        return None
    first = args[0]
    targets = first.targets or ((Target(None, first.name),) if first.name else ())
    given = tuple(keywords.items())
    return Value(targets=tuple(
        replace(target, args=(*target.args, *args[1:]), keywords=(*target.keywords, *given)) for target in targets
    ))  # fmt: skip


def _printed(run: Library, op: Call, _: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    """Print into a file that is passed: its object holds the text from then on."""
    target = dict(op.keywords).get("file")
    taints = merged(*(value.every() for value in args)) if target is not None else ()
    if taints:
        run.update(target, keywords["file"].with_part(ANY, Value(taints)))
    return Value(constant=None)


def _namespace(_: Library, __: Call, ___: Value, ____: Args, keywords: dict[str, Value]) -> Value | None:
    """Return an object with the keywords as its attributes."""
    rest = keywords.get("**", CLEAN)
    fields = {f".{name[2:-2]}": part for name, part in rest.fields if name.startswith("['")}
    fields.update((f".{key}", value) for key, value in keywords.items() if key != "**")
    other = rest.field(ANY)
    return Value(
        merged(rest.taints, other.every() if other is not None else ()), fields=tuple(sorted(fields.items()))
    )


def _copied(run: Library, op: Call, _: Value, args: Args, __: dict[str, Value]) -> Value | None:
    """Return a copy of the whole environment, or of the configuration; the text of an exception; None for all else."""
    if len(args) == 1 and args[0].classes and op.last == "str":
        written = next(
            (found for name in ("__str__", "__repr__") if (found := run.members(args[0], name))), ()
        )
        said = run.invoke(written, (), (), {}, op) if written else run.said(args[0])
        return said if said is not args[0] else None
    whole = len(args) == 1 and args[0].name in _WHOLE
    return run.source(f"{args[0].name}.copy()", op.at) if whole else None


def _getter(_: Library, op: Call, __: Value, args: Args, ___: dict[str, Value]) -> Value | None:
    return Value(targets=(Target(None, f"{op.name}()", args=args),)) if args else None


def _iterated(run: Library, op: Call, _: Value, args: Args, __: dict[str, Value]) -> Value | None:
    """Go on calling what is passed: ``iter(read, b"")``."""
    targets = args[0].targets if len(args) == 2 else ()
    return containers.element(run.invoke(targets, (), (), {}, op)) if targets else None


def _named_tuple(_: Library, __: Call, ___: Value, args: Args, ____: dict[str, Value]) -> Value | None:
    return record_maker(args)


def _dumped(run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    """Return a text that still knows what it was made of, for when it is read back."""
    if not args or not args[0].every():
        return None
    return result(run.models, op, receiver, args, keywords).with_part(PAYLOAD, args[0])


def _pickled(run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]) -> Value | None:
    """Return bytes that hold what was made into them, and no object of another's making."""
    found = _dumped(run, op, receiver, args, keywords)
    return None if found is None else found.refined(lambda taint: taint.cleaned(("deserialization",)))


def _operated(_: Library, op: Call, __: Value, args: Args, ___: dict[str, Value]) -> Value | None:
    """Return what an operator gives that is called by its name, where it builds a text."""
    if len(args) != 2 or args[0].shape or args[1].shape:
        return None
    if op.last == "mod":
        text = args[0].constant
        return texts.percent(text, args[1], op.at) if isinstance(text, str) else None
    return joined_text(list(args), (), op.at)


def _loaded(_: Library, __: Call, ___: Value, args: Args, ____: dict[str, Value]) -> Value | None:
    return args[0].field(PAYLOAD) if args else None


def _split_ending(
    run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]
) -> Value | None:
    """Return a path in two: what stands before its ending, and the ending, which holds no slash."""
    if not args or not args[0].every():
        return None
    path = result(run.models, op, receiver, args, keywords)
    ending = path.refined(lambda taint: taint.cleaned(("path",)))
    return Value(shape="tuple", fields=(("[0]", path), ("[1]", ending)))


def _template(_: Library, __: Call, ___: Value, args: Args, ____: dict[str, Value]) -> Value | None:
    text = args[0].constant if args else None
    return Value(literal=text, name="string.Template()") if isinstance(text, str) else None


def _reduce(run: Library, op: Call, _: Value, args: Args, __: dict[str, Value]) -> Value | None:
    if len(args) < 2 or not args[0].targets:
        return None
    item = args[1].part(EACH)
    start = args[2] if len(args) > 2 else item
    once = run.invoke(args[0].targets, (start, item), (), {}, op)
    return run.invoke(args[0].targets, (joined(once, start), item), (), {}, op)


def _entered(run: Library, op: Call, receiver: Value, _: Args, __: dict[str, Value]) -> Value | None:
    """Enter a context: what a generator hands out, else the object itself."""
    del run
    if receiver.shape == "iterator":
        return receiver.part(EACH)
    return (
        receiver
        if not op.name
        else replace(receiver, name=receiver.name or op.name.removesuffix(".__enter__"))
    )


_ENTER = _entered
_SPECIAL: dict[str, Callable[[Library, Call, Value, Args, dict[str, Value]], Value | None]] = {
    **dict.fromkeys(raising.BUILTIN, _exception),
    **dict.fromkeys([f"{name}().__init__" for name in raising.BUILTIN], _exception_set_up),
    "getattr": _get_attribute, "setattr": _set_attribute, "locals": _locals, "vars": _vars,
    "dataclasses.asdict": _vars, "attr.asdict": _vars, "attrs.asdict": _vars,
    "functools.partial": _partial, "functools.partialmethod": _partial, "staticmethod": _partial, "operator.itemgetter": _getter,
    "operator.attrgetter": _getter, "operator.methodcaller": _getter, "json.dumps": _dumped, "json.loads": _loaded, "flask.json.dumps": _dumped,
    "flask.json.loads": _loaded, "pickle.dumps": _pickled, "pickle.loads": _loaded, "operator.add": _operated,
    "operator.concat": _operated, "operator.iadd": _operated, "operator.iconcat": _operated, "operator.mod": _operated,
    "string.Template": _template, "collections.namedtuple": _named_tuple,
    "functools.reduce": _reduce, "types.SimpleNamespace": _namespace, "argparse.Namespace": _namespace, "print": _printed,
    "os.path.splitext": _split_ending, "posixpath.splitext": _split_ending,
    "dict": _copied, "str": _copied, "filter": filtered,
    "iter": _iterated,
    "type().__new__": lambda _run, _op, _receiver, args, _keywords: args[-1] if args else None,
    "typing.cast": lambda _run, _op, _receiver, args, _keywords: args[1] if len(args) > 1 else None,
    "contextlib.closing": lambda _run, _op, _receiver, args, _keywords: args[0] if args else None,
}  # fmt: skip


def _in_container(
    run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]
) -> Value | None:
    """Look into lists, dicts, sets and objects that keep values under keys."""
    name = op.name or (op.last if op.receiver is None else "")
    if op.receiver is None or not receiver.shape:
        found = containers.made(name, args, keywords) if not op.stars else None
        if found is not None:
            if name in _KEYED and keywords.get("key", CLEAN).targets and args:
                run.invoke(keywords["key"].targets, (args[0].part(EACH),), (), {}, op)
                run.dead = False
            return found
    if op.receiver is None or receiver.classes or name.startswith("operator."):
        return None
    kept = (
        containers.method(op.last, receiver, args, keywords)
        if receiver.shape or op.last == "update"
        else None
    )
    if kept is None and not receiver.shape and not receiver.taints:
        kept = containers.stored(op.last, op.name or receiver.name, receiver, args, keywords)
    if kept is None:
        return None
    value, after = kept
    if after is not receiver and isinstance(op.receiver, AccessPath) and after != receiver:
        run.update(op.receiver, after)
    return value


def _called_back(
    run: Library, op: Call, receiver: Value, args: Args, keywords: dict[str, Value]
) -> Value | None:
    """Call the functions of the project that a library's function is given, with what else it is given."""
    name = op.name or (op.last if op.receiver is None else "")
    places = [place for place, value in enumerate(args) if value.targets]
    if not places and name == "map" and len(args) == 2 and run.models.find("sanitizer", args[0].name):
        return containers.element(run.library(args[0].name, (args[1].part(EACH),), {}, op))
    if not places and op.last in _RUNNING:
        args = tuple([_callable(value) for value in args])
        places = [place for place, value in enumerate(args) if value.targets]
    if not places:
        return _by_keyword(run, op, keywords) if keywords else None
    place = places[0]
    given, others = args[place], (*args[:place], *args[place + 1 :])
    if name in _EACH or op.last in _MAPPING:
        items = tuple(value.part(EACH) for value in args[place + 1 :])
        value = run.invoke(given.targets, items, (), {}, op)
        run.dead = False
        return containers.element(value if op.last != "filter" else together(list(items)))
    if not any(value.every() for value in (receiver, *others, *keywords.values(), given)) and not _holds(
        given
    ):
        return None
    named = {key: value for key, value in keywords.items() if key in ("kwargs", "kwds")}
    spread = {"**": next(iter(named.values()))} if named else dict(keywords)
    value = run.invoke(given.targets, args[place + 1 :], (), spread, op)
    run.dead = False
    return value


def _callable(value: Value) -> Value:
    """Return a value that may be called: a library's function by its name."""
    return value if value.targets or not value.name else Value(targets=(Target(None, value.name),))


def _holds(given: Value) -> bool:
    """Tell whether a function carries data along: its receiver, its first arguments, the variables around it."""
    return any(
        value.every()
        for target in given.targets
        for value in (
            *target.args,
            *([target.receiver] if target.receiver else []),
            *dict(target.outer).values(),
        )
    )


def _by_keyword(run: Library, op: Call, keywords: dict[str, Value]) -> Value | None:
    """Call what is passed as ``target`` or ``key``, with what is passed as ``args`` and ``kwargs``."""
    named = [_callable(value) for key, value in keywords.items() if key in _CALLED]
    called = next((value for value in named if value.targets), None)
    if called is None:
        return None
    given = keywords.get("args", CLEAN)
    spread = {"**": keywords["kwargs"]} if "kwargs" in keywords else {}
    if not any(value.every() for value in keywords.values()) and not _holds(called):
        return None
    value = run.invoke(
        called.targets, (given,) if given is not CLEAN else (), (0,) if given is not CLEAN else (), spread, op
    )
    run.dead = False
    return value


_TEXTS = frozenset(
    ("urlunsplit", "urlunparse", "substitute", "safe_substitute", "join", "format", "format_map", "replace")
)
_LOOKS = (_folded, _text, _special, _in_container, _called_back)
