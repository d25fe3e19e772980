"""The user's own line, written as it should be: what a finding advises is code of the project, not of a textbook.

Each function returns "" where the line is not simple enough to be sure; the rule then shows a pattern.
"""

from __future__ import annotations

import ast
import re
import shlex
import string
from collections.abc import Callable, Mapping
from types import MappingProxyType

from stopper.finding import Location
from stopper.regex import regex
from stopper.source.code import Call, Code
from stopper.source.module import Scope

_NAMED_PLACE = regex(
    r"(?:\b(?:FROM|INTO|UPDATE|TABLE|JOIN|BY|ASC|DESC|,)\s*[\"`\[]?|\bIN\s*\(\s*|\bINTO\s+\S+\s*\(\s*)$",
    re.IGNORECASE,
)
"""What stands before the name of a table or column, or before a whole list: no parameter can take their place."""
_VALUE_PLACE = regex(
    r"(?:[=<>(,+\-*/%|]|\b(?:LIKE|ILIKE|GLOB|BETWEEN|AND|OR|NOT|IS|LIMIT|OFFSET|THEN|ELSE|WHEN))\s*$",
    re.IGNORECASE,
)
"""What stands before a value."""
_NAME_PLACE = regex(r"\b(?:FROM|INTO|UPDATE|TABLE|JOIN|BY)\s+[\"`\[]?$", re.IGNORECASE)
_LIST_PLACE = regex(r"\bIN\s*\(\s*$", re.IGNORECASE)
_PERCENT = regex(r"%(?:\((\w+)\))?[-+ 0#]*\d*(?:\.\d+)?([sdrifgx%])")
_NUMERIC = re.compile(r"[bdeEfFgGnoxX%]$")
"""The end of a format that refuses text."""
_SHELL = re.compile(r"[|&;<>*?$`~(){}\[\]\n]")
_THROWN_AWAY = re.compile(r"\s*(?:([12&]?)>\s*/dev/null|2>(&1))\s*$")
"""What a shell does not show, at the end of a command."""
_STREAMS = {
    "": ("stdout=subprocess.DEVNULL",),
    "1": ("stdout=subprocess.DEVNULL",),
    "2": ("stderr=subprocess.DEVNULL",),
    "&": ("stdout=subprocess.DEVNULL", "stderr=subprocess.DEVNULL"),
    "&1": ("stderr=subprocess.STDOUT",),
}
_FORMAT_DRIVERS = ("psycopg", "psycopg2", "pymysql", "MySQLdb", "mysql.connector", "aiomysql")

Part = str | ast.expr


def parts_of(node: ast.expr) -> list[Part] | None:
    """Return the constant texts and the expressions that a string is built from, or None where it is not built in sight."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in _joined(value)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = parts_of(node.left), parts_of(node.right)
        return [*(left or [node.left]), *(right or [node.right])] if left or right else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _percent(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _formatted(node, node.func.value)
    return None


def numbers_of(node: ast.expr) -> list[ast.expr]:
    """Return the expressions that a string takes as numbers, whatever they are: ``"%d" % n``, ``f"{n:d}"``."""
    if isinstance(node, ast.JoinedStr):
        fields = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return [part.value for part in fields if _NUMERIC.search(_specified(part))]
    if (
        not isinstance(node, ast.BinOp)
        or not isinstance(node.op, ast.Mod)
        or not isinstance(node.left, ast.Constant)
    ):
        return []
    given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    found = [match[2] for match in _PERCENT.finditer(str(node.left.value)) if match[2] != "%"]
    return [one for one, letter in zip(given, found, strict=False) if letter in "digfx"]


def _specified(field: ast.FormattedValue) -> str:
    """Return the end of a field's format, as far as it is constant: ``d`` of ``f"{n:05d}"``."""
    last = field.format_spec.values[-1] if isinstance(field.format_spec, ast.JoinedStr) else None
    return str(last.value) if isinstance(last, ast.Constant) else ""


def _joined(value: ast.expr) -> list[Part]:
    if isinstance(value, ast.FormattedValue):
        return [value.value]
    return [str(value.value)] if isinstance(value, ast.Constant) else [value]


