"""Calls of the project's own functions: which one is meant, what it is given, and what it gives and leaves behind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from stopper.source.module import Kind
from stopper.taint.binding import Answer, bound
from stopper.taint.binding import named as named_arguments
from stopper.taint.change import Change
from stopper.taint.domain import CLEAN, SEQUENCES, UNKNOWN, Target, Value, joined, merged, together
from stopper.taint.frame import Frame
from stopper.taint.ir import AccessPath, Call, Define, Operand, Store
from stopper.taint.raising import BUILTIN, outwards, told
from stopper.taint.refusals import near_miss
from stopper.taint.steps import accepts
from stopper.taint.summary import Summary

Args = tuple[Value, ...]
_WORKERS = ("threading.Thread", "threading.Timer", "multiprocessing.Process")
_MAKERS = frozenset(("namedtuple", "collections.namedtuple"))
LIGHT = 20
"""How much of what is handed to a function and back costs as much time as one operation."""


class Calls(Frame):
    """Follow calls into functions, methods, constructors, closures and partials of the project."""

    def targets(self, op: Call, receiver: Value) -> tuple[Target, ...]:
        """Return what a call may reach: by the value that is called, by the class of the receiver, or by its name."""
        if op.function is not None:
            value = self.read(op.function)
            if value.targets:
                return value.targets
            called = [*self._methods(value, "__call__")]
            if any(called):
                return tuple(target for target in called if target is not None)
            if value.name:
                return (Target(None, value.name),)
        if op.direct:
            return self._inherited(op, receiver)
        if op.receiver is not None:
            found = self.members(receiver, op.last) or self._forwarded(receiver, op)
            if found:
                return found
        if op.callee is None:
            return ()
        return self._named(op, receiver)

    def _forwarded(self, receiver: Value, op: Call) -> tuple[Target, ...]:
        """Return what a method stands for that an object has of another one, to which it hands what it is asked."""
        if op.last == "start" and any(
            self.program.base(owner).endswith(_WORKERS) for owner in receiver.classes
        ):
            return self.members(receiver, "run")
        kept = receiver.field(f".{op.last}") if receiver.classes else None
        if kept is not None and kept.name and "(" not in kept.name:
            return (Target(None, kept.name),)
        made = tuple(target for owner in receiver.classes for target in self._made_there(owner, op.last))
        if made:
            return made
        value = self._answered(receiver, op.last, op) if receiver.classes else None
        if value is None:
            return ()
        return value.targets or ((Target(None, value.name),) if value.name else ())

    def _made_there(self, owner: Any, name: str) -> tuple[Target, ...]:
        """Return what a class's body makes that is called on its objects without them: ``run = partial(...)``, ``staticmethod(f)``."""
        found = self.program.names.member(owner, name)
        made = found[1].value if found is not None else None
        if not isinstance(made, ast.Call) or ast.unparse(made.func).endswith("partialmethod"):
            return ()
        value = self._held(owner, name)
        return value.targets if value is not None else ()

    def _inherited(self, op: Call, receiver: Value) -> tuple[Target, ...]:
        owner = self.function.scope.owner
        scope = self.program.after(owner, op.last) if owner is not None else None
        return (self._bound(scope, receiver),) if scope is not None else ()

    def _named(self, op: Call, receiver: Value) -> tuple[Target, ...]:
        if op.callee.kind is Kind.CLASS or op.receiver is None or not self.program.how(op.callee):
            return self.engine.function(op.callee).targets
        if self.read(op.receiver).targets and self.program.how(op.callee) == "method":
            return self.engine.function(op.callee).targets
        return (self._bound(op.callee, receiver),)

    def members(self, holder: Value, name: str) -> tuple[Target, ...]:
        """Return the functions that a member of an object, a class or a module is."""
        stored = holder.field(f".{name}") if holder.fields else None
        if stored is not None and stored.targets:
            return stored.targets
        if not holder.classes and not holder.targets:
            return ()
        found = [*self._methods(holder, name)]
        for target in holder.targets:
            scope = target.scope
            if scope is None:
                continue
            if scope.kind is Kind.CLASS:
                found.append(self._of_class(scope, name))
            elif scope.kind is Kind.MODULE:
                found += self.engine.variable(scope, name).targets
        return tuple(target for target in found if target is not None)

    def _methods(self, holder: Value, name: str) -> Iterator[Target | None]:
        """Yield the methods of a name that an object may have, each bound to the object as an instance of the classes that have it."""
        owners: dict[int, list[Any]] = {}
        scopes: dict[int, Any] = {}
        for owner in holder.classes:
            scope = self.program.method(owner, name)
            if scope is not None:
                scopes[id(scope)] = scope
                owners.setdefault(id(scope), []).append(owner)
        for key, scope in scopes.items():
            narrow = len(owners[key]) < len(holder.classes)
            yield self._bound(scope, replace(holder, classes=tuple(owners[key])) if narrow else holder)

    def _of_class(self, owner: Any, name: str) -> Target | None:
        scope = self.program.method(owner, name)
        if scope is None:
            return None
        how = self.program.how(scope)
        return self._bound(scope, Value(targets=(Target(owner),))) if how == "class" else Target(scope)

    def _bound(self, scope: Any, receiver: Value) -> Target:
        """Return a member bound to its receiver; a decorated one is what its decorators made of it."""
        if self.program.how(scope) == "static":
            return Target(scope)
        target = next(iter(self.engine.function(scope).targets), Target(scope))
        return Target(target.scope, target.name, receiver, target.args, target.keywords, target.outer)

    def attribute(self, base: Value, name: str, op: Any) -> Value | None:
        """Return what a member of an object, a class or a module is that no store has set; None where there is none."""
        for owner in base.classes:
            scope = self.program.accessor(owner, name, "getter")
            if scope is not None and scope.name == "__get__":
                target = Target(scope, receiver=self._descriptor(owner, name, op))
                return self.invoke((target,), (base, CLEAN), (), {}, op)
            if scope is not None:
                return self.invoke((replace(Target(scope), receiver=base),), (), (), {}, op)
        found = self.members(base, name)
        if found:
            return Value(targets=found)
        values = [value for owner in base.classes if (value := self._held(owner, name)) is not None]
        scopes = [target.scope for target in base.targets if target.scope is not None]
        shared = self.engine.shared.fresh
        held = [self._held(owner, name, shared) for owner in scopes]
        values += [_unstored(value) for value in held if value is not None]
        if not values:
            return self._answered(base, name, op)
        every = together(values)
        return (
            every.holding(merged(base.taints, every.taints), every.fields, UNKNOWN) if base.taints else every
        )

    def _answered(self, base: Value, name: str, op: Any) -> Value | None:
        """Return what an object answers that is asked for an attribute which it does not have."""
        found = self.members(base, "__getattr__") if base.classes else ()
        return self.invoke(found, (Value(constant=name),), (), {}, op) if found else None

    def write_attribute(self, base: Value, op: Store, source: Value) -> bool:
        """Write an attribute by the setter of a property, or by a descriptor; tell whether one did."""
        name = op.part[1:]
        found = {owner: self.program.accessor(owner, name, "setter") for owner in base.classes}
        setters = {id(scope): (owner, scope) for owner, scope in found.items() if scope is not None}
        if None in found.values():
            return False
        for owner, scope in setters.values():
            if scope.name == "__set__":
                call = Call(AccessPath("%set"), "", name, None, (op.base, op.source), at=op.at)
                self.invoke(
                    (Target(scope, receiver=self._descriptor(owner, name, op)),), (base, source), (), {}, call
                )
            else:
                call = Call(AccessPath("%set"), "", name, op.base, (op.source,), at=op.at)
                self.invoke((Target(scope, receiver=base),), (source,), (), {}, call)
        return True

    def _descriptor(self, owner: Any, name: str, op: Any) -> Value:
        """Return a descriptor that a class holds, which is told the name that it goes by there."""
        held = self._held(owner, name) or CLEAN
        told = [self.program.method(one, "__set_name__") for one in held.classes]
        scope = next((one for one in told if one is not None), None)
        if scope is None:
            return held
        given = (held, Value(targets=(Target(owner),)), Value(constant=name))
        return self._set_up(scope, bound(self.engine.lowered(scope), given, (), {}), held, op, scope.name)

    def _held(
        self, owner: Any, name: str, shared: Callable[[str], Value | None] | None = None
    ) -> Value | None:
        """Return a variable of a module, or an attribute of a class or its ancestors."""
        if owner.kind is Kind.MODULE:
            return self.engine.variable(owner, name)
        if owner.kind is not Kind.CLASS:
            return None
        for place in self.program.ancestors(owner):
            cell = (shared or self.engine.shared.get)(f"{place.dotted}.{name}")
            held = self.engine.module(place).get(name) if name in place.bindings else None
            if held is not None and held.known and shared is None and name in place.attributes:
                held = held.holding(held.taints, held.fields, UNKNOWN)  # a method sets it on the object
            if cell is not None or held is not None:
                return joined(cell, held) if cell is not None and held is not None else cell or held
        return None

    def invoke(
        self,
        targets: tuple[Target, ...],
        args: Args,
        stars: tuple[int, ...],
        keywords: dict[str, Value],
        op: Any,
    ) -> Value:
        """Return what a call gives that may reach any of the targets."""
        results: list[Value] = []
        for target in targets:
            value = self._one(target, args, stars, keywords, op)
            results += [] if self.dead else [value]
            self.dead = False
        self.dead = not results
        return together(results)

    def _one(
        self, target: Target, args: Args, stars: tuple[int, ...], keywords: dict[str, Value], op: Any
    ) -> Value:
        if target.args or target.keywords:
            stars = tuple(place + len(target.args) for place in stars)
            args, keywords = (*target.args, *args), {**dict(target.keywords), **keywords}
        if target.scope is None:
            return self.library(target.name, args, keywords, op)
        if target.scope.kind is Kind.CLASS:
            return self.construct(target.scope, args, stars, keywords, op)
        if target.scope.kind is Kind.MODULE:
            return CLEAN
        shifted = 1 if target.receiver is not None else 0
        if target.receiver is not None:
            stars = tuple(place + 1 for place in stars)
            args = (target.receiver, *args)
        return self._followed(target, args, stars, keywords, op, shifted)

    def library(self, name: str, args: Args, keywords: dict[str, Value], op: Any) -> Value:
        """Return what a call of a library's function gives that a value, not a name, leads to."""
        raise NotImplementedError

    def _followed(
        self,
        target: Target,
        args: Args,
        stars: tuple[int, ...],
        keywords: dict[str, Value],
        op: Any,
        shifted: int,
    ) -> Value:
        function = self.engine.lowered(target.scope)
        values = bound(function, args, stars, keywords)
        self._fill(target.scope, values)
        values.update(self._closed_over(target, function.free))
        summary, tokens = self.engine.applied(target.scope, values)
        passed = frozenset(function.params[shifted:])
        answer = Answer(tokens, op.at, target.scope.name, passed)
        self._carry(summary, answer)
        if isinstance(op, Call):
            self._note_verdict(op, target, summary, shifted + len(target.args))
            self._left_behind(target, summary, answer, op, shifted)
        elif isinstance(op, Define):
            self._left_with_maker(target.scope, summary, answer, op)
        self.dead = summary.ends
        self.engine.steps += (
            sum([value.weight for value in (*values.values(), *summary.after.values())]) // LIGHT
        )
        return answer.value(summary.returns)

    def _note_verdict(self, op: Call, target: Target, summary: Summary, shifted: int) -> None:
        """Note what the function has checked of its arguments on each way out, for who tests the answer."""
        names = self.engine.lowered(target.scope).signature.positional[shifted:]
        self.answered.setdefault(id(op), {})[id(target.scope)] = summary.outcomes, names

    def _fill(self, scope: Any, values: dict[str, Value]) -> None:
        """Put in the defaults of the parameters that nothing was passed for."""
        for name, operand in self.engine.lowered(scope).signature.defaults:
            if name in values:
                continue
            if isinstance(operand, AccessPath):
                values[name] = self.engine.variable(scope.parent or scope, operand.base)
            else:
                values[name] = self.read(operand)

    def _closed_over(self, target: Target, free: frozenset[str]) -> dict[str, Value]:
        """Return the variables of enclosing functions: as they are now, where this is the enclosing function."""
        outer = {name: value for name, value in target.outer if name in free}
        if target.scope.parent is self.function.scope:
            outer.update({name: self.state[name] for name in free if name in self.state})
        return outer

    def _carry(self, summary: Summary, answer: Answer) -> None:
        """Take over what the function wrote to cells and, once, what it let reach a sink."""
        for key, value in summary.shares.items():
            self.result.share(key, answer.value(value))
        self.result.cut = self.result.cut or summary.cut
        if summary.raised.fields:
            self.fly(answer.value(outwards(summary.raised)))
        for hit in summary.hits:
            for taint in answer.reaching(hit.taint):
                if not taint.safe_for(hit.kind) and accepts(hit.kind, taint):
                    self.result.hits.setdefault(hit.of(taint))

    def _left_behind(self, target: Target, summary: Summary, answer: Answer, op: Call, shifted: int) -> None:
        """Write back what the function changed: its arguments, its receiver, variables of this function."""
        refusing = near_miss(op.last, self.engine.lowered(target.scope))
        changed = summary.after or refusing or any(summary.checked.values())
        insisted = self.engine.insists_on(target.scope)
        origins = self._origins(target, op, shifted) if changed or insisted else {}
        for name, truth in insisted:
            if name in origins:
                self.learn(self.guards.changes(origins[name], truth))
        for name, operand in origins.items() if changed else ():
            if name in summary.after:
                self.update(operand, answer.value(summary.after[name]))
            kinds = summary.checked.get(name, frozenset())
            near = refusing if operand is not op.receiver else ""
            if (kinds or near) and isinstance(operand, AccessPath):
                cell = self.rereads.get(operand.base, operand.base) if kinds else operand.base
                self.learn([Change(AccessPath(cell), kinds, near)])
        if target.scope.parent is self.function.scope:
            for name, value in summary.outer.items():
                self.state[name] = answer.value(value)
        else:
            for name, value in summary.outer.items():
                self.result.outer[name] = answer.value(value)

    def _left_with_maker(self, scope: Any, summary: Summary, answer: Answer, op: Define) -> None:
        """Write back what a decorator changed in the object of which it is a method, or of which a method has made it."""
        for decorator in op.decorators:
            made = self.function.definitions.get(str(decorator))
            inside = isinstance(made, Call) and scope.parent.kind is Kind.FUNCTION
            params = self.engine.lowered(scope.parent if inside else scope).params
            left = summary.outer if inside else summary.after
            after = left.get(next(iter(params), ""))
            holder = getattr(made, "receiver" if inside else "base", None)
            if holder is not None and after is not None:
                self.update(holder, answer.value(after))

    def _origins(self, target: Target, op: Call, shifted: int) -> dict[str, Operand]:
        """Return where the object was read from that each parameter holds."""
        function = self.engine.lowered(target.scope)
        names = function.signature.positional
        given = [*([op.receiver] if shifted else []), *(op.args if not op.stars else op.args[: op.stars[0]])]
        if target.args:
            given = given[:shifted]
        origins = {name: operand for name, operand in zip(names, given, strict=False) if operand is not None}
        origins.update({key: operand for key, operand in op.keywords if key in function.params})
        return origins

    def construct(
        self, owner: Any, args: Args, stars: tuple[int, ...], keywords: dict[str, Value], op: Any
    ) -> Value:
        """Return an instance of a project's class, set up by its constructor."""
        if self.program.is_closed(owner):
            return CLEAN
        made = self.engine.edges.construct(self, owner, args, keywords)
        if made is not None:
            return made
        instance = Value(classes=(owner,))
        scope = self.program.method(owner, "__init__")
        if scope is None:
            instance = self._generated(owner, instance, args, keywords, op)
            scope, args, stars, keywords = self.program.method(owner, "__post_init__"), (), (), {}
        if scope is None:
            return instance
        values = bound(
            self.engine.lowered(scope), (instance, *args), tuple(place + 1 for place in stars), keywords
        )
        return self._set_up(scope, values, instance, op, owner.name)

    def _set_up(self, scope: Any, values: dict[str, Value], instance: Value, op: Any, name: str) -> Value:
        """Return an instance as a method leaves it that sets it up."""
        function = self.engine.lowered(scope)
        self._fill(scope, values)
        summary, tokens = self.engine.applied(scope, values)
        answer = Answer(tokens, op.at, name, frozenset(function.params[1:]))
        self._carry(summary, answer)
        first = next(iter(function.params), "")
        return answer.value(summary.after.get(first, instance))

    def _generated(
        self, owner: Any, instance: Value, args: Args, keywords: dict[str, Value], op: Any
    ) -> Value:
        """Return an instance whose constructor is not the project's: a record's fields, or what a library's class takes."""
        fields = self.program.record(owner)
        base = self.program.base(owner)
        if fields is None and base != "object":
            self.library(f"{base}.__init__", args, keywords, op)
        named = base == "typing.NamedTuple"
        for name in self.program.converted(owner) if fields else ():
            keywords = {**keywords, name: CLEAN} if name in keywords else keywords
            place = fields.index(name) if fields else 0
            args = (*args[:place], CLEAN, *args[place + 1 :]) if place < len(args) else args
        if fields is None and args and base in BUILTIN:
            return told(instance, args)
        for place, value in enumerate(args):
            if fields is None:
                instance = replace(instance, taints=merged(instance.taints, value.every()))
            elif place < len(fields):
                instance = instance.with_part(f".{fields[place]}", value)
                instance = instance.with_part(f"[{place}]", value) if named else instance
        for key, value in keywords.items():
            if key == "**":
                spread, loose, _ = named_arguments({"**": value})
                for name, part in spread.items():
                    instance = instance.with_part(f".{name}", part)
                if loose is not None:
                    instance = replace(instance, taints=merged(instance.taints, loose.every()))
                for name in self.program.converted(owner) if fields else ():
                    instance = instance.with_part(f".{name}", CLEAN)
                continue
            instance = instance.with_part(f".{key}", value)
            if named and fields is not None and key in fields:
                instance = instance.with_part(f"[{fields.index(key)}]", value)
        for name, scope in self.program.factories(owner) if fields else ():
            if instance.field(f".{name}") is None:
                instance = instance.with_part(f".{name}", self.invoke((Target(scope),), (), (), {}, op))
                self.dead = False
        return replace(instance, shape="tuple") if named else instance


def _unstored(value: Value) -> Value:
    """Return what a class itself holds: a mapped column there is the column's name, not what rows keep in it."""
    return value.refined(lambda taint: None if "stored" in taint.marks else taint)


def record_maker(args: Args) -> Value | None:
    """Return what ``collections.namedtuple("P", "a b")`` gives: something that makes records of these fields."""
    spec = args[1] if len(args) > 1 else CLEAN
    names = spec.constant.replace(",", " ").split() if isinstance(spec.constant, str) else None
    if spec.shape in SEQUENCES and spec.closed:
        names = [str(item.constant) for _, item in spec.items()]
    if names is None:
        return None
    return Value(targets=(Target(None, "namedtuple", keywords=tuple((name, CLEAN) for name in names)),))


def target_of(op: Any) -> AccessPath:
    """Return what takes the result of an operation; where Flask or a template calls, nothing does."""
    found: AccessPath = getattr(op, "target", None) or AccessPath("%0")
    return found
