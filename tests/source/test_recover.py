"""Text that Python refuses is read all the same, and what Python accepts is read as Python reads it."""

import ast
import time
from pathlib import Path

import pytest

from stopper.source.recover import MAX_DEPTH, recover
from stopper.source.recover_part import OPAQUE

LIBRARY = Path(ast.__file__).parent
NAMES = (
    "abc argparse ast asyncio/base_events asyncio/tasks base64 bisect calendar cgi cmd codecs collections/__init__ "
    "concurrent/futures/thread configparser contextlib copy csv dataclasses datetime decimal difflib dis doctest "
    "email/message enum fractions functools glob gzip hashlib heapq html/parser http/client http/cookies inspect "
    "ipaddress json/decoder logging/__init__ mailbox os pathlib pickle platform pprint random re/_parser shelve "
    "shutil smtplib socket sqlite3/dump ssl string subprocess tarfile tempfile textwrap threading tokenize typing "
    "unittest/mock urllib/parse urllib/request uuid warnings xml/dom/minidom zipfile"
)
MODULES = NAMES.split()


class Plain(ast.NodeTransformer):
    """What is known to differ taken out: the `u` of a string within an f-string, and what Python 3.12 brought for types."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.Constant):
            node.kind = None
        if isinstance(node, getattr(ast, "TypeAlias", ())):
            return ast.Assign([node.name], node.value)
        if hasattr(node, "type_params"):
            node.type_params = []
        return node


def plain(tree: ast.AST) -> str:
    """Dump a tree without what is known to differ."""
    return ast.dump(Plain().visit(tree))


def same(source: str) -> None:
    tree, lost = recover(source)
    assert lost == 0
    assert plain(tree) == plain(ast.parse(source))


@pytest.mark.parametrize("module", [name for name in MODULES if (LIBRARY / f"{name}.py").exists()])
def test_a_module_of_the_standard_library_reads_as_python_reads_it(module: str) -> None:
    same((LIBRARY / f"{module}.py").read_text("utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "f'a{x!r:>{w}}b{{c}}\\n{y=}{z = :d}' 'more' rf'\\d{q}'",
        "b'a' b'\\x00'; u'x' 'y'; '\\N{BULLET}'; r'\\n'; '''a\n'b'\\\nc'''",
        "a, *b = c = 1, 2; (d) = 3; e: int = 4; self.f: str; g += yield",
        "lambda a, /, b=1, *c, d, e=2, **f: 0; lambda: (yield)",
        "def f(a: int, /, b: str = 1, *args: x, c, d=2, **kw: z) -> list[int, str]: pass",
        "@a.b(c)\n@d\nasync def f(*, a):\n async with x as y, z: pass\n async for i in j: await k\n else: pass",
        "[i async for i in q if a if b for c, d in e]; {k: v for k, v in w}; {x for x in y}; f(z for z in w)",
        "match x, y:\n case [1, *_] | (2,) | (): pass\n case {'a': b, -1: 2, **r} if q: pass\n case _: pass",
        "match x:\n case P(u, v=1) as w: pass\n case a.b | -1 | 's' 't' | None | 1+2j | -1-2j: pass\n case c, d: pass",
        "try: a\nexcept (B, c.D) as e: f\nexcept: g\nelse: h\nfinally: i",
        "try: a\nexcept* B as e: f",
        "with (open(a) as b, c as (d, e)): pass\nwith (f, g): pass\nwith (yield h): pass",
        "if a: pass\nelif b: pass\nelif c: pass\nelse: d",
        "a < b not in c is not d != e; not f or g and h or i; -j ** ~k @ l // m << n",
        "from . import (a as b, c,)\nfrom ...x.y import *\nfrom __future__ import z\nimport p.q as r, s.t",
        "a[1:2, ::3, x]; a[b,]; a[*c]; a[:]; {**d, 'e': f}; {*g, h}; i if j else k; print(l, *m, n=o, **p)",
        "def f():\n global a, b\n def g():\n  nonlocal c\n  del d, (e, f[0])\n  raise X from y\n  assert a, b",
        "if (n := 10) > 5: pass\nwhile (x := f()): break\nelse: pass\nfor a, in b: continue",
        "0xFF; 1_000; 1e-5; 3j; 0o17; 0b1; ...; True; None",
        "é = 'ü' + ﬁ; b = é",
    ],
)
def test_every_kind_of_node_reads_as_python_reads_it(source: str) -> None:
    same(source)


def test_nodes_stand_where_python_puts_them() -> None:
    source = (
        "é = (\n  f(a, b=1) +\n  c[0]\n)\n@d\nclass E(F):\n  def g(self, *h: int): return (self.i, 'ü', j)\n"
    )
    assert ast.dump(recover(source)[0], include_attributes=True) == ast.dump(
        ast.parse(source), include_attributes=True
    )


@pytest.mark.parametrize(
    ("source", "modern"),
    [
        ("print 'a', b", "print('a', b)"),
        ("print >>f, 'a'", "print('a', file=f)"),
        ("exec code in names", "exec(code, names)"),
        ("raise E, 'text'", "raise E('text')"),
        ("try: pass\nexcept E, e: pass", "try: pass\nexcept E as e: pass"),
        ("a <> 0777L", "a != 511"),
        ("x = ur'\\d'", "x = r'\\d'"),
        ("try: pass\nexcept A, B: pass", "try: pass\nexcept (A, B): pass"),
        ("type X = int", "X = int"),
        ("def f[T](a: T) -> T: pass", "def f(a: T) -> T: pass"),
        ("x = f'{d['k']}'", "x = f'{d[\"k\"]}'"),
    ],
)
def test_older_and_newer_python_reads_as_what_it_means(source: str, modern: str) -> None:
    tree, lost = recover(source)
    assert lost == 0
    assert plain(tree) == plain(ast.parse(modern))


def functions(tree: ast.Module) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    "broken",
    [
        "x = = 1",
        "return foo(",
        "if x = 1: pass",
        "foo bar baz",
        "a = [1, 2",
        "y = 'open",
        "$$$",
        "for in x: pass",
        "x =",
    ],
)
def test_an_error_in_one_function_keeps_the_others(broken: str) -> None:
    source = f"import os\n\ndef before(a):\n    return os.getcwd()\n\ndef wrong():\n    {broken}\n\n"
    source += "@app.route('/')\ndef after(b):\n    return b\n\nclass C:\n    def method(self): pass\n"
    tree, lost = recover(source)
    assert {"before", "after", "method"} <= functions(tree)
    assert 1 <= lost <= 4
    assert tree.body[0].lineno == 1


def test_an_expression_that_is_not_understood_is_opaque_and_its_neighbours_are_kept() -> None:
    tree, lost = recover("a = 1\nb = f(c, 1 +)\nd = 2\n")
    assert lost == 1
    names = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)]  # type: ignore[attr-defined]
    assert {"a", "d"} <= set(names)


def test_what_nests_too_deeply_is_opaque() -> None:
    tree, lost = recover("x = " + "(" * 500 + "secret" + ")" * 500 + "\ny = 1\n")
    assert lost == 1
    ids = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert ids == {"x", "y", OPAQUE}


@pytest.mark.parametrize(
    "source",
    [
        "x = " + " + ".join(["'a'"] * 20_000),
        "-" * 100_000 + "1",
        "x" + ".a" * 50_000,
        "(" * 50_000,
        "if a: pass\n" + "elif b: pass\n" * 3_000,
        "".join(" " * depth + "if x:\n" for depth in range(1_000)) + " " * 1_000 + "pass",
        '"""' * 10_001,
        "f'{" * 5_000,
        "\0" * 1_000 + "x = 1",
        "a" + " < b" * 10_000,
        "lambda: " * 10_000 + "1",
        "match x:\n case " + "[" * 3_000 + "]" * 3_000 + ": pass",
        "@" * 10_000,
        "\ud800 = 1",
        "\0",
        "",
        "a = " * 10_000 + "1",
    ],
    ids=lambda source: source[:12].encode("ascii", "replace").decode(),
)
def test_hostile_text_is_read_soon_and_never_deeper_than_the_bound(source: str) -> None:
    started = time.process_time()
    tree, _ = recover(source)
    assert time.process_time() - started < 10
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    assert deepest <= MAX_DEPTH


def test_a_text_on_which_the_parser_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stopper.source.recover.MAX_SECONDS", 0.05)
    with pytest.raises(ValueError, match="Parsing failed"):
        recover("\\\n" * 20_000 + "x")
