"""Statements: from tree-sitter's nodes to those of ``ast``. Python 2's become what replaced them."""

from __future__ import annotations

import ast
from typing import Any, cast

from stopper.source.recover_expressions import BINARY, expressions, no_parameters
from stopper.source.recover_part import OPAQUE, Lost, Part, turn
from stopper.source.recover_patterns import pattern
from stopper.source.recover_strings import word

MAX_BRANCHES = 100
"""How many branches of one ``if`` are kept: each nests the next one deeper."""

_HAS_TYPE_PARAMETERS = "type_params" in ast.FunctionDef._fields


def block(part: Part) -> list[ast.stmt]:
    """Collect the statements; those that an error holds are kept."""
    body: list[ast.stmt] = []
    for child in part.children:
        if isinstance(child.made, list):
            body.extend(item for item in child.made if isinstance(item, ast.stmt))
        elif isinstance(child.made, ast.stmt):
            body.append(child.made)
    return body


def expression_statement(part: Part) -> ast.stmt:
    """Build a statement of an expression, or hand on the assignment."""
    parts = part.parts
    if not parts:
        raise Lost("expression")
    if isinstance(parts[0].made, ast.stmt):
        return parts[0].made
    if part.has(","):
        return part.at(ast.Expr(part.at(ast.Tuple(expressions(part), ast.Load()))))
    return part.at(ast.Expr(parts[0].expr()))


def assignment(part: Part) -> ast.stmt:
    """Build an assignment; a chain of them has several targets."""
    left, right, annotation = part.need("left"), part.get("right"), part.get("type")
    target = turn(left.expr())
    if annotation is not None:
        return _annotated(part, target, annotation, right)
    if right is None:
        raise Lost("right")
    if isinstance(right.made, ast.Assign):
        return part.at(ast.Assign([target, *right.made.targets], right.made.value))
    return part.at(ast.Assign([target], right.expr()))


def _annotated(part: Part, target: ast.expr, annotation: Part, right: Part | None) -> ast.stmt:
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise Lost("left")
    simple = int(isinstance(target, ast.Name) and part.need("left").kind == "identifier")
    return part.at(
        ast.AnnAssign(target, annotation.expr(), right.expr() if right is not None else None, simple)
    )


def augmented(part: Part) -> ast.stmt:
    """Build ``a += b``."""
    target = turn(part.need("left").expr())
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise Lost("left")
    operator = BINARY[part.need("operator").kind.removesuffix("=")]
    return part.at(ast.AugAssign(target, operator(), part.need("right").expr()))


def import_(part: Part) -> ast.stmt:
    """Build ``import``."""
    return part.at(ast.Import(_aliases(part)))


def import_from(part: Part) -> ast.stmt:
    """Build ``from ... import``."""
    names = [part.children[-1].at(ast.alias("*"))] if part.first("wildcard_import") else _aliases(part)
    if part.kind == "future_import_statement":
        return part.at(ast.ImportFrom("__future__", names, 0))
    module = part.need("module_name")
    if module.kind == "dotted_name":
        return part.at(ast.ImportFrom(_dotted(module), names, 0))
    prefix, name = module.first("import_prefix"), module.first("dotted_name")
    level = prefix.text.count(".") if prefix is not None else 0
    return part.at(ast.ImportFrom(_dotted(name) if name is not None else None, names, level))


def _aliases(part: Part) -> list[ast.alias]:
    made = []
    for child in part.every("name"):
        name = child.get("name")
        if child.missing or not child.parts:
            continue
        if name is None:
            made.append(child.at(ast.alias(_dotted(child))))
        else:
            made.append(child.at(ast.alias(_dotted(name), word(child.need("alias")))))
    if not made:
        raise Lost("name")
    return made


def _dotted(part: Part) -> str:
    return ".".join(word(child) for child in part.parts)


def print_(part: Part) -> ast.stmt:
    """Build Python 2's ``print`` as the call that it became."""
    stream = part.first("chevron")
    keywords = [stream.at(ast.keyword("file", stream.only().expr()))] if stream is not None else []
    return _called(part, "print", [child.expr() for child in part.every("argument")], keywords)


def exec_(part: Part) -> ast.stmt:
    """Build Python 2's ``exec`` as the call that it became."""
    return _called(part, "exec", expressions(part), [])


