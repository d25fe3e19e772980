"""Expressions: from tree-sitter's nodes to those of ``ast``."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from stopper.source.recover_part import Lost, Part, turn
from stopper.source.recover_strings import word

BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "@": ast.MatMult, "/": ast.Div, "%": ast.Mod,
    "//": ast.FloorDiv, "**": ast.Pow, "|": ast.BitOr, "&": ast.BitAnd, "^": ast.BitXor,
    "<<": ast.LShift, ">>": ast.RShift,
}  # fmt: skip
_UNARY: dict[str, type[ast.unaryop]] = {"+": ast.UAdd, "-": ast.USub, "~": ast.Invert}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt, "<=": ast.LtE, "==": ast.Eq, "!=": ast.NotEq, "<>": ast.NotEq, ">=": ast.GtE, ">": ast.Gt,
    "in": ast.In, "not in": ast.NotIn, "is": ast.Is, "is not": ast.IsNot,
}  # fmt: skip


def expressions(part: Part) -> list[ast.expr]:
    """Return what was made of the named children."""
    return [child.expr() for child in part.parts]


def inner(part: Part) -> object:
    """Hand on what was made of the only child: parentheses, a type, a decorator, a condition."""
    return part.only().made


def tuple_(part: Part) -> ast.expr:
    """Build a tuple."""
    return part.at(ast.Tuple(expressions(part), ast.Load()))


def tuple_pattern(part: Part) -> ast.expr:
    """Build the tuple that is assigned to; with one target and no comma it is only in parentheses."""
    if len(part.parts) == 1 and not part.has(","):
        return part.only().expr()
    return tuple_(part)


def list_(part: Part) -> ast.expr:
    """Build a list."""
    return part.at(ast.List(expressions(part), ast.Load()))


def set_(part: Part) -> ast.expr:
    """Build a set."""
    return part.at(ast.Set(expressions(part)))


def splat(part: Part) -> ast.expr:
    """Build ``*name``."""
    return part.at(ast.Starred(part.only().expr(), ast.Load()))


def binary(part: Part) -> ast.expr:
    """Build an arithmetic operation."""
    operator = BINARY.get(part.need("operator").kind)
    if operator is None:
        raise Lost("operator")
    return part.at(ast.BinOp(part.need("left").expr(), operator(), part.need("right").expr()))


def boolean(part: Part) -> ast.expr:
    """Build ``and`` or ``or``; a chain of the same is one node."""
    left, right = part.need("left"), part.need("right").expr()
    operator = ast.And if part.need("operator").kind == "and" else ast.Or
    before = left.made
    if left.kind == "boolean_operator" and isinstance(before, ast.BoolOp) and isinstance(before.op, operator):
        before.values.append(right)
        return part.at(before)
    return part.at(ast.BoolOp(operator(), [left.expr(), right]))


def not_(part: Part) -> ast.expr:
    """Build ``not``."""
    return part.at(ast.UnaryOp(ast.Not(), part.need("argument").expr()))


def unary(part: Part) -> ast.expr:
    """Build a sign."""
    return part.at(ast.UnaryOp(_UNARY[part.need("operator").kind](), part.need("argument").expr()))


def comparison(part: Part) -> ast.expr:
    """Build a comparison, chained or not."""
    signs = [_COMPARE[child.kind]() for child in part.children if child.kind in _COMPARE]
    first, *others = expressions(part)
    if len(others) != len(signs):
        raise Lost("comparison")
    return part.at(ast.Compare(first, signs, others))


def conditional(part: Part) -> ast.expr:
    """Build ``a if b else c``."""
    body, test, orelse = expressions(part)
    return part.at(ast.IfExp(test, body, orelse))


def walrus(part: Part) -> ast.expr:
    """Build ``name := value``."""
    target = part.need("name").expr()
    if not isinstance(target, ast.Name):
        raise Lost("name")
    turn(target)
    return part.at(ast.NamedExpr(target, part.need("value").expr()))


def attribute(part: Part) -> ast.expr:
    """Build ``object.name``."""
    name = part.need("attribute")
    if name.missing:
        raise Lost("attribute")
    return part.at(ast.Attribute(part.need("object").expr(), word(name), ast.Load()))


def member_type(part: Part) -> ast.expr:
    """Build ``object.name`` in an annotation."""
    return part.at(ast.Attribute(part.only().expr(), word(part.parts[-1]), ast.Load()))


def subscript(part: Part) -> ast.expr:
    """Build ``value[index]``."""
    index = _index(part, list(part.every("subscript")))
    value = part.need("value").expr()
    if isinstance(
        value, ast.Starred
    ):  # the parser binds the star of ``*tuple[int]`` closer than the brackets
        value.value = part.at(ast.Subscript(value.value, index, ast.Load()))
        return part.at(value)
    return part.at(ast.Subscript(value, index, ast.Load()))


def generic_type(part: Part) -> ast.expr:
    """Build ``name[types]`` in an annotation."""
    name, types = part.parts
    return part.at(ast.Subscript(name.expr(), _index(types, types.parts), ast.Load()))


def _index(part: Part, every: Sequence[Part]) -> ast.expr:
    if not every:
        raise Lost("subscript")
    comma = next((child for child in reversed(part.children) if child.kind == ","), None)
    last = max((every[-1], comma or every[-1]), key=lambda child: child.end)
    if comma is None and every[0].kind != "list_splat":
        return every[0].expr()
    return part.between(ast.Tuple([item.expr() for item in every], ast.Load()), every[0], last)


def union_type(part: Part) -> ast.expr:
    """Build ``a | b`` in an annotation."""
    left, right = expressions(part)
    return part.at(ast.BinOp(left, ast.BitOr(), right))


def slice_(part: Part) -> ast.expr:
    """Build ``lower:upper:step``."""
    bounds: list[ast.expr | None] = [None, None, None]
    position = 0
    for child in part.children:
        if child.kind == ":":
            position += 1
        elif child.named and child.kind != "ERROR" and position < len(bounds):
            bounds[position] = child.expr()
    return part.at(ast.Slice(*bounds))


def call(part: Part) -> ast.expr:
    """Build a call."""
    arguments = part.need("arguments")
    if arguments.kind == "generator_expression":
        return part.at(ast.Call(part.need("function").expr(), [arguments.expr()], []))
    args, keywords = arguments.made
    return part.at(ast.Call(part.need("function").expr(), args, keywords))


def argument_list(part: Part) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Build the arguments: those by position, those by name."""
    by_name = [child.made for child in part.parts if isinstance(child.made, ast.keyword)]
    return [child.expr() for child in part.parts if not isinstance(child.made, ast.keyword)], by_name