def _percent(node: ast.BinOp) -> list[Part] | None:
    if not isinstance(node.left, ast.Constant) or not isinstance(node.left.value, str):
        return None
    given = list(node.right.elts) if isinstance(node.right, ast.Tuple) else [node.right]
    if isinstance(node.right, ast.Dict | ast.Starred):
        return None
    texts: list[Part] = []
    found = last = 0
    for match in _PERCENT.finditer(node.left.value):
        if match[2] == "%":
            texts.append(f"{node.left.value[last : match.start()]}%")
            last = match.end()
            continue
        if match[1] or found >= len(given):
            return None
        texts += [node.left.value[last : match.start()], given[found]]
        last, found = match.end(), found + 1
    return [*texts, node.left.value[last:]] if found == len(given) else None


def _formatted(call: ast.Call, base: ast.expr) -> list[Part] | None:
    if not isinstance(base, ast.Constant) or not isinstance(base.value, str):
        return None
    keywords = {word.arg: word.value for word in call.keywords}
    parts: list[Part] = []
    number = 0
    for text, name, _, _ in string.Formatter().parse(base.value):
        parts.append(text)
        if name is None:
            continue
        given = keywords.get(name)
        if given is None and (name == "" or name.isdigit()):
            position = int(name) if name else number
            number += not name
            given = call.args[position] if position < len(call.args) else None
        if given is None:
            return None
        parts.append(given)
    return parts


def bound_statement(code: Code, place: Location) -> str:
    """Return the statement of the call at ``place`` with its values bound as parameters of the driver in use.

    The call is a driver's, or that of a project's own helper which takes parameters after the statement.
    """
    call = code.call_at(place)
    if call is None or len(call.node.args) != 1:
        return ""
    helper = code.scope(call.name)
    if helper is not None and not _takes_parameters(helper):
        return ""
    first = call.node.args[0]
    assigned = _assigned(first, call.scope)
    parts = parts_of(assigned or first)
    if parts is None:
        return ""
    named = call.name.startswith("sqlalchemy")
    mark = "%s" if code.uses(*_FORMAT_DRIVERS) else "?"
    bound = _bind(code, call, parts, (lambda name: f":{name}") if named else (lambda _: mark))
    if bound is None:
        return ""
    text, values = bound
    if named:
        given = f"{{{', '.join(f'{name!r}: {value}' for name, value in values.items())}}}".replace("'", '"')
    else:
        given = f"({', '.join(values.values())}{',' if len(values) == 1 else ''})"
    if assigned is not None and isinstance(first, ast.Name):
        return f"{first.id} = {text}\n{_with(call, first.id, given, named=named)}"
    return _with(call, text, given, named=named)


def without_parameter(code: Code, place: Location) -> str:
    """Return what takes the place of a name or of a list that the statement of the call at ``place`` is built with.

    No parameter can: a name is taken from those that exist, and a list has one parameter for each value.
    """
    call = code.call_at(place)
    first = call.node.args[0] if call is not None and call.node.args else None
    parts = (
        parts_of(_assigned(first, call.scope) or first) if call is not None and first is not None else None
    )
    seen = ""
    for part in parts or ():
        if isinstance(part, str):
            seen += part
            continue
        assert call is not None
        constant = code.expr(part, call.scope).value
        if constant.known and isinstance(constant.constant, str):
            seen += constant.constant
            continue
        source = call.module.source(part)
        if _NAME_PLACE.search(seen):
            name = source if isinstance(part, ast.Name) else "name"
            return f'{name} = {{"name": "name", "created": "created"}}[{source}]  # only names that exist: none can be a parameter'
        if _LIST_PLACE.search(seen):
            marks = f'marks = ", ".join("?" * len({source}))  # {source} as a list'
            return f'{marks}\ncursor.execute(f"SELECT ... IN ({{marks}})", {source})'
        seen += "?"
    return ""


def _takes_parameters(helper: Scope) -> bool:
    """Tell whether a function of the project takes the parameters of a statement right after it."""
    arguments = getattr(helper.node, "args", None)
    names = [argument.arg for argument in arguments.args] if isinstance(arguments, ast.arguments) else []
    own = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return len(own) > 1 and own[1] in ("args", "params", "parameters", "values", "arguments", "binds")