def _called(part: Part, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> ast.stmt:
    function = part.between(ast.Name(name, ast.Load()), part.children[0], part.children[0])
    return part.at(ast.Expr(part.at(ast.Call(function, args, keywords))))


def assert_(part: Part) -> ast.stmt:
    """Build ``assert``."""
    test, *message = expressions(part)
    return part.at(ast.Assert(test, message[0] if message else None))


def return_(part: Part) -> ast.stmt:
    """Build ``return``."""
    return part.at(ast.Return(part.only().expr() if part.parts else None))


def delete(part: Part) -> ast.stmt:
    """Build ``del``."""
    only = part.only()
    targets = only.made.elts if only.kind == "expression_list" else [only.expr()]
    return part.at(ast.Delete([turn(target, ast.Del) for target in targets]))


def raise_(part: Part) -> ast.stmt:
    """Build ``raise``; Python 2's ``raise Error, "text"`` is a call."""
    cause = part.get("cause")
    raised = [child for child in part.parts if child.label != "cause"]
    value = raised[0].expr() if raised else None
    if raised and raised[0].kind == "expression_list" and isinstance(value, ast.Tuple) and value.elts:
        value = raised[0].at(ast.Call(value.elts[0], value.elts[1:2], []))
    return part.at(ast.Raise(value, cause.expr() if cause is not None else None))


def simple(part: Part) -> ast.stmt:
    """Build ``pass``, ``break`` or ``continue``."""
    kinds = {"pass_statement": ast.Pass, "break_statement": ast.Break, "continue_statement": ast.Continue}
    return part.at(kinds[part.kind]())


def outer_names(part: Part) -> ast.stmt:
    """Build ``global`` or ``nonlocal``."""
    names = [word(child) for child in part.parts]
    return part.at(ast.Global(names) if part.kind == "global_statement" else ast.Nonlocal(names))


def type_alias(part: Part) -> ast.stmt:
    """Build ``type Name = value`` as the assignment that it amounts to."""
    target = part.need("left").expr()
    if part.need("left").text.startswith("("):
        return _stored_on_type(part, target)
    name = target.value if isinstance(target, ast.Subscript) else target
    return part.at(ast.Assign([turn(name)], part.need("right").expr()))


def _stored_on_type(part: Part, target: ast.expr) -> ast.stmt:
    """Build ``type(a).b = c``, which the parser takes for an alias."""
    holder: ast.expr | None = None
    base = target
    while isinstance(base, ast.Attribute | ast.Subscript):
        holder, base = base, base.value
    if not isinstance(holder, ast.Attribute | ast.Subscript):
        raise Lost("left")
    function = part.between(ast.Name("type", ast.Load()), part.children[0], part.children[0])
    holder.value = ast.copy_location(ast.Call(function, [base], []), base)
    return part.at(ast.Assign([turn(target)], part.need("right").expr()))


def if_(part: Part) -> ast.stmt:
    """Build ``if`` with its ``elif`` and ``else``, from the last to the first; ``ast`` nests them."""
    clauses = list(part.every("alternative"))
    if len(clauses) > MAX_BRANCHES:
        part.left_out.extend(clauses[MAX_BRANCHES:])
        del clauses[MAX_BRANCHES:]
    otherwise: list[ast.stmt] = []
    for child in reversed(clauses):
        if child.kind == "else_clause":
            otherwise = child.need("body").body()
        else:
            body = child.need("consequence").body()
            branch = ast.If(child.need("condition").expr(), body, otherwise)
            otherwise = [child.between(branch, child, clauses[-1])]
    return part.at(ast.If(part.need("condition").expr(), part.need("consequence").body(), otherwise))


def _otherwise(part: Part) -> list[ast.stmt]:
    clause = part.first("else_clause")
    return clause.need("body").body() if clause is not None else []


def for_(part: Part) -> ast.stmt:
    """Build ``for``."""
    kind = ast.AsyncFor if part.has("async") else ast.For
    target = turn(part.need("left").expr())
    return part.at(kind(target, part.need("right").expr(), part.need("body").body(), _otherwise(part)))


def while_(part: Part) -> ast.stmt:
    """Build ``while``."""
    return part.at(ast.While(part.need("condition").expr(), part.need("body").body(), _otherwise(part)))


def try_(part: Part) -> ast.stmt:
    """Build ``try``; with ``except*`` the other kind."""
    handlers = [child.made for child in part.children if isinstance(child.made, ast.ExceptHandler)]
    last = part.first("finally_clause")
    ending = last.parts[-1].body() if last is not None else []
    clauses = [child for child in part.children if child.kind in {"except_clause", "except_group_clause"}]
    grouped = any(child.kind == "except_group_clause" or child.has("*") for child in clauses)
    kind = ast.TryStar if grouped else ast.Try
    return part.at(kind(part.need("body").body(), handlers, _otherwise(part), ending))


def except_(part: Part) -> ast.excepthandler:
    """Build an ``except`` clause. Before a comma stands Python 2's class, or the first one of Python 3.14."""
    parts = part.parts
    body = parts[-1].body() if parts else part.body()
    values = [child for child in parts if child.kind != "block"]
    if not values:
        return part.at(ast.ExceptHandler(None, None, body))
    first = values[0]
    if first.kind == "as_pattern":
        return part.at(ast.ExceptHandler(first.only().expr(), _name(first.parts[-1]), body))
    if len(values) > 1 and part.has(",") and not _is_class(values[1]):
        return part.at(ast.ExceptHandler(first.expr(), _name(values[1]), body))
    if len(values) > 1:
        every: ast.expr = part.between(
            ast.Tuple([child.expr() for child in values], ast.Load()), first, values[-1]
        )
        return part.at(ast.ExceptHandler(every, None, body))
    return part.at(ast.ExceptHandler(first.expr(), None, body))


def _is_class(part: Part) -> bool:
    return part.kind != "identifier" or part.text[:1].isupper()


def _name(part: Part) -> str:
    while part.kind == "as_pattern_target":
        part = part.only()
    return word(part) if part.kind == "identifier" else OPAQUE


def with_(part: Part) -> ast.stmt:
    """Build ``with``."""
    clause = part.first("with_clause")
    if clause is None:
        raise Lost("with_clause")
    items = [child.made for child in clause.parts if isinstance(child.made, ast.withitem)]
    kind = ast.AsyncWith if part.has("async") else ast.With
    return part.at(kind(items, part.need("body").body()))


def with_item(part: Part) -> ast.withitem:
    """Build what is entered, and the name that it gets."""
    value = part.need("value")
    while value.kind == "parenthesized_expression" and value.only().kind in {"as_pattern", value.kind}:
        value = value.only()
    if value.kind != "as_pattern":
        return ast.withitem(value.expr(), None)
    return ast.withitem(value.only().expr(), turn(value.need("alias").expr()))


def decorated(part: Part) -> ast.stmt:
    """Build a definition with its decorators."""
    definition = part.need("definition").made
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        raise Lost("definition")
    definition.decorator_list = [child.expr() for child in part.parts if child.kind == "decorator"]
    return definition


def function(part: Part) -> ast.stmt:
    """Build a function. Type parameters are left out: nothing that runs hangs on them."""
    kind: Any = ast.AsyncFunctionDef if part.has("async") else ast.FunctionDef
    returns, parameters = part.get("return_type"), part.need("parameters").made
    made = kind(
        name=word(_named(part)),
        args=parameters if isinstance(parameters, ast.arguments) else no_parameters(),
        body=part.need("body").body(),
        decorator_list=[],
        returns=returns.expr() if returns is not None else None,
    )
    return _generic(part.at(made))


def class_(part: Part) -> ast.stmt:
    """Build a class. Type parameters are left out."""
    superclasses = part.get("superclasses")
    bases, keywords = superclasses.made if superclasses is not None and superclasses.made else ([], [])
    make: Any = ast.ClassDef
    made = make(
        name=word(_named(part)),
        bases=bases,
        keywords=keywords,
        body=part.need("body").body(),
        decorator_list=[],
    )
    return _generic(part.at(made))


def _named(part: Part) -> Part:
    name = part.need("name")
    if name.missing:
        raise Lost("name")
    return name


def _generic(made: Any) -> ast.stmt:
    if _HAS_TYPE_PARAMETERS:
        made.type_params = []
    return cast("ast.stmt", made)


def match(part: Part) -> ast.stmt:
    """Build ``match``."""
    subjects = list(part.every("subject"))
    if not subjects:
        raise Lost("subject")
    subject = subjects[0].expr()
    if len(subjects) > 1 or part.has(","):
        subject = part.between(
            ast.Tuple([item.expr() for item in subjects], ast.Load()), subjects[0], subjects[-1]
        )
    cases = [child.made for child in part.need("body").children if isinstance(child.made, ast.match_case)]
    return part.at(ast.Match(subject, cases))


def case(part: Part) -> ast.match_case:
    """Build one ``case``; patterns with commas between them are a sequence."""
    made = [pattern(child) for child in part.parts if child.kind == "case_pattern"]
    if not made:
        raise Lost("case_pattern")
    guard = part.get("guard")
    whole = made[0]
    if part.has(","):
        whole = part.between(
            ast.MatchSequence(made), *(child for child in (part.parts[0], part.parts[len(made) - 1]))
        )
    return ast.match_case(whole, guard.expr() if guard is not None else None, part.need("consequence").body())
