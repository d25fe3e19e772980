"""What a form, a parser, a schema or a model lets through, field by field, as it is declared.

A field with a type of numbers, dates or choices holds nothing that harms; one with a pattern holds what its characters allow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stopper.records import dataclass, field
from stopper.source.module import Kind, Scope
from stopper.source.names import Names, Ref, RefKind
from stopper.source.values import evaluate
from stopper.taint.characters import chosen, harmless, matched
from stopper.taint.domain import ALL

_TYPES = frozenset(
    (
        "Integer Int Float Decimal Number Boolean Bool DateTime AwareDateTime NaiveDateTime Date Time TimeDelta UUID Enum IP IPv4 IPv6 "
        "IPInterface IntegerField DecimalField FloatField BooleanField DateField DateTimeField TimeField MonthField WeekField "
        "IntegerRangeField DecimalRangeField DateTimeLocalField SelectField RadioField SubmitField EnumField UUIDField "
        "int float bool complex UUID date datetime time timedelta Decimal natural positive int_range boolean date_from_iso8601 "
        "datetime_from_iso8601 datetime_from_rfc822 iso8601interval PositiveInt NegativeInt NonNegativeInt NonPositiveInt PositiveFloat "
        "StrictInt StrictBool StrictFloat UUID1 UUID3 UUID4 UUID5 IPvAnyAddress IPv4Address IPv6Address PastDate FutureDate Literal Range"
    ).split()
)
_CHECKS = frozenset(
    ("AnyOf", "OneOf", "UUID", "IPAddress", "MacAddress", "NumberRange", "Range", "ContainsOnly")
)
_PATTERNS = frozenset(("Regexp", "regex"))
_OBJECTS = frozenset("Nested List Dict Mapping Raw Tuple list dict FieldList FormField set tuple".split())
_UPLOADS = frozenset(("FileField", "MultipleFileField", "FileStorage", "Upload"))
_ADDRESSES = frozenset("Url URL HttpUrl AnyHttpUrl url".split())
_CLOSED = frozenset(("enum.Enum", "enum.IntEnum", "enum.StrEnum"))
_ALL = frozenset((ALL,))


@dataclass(frozen=True, slots=True)
class Declared:
    """What one field lets through."""

    clean: frozenset[str] = frozenset()
    """The kinds of sinks that it cannot harm."""
    marks: frozenset[str] = frozenset()
    """``object`` where it may be a list or a dict, ``stream`` where it is a file."""


TEXT = Declared()
"""Text of any kind."""


@dataclass(slots=True)
class Reader:
    """Read declarations."""

    names: Names
    _memo: dict[int, tuple[dict[str, Declared], int]] = field(default_factory=dict)
    """The fields of each class, and the parts of the code on which they rest: see ``Names.rested``."""

    def fields(self, owner: Scope) -> dict[str, Declared]:
        """Return the fields of a form, a schema or a model, those of its bases included."""
        return self.names.remembered(self._memo, id(owner), owner.bit, lambda: self._with_bases(owner))

    def _with_bases(self, owner: Scope) -> dict[str, Declared]:
        found: dict[str, Declared] = {}
        ancestors = [ref.scope for ref in self.names.bases(owner) if ref.scope is not None]
        for scope in (*reversed(ancestors), owner):
            self.names.rested |= scope.bit
            found.update(self._own(scope))
        return found

    def _own(self, scope: Scope) -> Iterator[tuple[str, Declared]]:
        for statement in scope.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                yield statement.target.id, self._annotated(statement, scope)
            elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, self.made(statement.value, scope)

    def entries(self, expr: ast.expr, scope: Scope) -> dict[str, Declared] | None:
        """Return the fields that ``{"name": fields.Str()}``, a schema or a model names; None for all else."""
        if isinstance(expr, ast.Dict):
            pairs = zip(expr.keys, expr.values, strict=True)
            return {
                str(key.value): self.made(value, scope)
                for key, value in pairs
                if isinstance(key, ast.Constant) and isinstance(value, ast.Call)
            }
        ref = self.names.resolve(expr, scope)
        if ref is not None and ref.scope is not None and ref.scope.kind is Kind.CLASS:
            return self.fields(ref.scope)
        bound = scope.module.scope.bindings.get(getattr(expr, "id", ""), [])
        values = [one.value for one in bound if isinstance(one.value, ast.Dict)]
        return self.entries(values[0], scope.module.scope) if values else None

    def made(self, call: ast.Call, scope: Scope) -> Declared:
        """Return what a field made by a call lets through: ``fields.Str(validate=OneOf(...))``."""
        last = _last(call.func)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if last in _TYPES:
            return Declared(_ALL)
        if last in _UPLOADS:
            return Declared(marks=frozenset(("stream",)))
        kinds = frozenset(("page-url",)) if last in _ADDRESSES else frozenset[str]()
        for name in ("validators", "validate"):
            given = keywords.get(name) or (
                call.args[1] if name == "validators" and len(call.args) > 1 else None
            )
            if given is not None:
                kinds |= self._checked(given, scope)
        if "pattern" in keywords or "regex" in keywords:
            kinds |= self._pattern(keywords.get("pattern") or keywords["regex"], scope)
        return Declared(kinds, frozenset(("object",)) if last in _OBJECTS else frozenset())

    def argument(self, call: ast.Call, scope: Scope) -> tuple[str, Declared]:
        """Return the name of an argument that a parser takes, and what it lets through."""
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        first = call.args[0] if call.args else keywords.get("name")
        name = str(first.value).lstrip("-") if isinstance(first, ast.Constant) else ""
        kept = keywords.get("dest")
        name = str(kept.value) if isinstance(kept, ast.Constant) else name
        choices = keywords.get("choices")
        if choices is not None:
            return name, Declared(_ALL)
        kind = keywords.get("type")
        if kind is None:
            return name, TEXT
        made = kind if isinstance(kind, ast.Call) else None
        if made is not None and _last(made.func) in _PATTERNS and made.args:
            return name, Declared(self._pattern(made.args[0], scope))
        last = _last(made.func if made is not None else kind)
        if last in _UPLOADS:
            return name, Declared(marks=frozenset(("stream",)))
        marks = frozenset(("object",)) if last in _OBJECTS else frozenset[str]()
        return name, Declared(_ALL if last in _TYPES or self._is_enum(kind, scope) else frozenset(), marks)

    def _checked(self, given: ast.expr, scope: Scope) -> frozenset[str]:
        """Return the kinds that validators make harmless."""
        every = given.elts if isinstance(given, ast.List | ast.Tuple) else [given]
        kinds: frozenset[str] = frozenset()
        for item in every:
            if not isinstance(item, ast.Call):
                continue
            last = _last(item.func)
            if last in _CHECKS:
                return _ALL
            if last in _PATTERNS and item.args:
                kinds |= self._pattern(item.args[0], scope)
        return kinds

    def _pattern(self, expr: ast.expr, scope: Scope) -> frozenset[str]:
        if isinstance(expr, ast.Call) and _last(expr.func) == "compile" and expr.args:
            expr = expr.args[0]
        value = evaluate(expr, scope, self.names)
        if not value.known or not isinstance(value.constant, str):
            return frozenset()
        if chosen(value.constant):
            return _ALL
        characters = matched(value.constant, "match")
        return harmless(characters) if characters is not None else frozenset()

    def annotation(self, expr: ast.expr, scope: Scope) -> Declared:
        """Return what a value with this annotation may be: ``int``, ``str | None``, ``Annotated[str, ...]``."""
        if isinstance(expr, ast.Constant) and isinstance(expr.value, str):
            return self._quoted(expr.value, scope)
        if isinstance(expr, ast.BinOp):
            sides = [side for side in (expr.left, expr.right) if getattr(side, "value", 0) is not None]
            return _least([self.annotation(side, scope) for side in sides])
        if isinstance(expr, ast.Subscript):
            return self._generic(expr, scope)
        if isinstance(expr, ast.Call):
            return self.made(expr, scope)
        last = _last(expr)
        if last in _TYPES or self._is_enum(expr, scope):
            return Declared(_ALL)
        if last in _OBJECTS:
            return Declared(marks=frozenset(("object",)))
        return Declared(frozenset(("page-url",))) if last in _ADDRESSES else TEXT

    def _quoted(self, text: str, scope: Scope) -> Declared:
        try:
            return self.annotation(ast.parse(text, mode="eval").body, scope)
        except (SyntaxError, ValueError):
            return TEXT

    def _generic(self, expr: ast.Subscript, scope: Scope) -> Declared:
        last = _last(expr.value)
        if last == "Literal":
            return Declared(_ALL)
        inner = expr.slice.elts if isinstance(expr.slice, ast.Tuple) else [expr.slice]
        if last == "Annotated":
            extra = [self.made(item, scope) for item in inner[1:] if isinstance(item, ast.Call)]
            first = self.annotation(inner[0], scope)
            return Declared(first.clean.union(*(one.clean for one in extra)), first.marks)
        found = _least([self.annotation(item, scope) for item in inner])
        return found if last in ("Optional", "Union") else Declared(found.clean, frozenset(("object",)))

    def _annotated(self, statement: ast.AnnAssign, scope: Scope) -> Declared:
        found = self.annotation(statement.annotation, scope)
        if isinstance(statement.value, ast.Call):
            more = self.made(statement.value, scope)
            return Declared(found.clean | more.clean, found.marks)
        return found

    def _is_enum(self, expr: ast.expr, scope: Scope) -> bool:
        ref: Ref | None = self.names.resolve(expr, scope)
        if ref is None or ref.kind is not RefKind.CLASS or ref.scope is None:
            return False
        return any(base.name in _CLOSED for base in self.names.bases(ref.scope))


def _least(every: list[Declared]) -> Declared:
    """Return what a value may be that is one of several."""
    if not every:
        return TEXT
    clean = every[0].clean if len(every) == 1 else frozenset[str]()
    if all(ALL in one.clean for one in every):
        clean = _ALL
    return Declared(clean, frozenset().union(*(one.marks for one in every)))


def _last(expr: ast.expr) -> str:
    return str(getattr(expr, "attr", getattr(expr, "id", "")))