def _with(call: Call, statement: str, values: str, *, named: bool) -> str:
    """Return the line of the call with another statement and its values."""
    target = call.target.source
    words = "".join(f", {call.module.source(word)}" for word in call.node.keywords)
    new = f"{target}({statement}{words}), {values}" if named else f"{target}({statement}, {values}{words})"
    return _replaced(call, new)


def _bind(
    code: Code, call: Call, parts: list[Part], mark: Callable[[str], str]
) -> tuple[str, dict[str, str]] | None:
    """Return the statement as a literal and the value of each parameter, or None where a part is no value.

    A part that is a constant of the project stays where it is: it is SQL that the author wrote.
    """
    text = seen = ""
    values: dict[str, str] = {}
    kept: dict[str, str] = {}
    for at, part in enumerate(parts):
        if isinstance(part, str):
            text, seen = text + part, seen + part
            continue
        source = call.module.source(part)
        constant = code.expr(part, call.scope).value
        if constant.known and isinstance(constant.constant, str):
            kept[f"\0{at}\0"] = source
            text, seen = f"{text}\0{at}\0", seen + constant.constant
            continue
        following = parts[at + 1] if at + 1 < len(parts) else ""
        quoted = re.search(r"'(%?)$", text)
        if quoted and isinstance(following, str) and (closing := re.match(r"(%?)'", following)):
            text, seen = text[: quoted.start()], seen.removesuffix(quoted[0])
            parts[at + 1] = following[closing.end() :]
            source = f'f"{quoted[1]}{{{source}}}{closing[1]}"' if quoted[1] or closing[1] else source
        elif not _VALUE_PLACE.search(seen) or _NAMED_PLACE.search(seen) or seen.count("'") % 2:
            return None
        name = _name(part, values)
        values[name] = source
        text, seen = text + mark(name), f"{seen}?"
    return (_literal(text, kept), values) if values else None


def _name(part: ast.expr, taken: dict[str, str]) -> str:
    """Return a name for a parameter, after what its value is called."""
    last = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
    if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
        last = str(part.slice.value)
    name = re.sub(r"\W", "_", last) or "value"
    return name if name not in taken else f"{name}_{len(taken)}"


def template_values(code: Code, place: Location) -> str:
    """Return the call at ``place`` with a constant template, and what was built into it as its values."""
    call = code.call_at(place)
    parts = (
        parts_of(_assigned(call.node.args[0], call.scope) or call.node.args[0])
        if call and call.node.args
        else None
    )
    if call is None or parts is None:
        return ""
    given = {word.arg or "**": call.module.source(word) for word in call.node.keywords}
    values: dict[str, str] = {}
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            name = _name(part, {**given, **values})
            values[name] = call.module.source(part)
            text += f"{{{{ {name} }}}}"
    words = ", ".join([*given.values(), *(f"{name}={value}" for name, value in values.items())])
    return _replaced(call, f"{call.target.source}({_literal(text)}, {words})") if values else ""


def argument_list(code: Code, place: Location) -> str:
    """Return the command of the call at ``place`` as a list of arguments that no shell reads."""
    call = code.call_at(place)
    parts = (
        parts_of(_assigned(call.node.args[0], call.scope) or call.node.args[0])
        if call and call.node.args
        else None
    )
    streams: list[str] = []
    while parts and isinstance(parts[-1], str) and (end := _THROWN_AWAY.search(parts[-1])):
        parts[-1] = parts[-1][: end.start()]
        streams[:0] = _STREAMS[end[2] or end[1]]
    if call is None or parts is None or any(isinstance(part, str) and _SHELL.search(part) for part in parts):
        return ""
    marks = {f"\0{at}\0": part for at, part in enumerate(parts) if not isinstance(part, str)}
    text = "".join(part if isinstance(part, str) else f"\0{at}\0" for at, part in enumerate(parts))
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    arguments = [_argument(call, word, marks) for word in words]
    rest = ", ".join([f"[{', '.join(arguments)}]", *streams, "check=True"])
    return f"subprocess.run({rest})" if words and "\0" not in words[0] else ""