def keyword_argument(part: Part) -> ast.keyword:
    """Build ``name=value``."""
    return part.at(ast.keyword(word(part.need("name")), part.need("value").expr()))


def dictionary_splat(part: Part) -> ast.keyword:
    """Build ``**mapping``."""
    return part.at(ast.keyword(None, part.only().expr()))


def pair(part: Part) -> tuple[ast.expr, ast.expr]:
    """Hand on the key and the value."""
    return part.need("key").expr(), part.need("value").expr()


def dictionary(part: Part) -> ast.expr:
    """Build a dict."""
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for child in part.parts:
        key, value = (
            (None, child.made.value)
            if isinstance(child.made, ast.keyword)
            else child.made or (None, child.opaque())
        )
        keys.append(key)
        values.append(value)
    return part.at(ast.Dict(keys, values))


def comprehension(part: Part) -> ast.expr:
    """Build a comprehension or a generator."""
    body = part.need("body")
    clauses = _clauses(part)
    if part.kind == "dictionary_comprehension":
        key, value = body.made
        return part.at(ast.DictComp(key, value, clauses))
    if part.kind == "list_comprehension":
        return part.at(ast.ListComp(body.expr(), clauses))
    if part.kind == "set_comprehension":
        return part.at(ast.SetComp(body.expr(), clauses))
    return part.at(ast.GeneratorExp(body.expr(), clauses))


def _clauses(part: Part) -> list[ast.comprehension]:
    clauses: list[ast.comprehension] = []
    for child in part.parts:
        if isinstance(child.made, ast.comprehension):
            clauses.append(child.made)
        elif child.kind == "if_clause" and clauses:
            clauses[-1].ifs.append(child.expr())
    if not clauses:
        raise Lost("comprehension")
    return clauses


def for_in_clause(part: Part) -> ast.comprehension:
    """Build the ``for`` of a comprehension; Python 2 lets it walk a tuple without parentheses."""
    right = list(part.every("right"))
    if not right:
        raise Lost("right")
    iterated = (
        right[0].expr()
        if len(right) == 1
        else part.at(ast.Tuple([item.expr() for item in right], ast.Load()))
    )
    return ast.comprehension(turn(part.need("left").expr()), iterated, [], int(part.has("async")))


def await_(part: Part) -> ast.expr:
    """Build ``await``."""
    return part.at(ast.Await(part.only().expr()))


def yield_(part: Part) -> ast.expr:
    """Build ``yield`` and ``yield from``."""
    value = part.only().expr() if part.parts else None
    if part.has("from"):
        return part.at(ast.YieldFrom(value or part.opaque()))
    return part.at(ast.Yield(value))


def lambda_(part: Part) -> ast.expr:
    """Build a lambda."""
    parameters = part.get("parameters")
    arguments = parameters.made if parameters is not None else None
    return part.at(ast.Lambda(arguments or no_parameters(), part.need("body").expr()))


def no_parameters() -> ast.arguments:
    """Return an empty signature."""
    return ast.arguments(
        posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[]
    )


def signature(part: Part) -> ast.arguments:
    """Build the parameters of a function."""
    made = no_parameters()
    by_name_only = False
    for child in part.parts:
        starred = child.only().kind if child.kind == "typed_parameter" else child.kind
        if child.kind == "positional_separator":
            made.posonlyargs, made.args = made.args, []
        elif child.kind == "keyword_separator":
            by_name_only = True
        elif starred == "list_splat_pattern":
            made.vararg, by_name_only = _parameter(child), True
        elif starred == "dictionary_splat_pattern":
            made.kwarg = _parameter(child)
        else:
            _add_parameter(made, child, by_name_only)
    return made


def _add_parameter(made: ast.arguments, part: Part, by_name_only: bool) -> None:
    value = part.get("value")
    default = value.expr() if value is not None else None
    if by_name_only:
        made.kwonlyargs.append(_parameter(part))
        made.kw_defaults.append(default)
        return
    made.args.append(_parameter(part))
    if default is not None:
        made.defaults.append(default)


def _parameter(part: Part) -> ast.arg:
    """Build one parameter; the tuple that Python 2 allows gets the name that the compiler gave it."""
    name = part.get("name") or part
    annotation = part.get("type")
    while name.kind not in {"identifier", "tuple_pattern"}:
        name = name.only()
    last = annotation or name
    text = word(name) if name.kind == "identifier" else ".0"
    return part.between(ast.arg(text, annotation.expr() if annotation is not None else None), name, last)
