"""The house keeps its shape: imports go down the floors, pieces stay small, every name says what it does."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"

FLOORS = {
    **dict.fromkeys(
        ("errors", "finding", "policy", "csp", "fix", "config", "memory", "records", "regex", "tables"), 0
    ),
    **dict.fromkeys(("source", "app", "wire"), 1),
    "taint": 2,
    **dict.fromkeys(("page", "rule", "rules"), 3),
    **dict.fromkeys(
        (
            "grade",
            "report",
            "merge",
            "vantages",
            "audit",
            "deploying",
            "stages",
            "state",
            "plain",
            "baseline",
            "cache",
        ),
        4,
    ),
    "reports": 5,
    "cli": 6,
    "__main__": 7,
    **dict.fromkeys(("guard", "certs"), 5),
}
"""The floor of each module and package of `stopper`, by its name; the guard is a tower, which only the command line looks into."""

TOWERS = {"guard": {"policy", "errors"}, "certs": {"policy", "errors"}}
"""What runs in production, and all that it may know of the rest."""

VANTAGES = {"source", "app", "wire"}
SOCKETS = {
    *("socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request", "ftplib", "smtplib"),
    *("httpx", "requests", "urllib3", "aiohttp"),
}
NOT_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    tokenize.ENDMARKER,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def part(name: str) -> str:
    """Return the first name below `stopper` in a module's name."""
    return f"{name}.".split(".")[1]


@dataclass(frozen=True)
class Source:
    """One module of the package."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """Return the name of the package that the module stands in."""
        return self.name.rpartition(".")[0]

    @property
    def part(self) -> str:
        """Return the first name below `stopper`: what has a floor."""
        return part(self.name)

    @property
    def is_rule(self) -> bool:
        """Tell whether the module is a rule file."""
        return self.name.startswith("stopper.rules.") and self.path.name != "__init__.py"


@cache
def sources() -> tuple[Source, ...]:
    """Return every module of the package."""
    found = []
    for path in sorted((SRC / "stopper").rglob("*.py")):
        name = ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(Source(name, path, text, ast.parse(text)))
    return tuple(found)


@cache
def names() -> frozenset[str]:
    """Return the name of every module of the package."""
    return frozenset(source.name for source in sources())


def imports(source: Source) -> Iterator[str]:
    """Yield the module behind each import, wherever it stands, those under TYPE_CHECKING too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name}:{node.lineno}: imports are absolute"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in names() else str(node.module)


def own_imports(source: Source) -> Iterator[str]:
    """Yield the imported modules that are Stopper's."""
    yield from (name for name in imports(source) if name in names())


def functions(source: Source) -> Iterator[Function]:
    """Yield every function of a module, methods and nested ones included."""
    yield from (node for node in ast.walk(source.tree) if isinstance(node, Function))


def code_lines(source: Source, function: Function) -> int:
    """Return the number of lines of a function that are no docstring, comment or blank."""
    assert function.end_lineno is not None
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    skipped = range(0)
    if docstring is not None and docstring.end_lineno is not None:
        skipped = range(docstring.lineno, docstring.end_lineno + 1)
    own = range(function.lineno, function.end_lineno + 1)
    return sum(1 for line in lines_with_code(source) if line in own and line not in skipped)


@cache
def lines_with_code(source: Source) -> frozenset[int]:
    """Return the numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines)


def public(source: Source) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    """Yield every public class, function and method with its qualified name."""
    todo: list[tuple[str, list[ast.stmt]]] = [("", source.tree.body)]
    while todo:
        prefix, body = todo.pop()
        for node in body:
            if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
                continue
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                todo.append((f"{prefix}{node.name}.", node.body))


def is_told_elsewhere(node: ast.ClassDef | Function) -> bool:
    """Tell whether a name needs no docstring of its own: an overload, a setter, or marked as an override."""
    marks = {"overload", "override", "setter"}
    return any(ast.unparse(one).rpartition(".")[2] in marks for one in node.decorator_list)


def test_there_is_something_to_hold() -> None:
    assert len(sources()) > 40


def test_every_module_has_a_floor() -> None:
    homeless = sorted({source.part for source in sources() if source.part} - set(FLOORS))

    assert homeless == [], "give it a floor in FLOORS, and in the design"


def test_imports_never_go_up() -> None:
    upward = [
        f"{source.name} imports {name}"
        for source in sources()
        if source.part
        for name in own_imports(source)
        if name != "stopper" and FLOORS[part(name)] > FLOORS[source.part]
    ]

    assert upward == []


def test_imports_make_no_circle() -> None:
    graph = {source.name: set(own_imports(source)) - {source.name} for source in sources()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_no_module_imports_its_own_package() -> None:
    inward = [
        f"{source.name} imports {name}"
        for source in sources()
        if source.path.name != "__init__.py"
        for name in own_imports(source)
        if name == source.package and name != "stopper"
    ]

    assert inward == []


def test_the_vantages_do_not_know_each_other() -> None:
    crossing = [
        f"{source.name} imports {name}"
        for source in sources()
        for name in own_imports(source)
        if {source.part, part(name)} <= VANTAGES and source.part != part(name)
    ]

    assert crossing == []


def test_what_runs_in_production_knows_nothing_of_the_scanner() -> None:
    knowing = [
        f"{source.name} imports {name}"
        for source in sources()
        if source.part in TOWERS
        for name in own_imports(source)
        if part(name) not in TOWERS[source.part] | {source.part}
    ]

    assert knowing == []


def test_only_the_recovering_parser_knows_tree_sitter() -> None:
    knowing = {source.name for source in sources() if any("tree_sitter" in name for name in imports(source))}

    assert knowing <= {"stopper.source.recover"}


def test_only_the_wire_and_certificates_open_sockets() -> None:
    opening = [
        f"{source.name} imports {name}"
        for source in sources()
        if source.part not in {"wire", "certs"}
        for name in imports(source)
        if any(name == one or name.startswith(f"{one}.") for one in SOCKETS)
    ]

    assert opening == []


def test_rules_see_no_parse_tree_and_not_flask() -> None:
    seeing = [
        f"{source.name} imports {name}"
        for source in sources()
        if source.is_rule
        for name in imports(source)
        if name.split(".")[0] in {"ast", "flask", "jinja2", "tree_sitter"}
    ]

    assert seeing == []


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        f"{source.name}.{function.name}: {code_lines(source, function)}"
        for source in sources()
        for function in functions(source)
        if code_lines(source, function) > 40
    ]

    assert long == []


def test_nine_functions_in_ten_have_at_most_25_lines() -> None:
    sizes = [code_lines(source, function) for source in sources() for function in functions(source)]

    assert sum(size <= 25 for size in sizes) >= 0.9 * len(sizes)


def test_rule_files_have_at_most_150_lines_and_others_500() -> None:
    long = [
        f"{source.name}: {lines}"
        for source in sources()
        if (lines := len(source.text.splitlines())) > (150 if source.is_rule else 500)
    ]

    assert long == []


def test_every_module_and_public_name_says_what_it_does() -> None:
    silent = [source.name for source in sources() if not ast.get_docstring(source.tree)]
    silent += [
        f"{source.name}.{name}"
        for source in sources()
        for name, node in public(source)
        if not ast.get_docstring(node) and not is_told_elsewhere(node)
    ]

    assert silent == []