def _argument(call: Call, word: str, marks: dict[str, ast.expr]) -> str:
    if word in marks:
        return call.module.source(marks[word])
    if "\0" not in word:
        return _literal(word)
    for mark, part in marks.items():
        word = word.replace(mark, f"{{{call.module.source(part)}}}")
    return f'f"{word}"'


def escaped_page(code: Code, place: Location) -> str:
    """Return the f-string at ``place`` with each of its fields escaped."""
    module = code.by_path.get(place.path)
    if module is None:
        return ""
    line = module.text.line(place.line).strip()
    found = re.fullmatch(r"(return\s+)f(['\"])([^'\"]*)\2", line)
    if found is None:
        return ""
    page = re.sub(r"\{([\w.]+)\}", r"{escape(\1)}", found[3])
    return (
        f"{found[1]}f{found[2]}{page}{found[2]}  # from markupsafe import escape" if page != found[3] else ""
    )


def data_only(code: Code, place: Location) -> str:
    """Return the line of the call at ``place`` with a reader that makes plain data of its first argument, not objects."""
    call = code.call_at(place)
    if call is None or not call.node.args:
        return ""
    module, _, verb = call.name.rpartition(".")
    reader = "safe_load_all" if verb.endswith("load_all") else "safe_load"
    target = (
        f"yaml.{reader}"
        if module.partition(".")[0] == "yaml"
        else f"json.{'load' if verb == 'load' else 'loads'}"
    )
    return _replaced(call, f"{target}({call.module.source(call.node.args[0])})")


def local_target(code: Code, place: Location) -> str:
    """Return the line of the redirect at ``place`` with a check that its target stays on this site."""
    call = code.call_at(place)
    if call is None or not call.node.args:
        return ""
    target = call.module.source(call.node.args[0])
    if len(target) > 24 or "\n" in target:
        return ""
    own = f'{target}.startswith("/") and not {target}.startswith(("//", "/\\\\", "/\\t"))'
    local = f'{target} if {own} else url_for("index")'
    return _replaced(call, f"{call.target.source}({local})")


def joined_safely(code: Code, place: Location) -> str:
    """Return the line of the call at ``place`` with ``safe_join`` where it joins a path."""
    call = code.call_at(place)
    if call is None or not call.node.args:
        return ""
    first = _assigned(call.node.args[0], call.scope) or call.node.args[0]
    if not isinstance(first, ast.Call) or code.names.name(first.func, call.scope) != "os.path.join":
        return ""
    joined = f"safe_join({', '.join(call.module.source(one) for one in first.args)})"
    note = "  # from werkzeug.utils; None when it leads outside"
    if isinstance(call.node.args[0], ast.Name):
        return f"{call.node.args[0].id} = {joined}{note}"
    new = _replaced(call, call.source.replace(call.module.source(first), joined, 1))
    return new + note if new else ""


def _assigned(node: ast.expr, scope: Scope) -> ast.expr | None:
    """Return what the only assignment of a local variable gives it, or None."""
    bindings = scope.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
    return bindings[0].value if len(bindings) == 1 and bindings[0].index < 0 else None


def _replaced(call: Call, new: str) -> str:
    """Return the line on which a call stands, with the call replaced; "" where the call is longer than a line."""
    line = call.module.text.line(call.location.line).strip()
    return line.replace(call.source, new, 1) if call.source in line else ""


def _literal(text: str, kept: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a text as a Python literal, between double quotes where that needs no escapes.

    ``kept`` holds the expressions that marks in the text stand for; with any, the literal is an f-string.
    """
    if kept:
        text = text.replace("{", "{{").replace("}", "}}")
    if "\n" in text and '"""' not in text and "\\" not in text:
        said = f'"""{text}"""'
    else:
        plain = "".join(text.split("\0"))
        said = f'"{text}"' if '"' not in plain and "\\" not in plain and plain.isprintable() else repr(text)
    for mark, source in kept.items():
        said = said.replace(mark, f"{{{source}}}").replace(repr(mark)[1:-1], f"{{{source}}}")
    return f"f{said}" if kept else said
