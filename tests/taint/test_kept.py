"""Roots that rest on nothing that changed are not solved again, and nobody can tell from the report."""

from __future__ import annotations

import ast
import contextlib
import pickle
import random
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopper import cache as caching
from stopper import state
from stopper.audit import audit_tree
from stopper.cache import NO_CACHE, Cache, listed
from stopper.config import Config
from stopper.finding import Confidence
from stopper.report import Report, Stats
from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows
from stopper.taint.kept.stable import checked

BLOG = Path(__file__).parents[2] / "examples" / "blog"

CART = """import os
from blinker import signal
from flask import current_app, g, request
LIMIT = 'x'
ordered = signal('ordered')
class Cart:
    def __init__(self):
        self.db = make()
    def add(self, text):
        return self.db.execute('SELECT ' + text)
    def fill(self):
        self.kept = 'a'
def run(cart: Cart, text):
    return cart.db.execute('SELECT ' + text)
def make():
    import sqlite3
    return sqlite3.connect('x')
def setup():
    ordered.connect(heard)
def heard(sender):
    os.system(sender)
def other(sender):
    return sender
def limit():
    return LIMIT
def env(name):
    return 'fixed'
def here():
    g.cart = 'nothing'
    return os.environ.get('HERE', 'here')
def there():
    return request.args['there']
class Wagon:
    def add(self, text):
        return text
POOL = None
def early():
    return 'early'
def late():
    global POOL
    POOL = Cart()
def pooled(text):
    return POOL.add(text)
def put(app):
    app.shop = Cart()
    app.extensions['shop'] = Cart()
"""
CART_EDITS = (
    ("    return request.args['there']", "    changed = 1\n    return request.args['there']"),
    ("    import sqlite3\n    return sqlite3.connect('x')", "    return None"),
    ("        self.db = make()", "        self.db = make\n        self.kept = make()"),
    ("        self.kept = 'a'", "        self.kept = 'a'\n        self.db = None"),
    ("    ordered.connect(heard)", "    ordered.connect(other)"),
    (
        "    ordered.connect(heard)",
        "    global LIMIT\n    ordered.connect(heard)\n    LIMIT = request.args['limit']",
    ),
    ("    return sender", "    global LIMIT\n    LIMIT = request.args['limit']"),
    ("    return LIMIT", "    return 'a constant'"),
    ("    return 'fixed'", "    return request.args['env']"),
    ("        self.kept = 'a'", "        self.kept = make()"),
    ("LIMIT = 'x'", "LIMIT = 'y'"),
    ("    os.system(sender)", "    where = 'echo ' + sender\n    os.system(where)"),
    ("    return sender", "    g.cart = request.args['cart']"),
    ("    g.cart = 'nothing'", "    def inner():\n        g.cart = make()\n    inner()"),
    ("get('HERE', 'here')", "get('HERE', request.args['here'])"),
    ("def other(sender):\n    return sender\n", ""),
    ("    return 'early'", "    global POOL\n    POOL = Wagon()"),
    ("    return 'early'", "    current_app.shop = Wagon()"),
    ("    return 'early'", "    current_app.extensions['shop'] = Wagon()"),
    ("    POOL = Cart()", "    POOL = Wagon()"),
    ("    app.shop = Cart()", "    app.shop = Wagon()"),
    ("    app.extensions['shop'] = Cart()", "    app.extensions['shop'] = Wagon()"),
    ("class Cart:\n", "class Cart:\n    db = None\n"),
    ("def other", "@ordered.connect\ndef other"),
    ("import os\n", "import os\n\n\n"),
)
"""One change each: in a body, in what a body says of its class, its module, ``g`` or the application, and between the bodies."""
BUY = """import os
from flask import Blueprint, current_app, g, render_template_string, request
from shop.cart import Cart, env, here, limit, ordered, pooled, run, there
bp = Blueprint('buy', __name__)
@bp.get('/first')
def first():
    return str(Cart().add(request.args['q']))
@bp.get('/second')
def second():
    ordered.send(request.args['q'])
    os.system(limit() + g.cart)
    return 'sent'
@bp.get('/third')
def third():
    os.system('ls ' + there())
    return render_template_string('<p>{{ q|safe }}', q=here())
@bp.get('/fifth')
def fifth():
    return str(run(Cart(), env('q'))) + g.cart.execute(request.args['q'])
@bp.get('/fourth')
def fourth():
    return 'Hello ' + there() + str(Cart().kept.execute(there()))
@bp.get('/sixth')
def sixth():
    return str(pooled(request.args['q']))
@bp.get('/seventh')
def seventh():
    return str(current_app.shop.add(request.args['q'])) + str(current_app.extensions['shop'].add(there()))
"""

FILES: dict[str, tuple[str | None, ...]] = {
    "shop/__init__.py": (
        ("from flask import Flask, g, request\nfrom shop import views, more\napp = Flask(__name__)\n"
        "app.register_blueprint(views.bp)\napp.register_blueprint(more.bp, url_prefix='/more')\n"
        "@app.before_request\ndef who():\n    g.user = request.args.get('user')\n"),
        ("from flask import Flask, g, request\nfrom shop import views, more\napp = Flask(__name__)\n"
        "app.register_blueprint(views.bp)\n@app.before_request\ndef who():\n    g.user = 'nobody'\n"
        "@app.template_filter('shout')\ndef shout(text):\n    return text + '!'\n"),
    ),
    "shop/helpers.py": (
        "from markupsafe import escape\ndef clean(text):\n    return escape(text)\n",
        "def clean(text):\n    return text\n",
        "LIMIT = 3\n\ndef tidy(text):\n    return text\nclean = tidy\n",
        ("from markupsafe import escape\ndef decorate(function):\n    def inner(text):\n        return escape(function(text))\n"
        "    return inner\n@decorate\ndef clean(text):\n    return text\n"),
        ("def clean(text, depth=0):\n    return clean(text, depth + 1) if depth < 3 else again(text)\n"
        "def again(text):\n    return clean(text, 3) if len(text) > 9 else text\n"),
        None,
    ),
    "helpers.py": (None, "def clean(text):\n    return 'nothing'\n"),
    "shop/base.py": (
        "class Base:\n    def find(self, name):\n        return self.run('SELECT ' + name)\n",
        "class Base:\n    def find(self, name):\n        return self.run('SELECT 1')\n",
        "class Root:\n    def find(self, name):\n        return self.run('SELECT ' + name)\nclass Base(Root):\n    pass\n",
    ),
    "shop/db.py": (
        ("import sqlite3\nfrom shop.base import Base\nclass Database(Base):\n    def run(self, sql):\n"
        "        return sqlite3.connect('x').execute(sql).fetchall()\n"),
        ("import sqlite3\nfrom shop.base import Base\nclass Database(Base):\n    kept = None\n    def run(self, sql):\n"
        "        return str(sql)\n    def find(self, name):\n        return sqlite3.connect('x').execute('SELECT ' + name)\n"),
        "import sqlite3\nclass Database:\n    def find(self, name):\n        return sqlite3.connect('x').execute('SELECT ?', (name,))\n",
    ),
    "shop/store.py": (
        ("from flask import session\nSEEN = {}\ndef keep(name, value):\n    SEEN[name] = value\n    session['last'] = value\n"
        "def last():\n    return session.get('last')\n"),
        ("from flask import session\nSEEN = {}\ndef keep(name, value):\n    SEEN[name] = 'fixed'\n"
        "def last():\n    return SEEN.get('last')\n"),
        "from flask import g\nSEEN = {}\ndef keep(name, value):\n    g.seen = value\ndef last():\n    return g.seen\n",
    ),
    "shop/views.py": (
        ("from flask import Blueprint, g, render_template, request\nfrom shop import helpers\nfrom shop.store import keep, last\n"
        "bp = Blueprint('views', __name__)\n@bp.get('/a')\ndef a():\n    keep('a', request.args['q'])\n"
        "    return helpers.clean(request.args['q'])\n@bp.get('/b')\ndef b():\n    return 'Hello ' + str(last())\n"
        "@bp.get('/c')\ndef c():\n    return render_template('page.html', q=request.args['q'], user=g.user)\n"),
        ("from flask import Blueprint, g, render_template_string, request\nfrom shop.helpers import clean\n"
        "from shop.store import SEEN, last\nbp = Blueprint('views', __name__)\n@bp.get('/a')\ndef a():\n"
        "    return clean(SEEN['a'])\n@bp.get('/new')\ndef new():\n    return g.user\n@bp.get('/c')\ndef c():\n"
        "    return render_template_string('<p>{{ q|safe }}', q=last())\n"),
    ),
    "shop/more.py": (
        ("import os\nfrom flask import Blueprint, request\nfrom shop.db import Database\nbp = Blueprint('more', __name__)\n"
        "@bp.get('/find')\ndef find():\n    return str(Database().find(request.args['name']))\n"
        "@bp.get('/run/<what>')\ndef run(what):\n    os.system('echo ' + what)\n    return 'done'\n"
        "def unused():\n    return os.system(request.args['x'])\n"),
        ("import os\nfrom flask import Blueprint, request\nfrom shop.db import Database\nfrom shop.store import keep\n"
        "import helpers\nbp = Blueprint('more', __name__)\n@bp.get('/find')\ndef find():\n    keep('a', request.args['z'])\n"
        "    return helpers.clean(unused())\ndef unused():\n    return os.system(request.args['x'])\n"),
    ),
    "shop/kept.py": (
        "from shop.store import SEEN\nFIRST = SEEN.get('a')\nCOUNT = len('abc')\n",
        "from shop.store import last\nFIRST = last()\nCOUNT = 3\n",
        ("from shop.store import SEEN\nfrom shop import again\nFIRST = SEEN.get('a') + again.SUFFIX\nCOUNT = again.AGAIN\n"),
        None,
    ),
    "shop/again.py": (
        ("import os\nfrom flask import Blueprint\nfrom shop import kept\nfrom shop.kept import FIRST\nAGAIN = FIRST\nSUFFIX = 'x'\n"
        "bp = Blueprint('again', __name__)\n@bp.get('/again')\ndef again():\n    return os.system('ls ' + AGAIN)\n"
        "@bp.get('/count')\ndef count():\n    return os.system('ls %s' % kept.COUNT)\n"),
        ("import os\nfrom flask import Blueprint, request\nfrom shop import kept, store\ndef made():\n    return kept.FIRST or 'x'\n"
        "AGAIN = made()\nSUFFIX = store.last()\nbp = Blueprint('again', __name__)\n@bp.get('/again')\ndef again():\n"
        "    store.keep('b', request.args['b'])\n    return os.system('ls ' + AGAIN)\n"),
    ),
    "shop/templates/page.html": ("<p>{{ q }}", "<p>{{ q|safe }}{{ user }}", "<a href='{{ q }}'>{{ user|shout|safe }}</a>"),
    "shop/cart.py": (CART, *(CART.replace(*edit) for edit in CART_EDITS)),
    "shop/buy.py": (BUY, BUY.replace("def first", "# moved\n\ndef first"), BUY.replace("limit()", "str(limit())")),
}  # fmt: skip
EDITS = st.lists(
    st.sampled_from([(path, number) for path, texts in FILES.items() for number in range(len(texts))]),
    min_size=1,
    max_size=6,
)


class Watched:
    """Audits of one folder with one cache, and which roots each has solved."""

    def __init__(self, folder: Path, cache: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.cache = folder, Cache(cache)
        self.solved: set[str] = set()
        patch.setattr(state, "of_stopper", lambda: "the code of this test run")
        tell = flows._Analysis._told

        def told(analysis: flows._Analysis, share: flows.Share) -> dict[int, flows.Record]:
            self.solved |= {share.roots[place].scope.qualname for place in share.solved}
            return tell(analysis, share)

        patch.setattr(flows._Analysis, "_told", told)

    def write(self, path: str, text: str | None) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            place.unlink(missing_ok=True)
        else:
            place.write_text(text)

    def report(self, cache: Cache | None = None) -> Report:
        self.solved.clear()
        tree = listed(self.folder, Config())
        report = audit_tree(tree, self.folder, Config(), cache=cache or self.cache)[0]
        return replace(report, stats=Stats())

    def fresh(self) -> Report:
        return self.report(NO_CACHE)

    def is_short(self) -> bool:
        project = Project(walk(self.folder))
        project.shelf = self.cache.shelf(project.tree.root, project.options)
        return flows.is_short(project)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched(tmp_path / "project", tmp_path / "cache", monkeypatch)
    for path, texts in FILES.items():
        watched.write(path, texts[0])
    return watched


def test_nothing_is_solved_where_nothing_changed(shop: Watched) -> None:
    first = shop.report()
    solved = set(shop.solved)

    assert {"a", "b", "c", "find", "run", "who"} <= solved
    assert len({flow.rule for flow in first.findings}) > 5
    assert shop.report() == first
    assert shop.solved == set()


def test_only_what_follows_a_function_that_changed_is_solved_again(shop: Watched) -> None:
    shop.report()
    shop.write("shop/base.py", FILES["shop/base.py"][1])
    second = shop.report()

    assert shop.solved == {"find"}
    assert second == shop.fresh()


@pytest.mark.parametrize("number", range(len(CART_EDITS)))
def test_a_change_anywhere_in_a_file_is_seen_by_all_whom_it_concerns(shop: Watched, number: int) -> None:
    shop.report()
    shop.write("shop/cart.py", FILES["shop/cart.py"][number + 1])

    assert shop.report() == shop.fresh()

    shop.write("shop/cart.py", CART)

    assert shop.report() == shop.fresh()


def test_a_function_that_changed_is_no_reason_to_solve_the_others_of_its_file(shop: Watched) -> None:
    first = shop.report()
    shop.write("shop/buy.py", BUY.replace("    ordered.send", "    changed = 1\n    ordered.send"))
    second = shop.report()

    assert shop.solved == {
        "second",
        "third",
    }  # the third renders a template in the same file, which has moved
    assert second == shop.fresh()
    assert {flow.location.line for flow in first.findings} != {flow.location.line for flow in second.findings}


def test_a_helper_that_changed_is_followed_again_by_those_who_call_it(shop: Watched) -> None:
    shop.report()
    shop.write("shop/cart.py", FILES["shop/cart.py"][1])
    second = shop.report()

    assert shop.solved == {"third", "fourth", "seventh"}
    assert second == shop.fresh()


def test_what_a_view_is_made_with_counts(shop: Watched) -> None:
    head = (
        "import os\nfrom flask import Flask, request\nfrom flask.views import View\napp = Flask(__name__)\n"
    )
    view = (
        "class Show(View):\n    def __init__(self, act):\n        self.act = act\n"
        "    def dispatch_request(self):\n        self.act(request.args['x'])\n        return ''\n"
    )
    added = "app.add_url_rule('/show', view_func=Show.as_view('show', {}))\n"
    shop.write("shop/views.py", f"{head}{view}{added.format('print')}")
    first = shop.report()
    shop.write("shop/views.py", f"{head}{view}def run(text):\n    os.system(text)\n{added.format('run')}")
    second = shop.report()

    assert "Show.dispatch_request" in shop.solved
    assert len(second.findings) > len(first.findings)
    assert second == shop.fresh()


def test_a_constant_that_nothing_asks_for_is_no_reason_to_solve(shop: Watched) -> None:
    shop.write("shop/alone.py", "X = 1\n")
    shop.report()
    shop.write("shop/alone.py", "X = 1\nCHANGED_AT = 2\n")
    shop.report()

    assert shop.solved == set()


def test_who_reads_a_cell_that_holds_something_else_is_solved_again(shop: Watched) -> None:
    shop.write("shop/templates/page.html", "<p>{{ user|safe }}")
    first = shop.report()
    shop.write(
        "shop/__init__.py", str(FILES["shop/__init__.py"][0]).replace("request.args.get('user')", "'nobody'")
    )
    second = shop.report()

    assert {"who", "c"} <= shop.solved
    assert "find" not in shop.solved
    assert first != second == shop.fresh()


def test_what_a_root_reads_for_the_first_time_is_looked_up(shop: Watched) -> None:
    shop.report()
    shop.write("shop/buy.py", BUY.replace("    ordered.send", "    os.system(g.user)\n    ordered.send"))
    second = shop.report()

    assert shop.solved == {"second", "third"}
    assert any("kept as g.user" in step.note for one in second.findings for step in one.flow)
    assert second == shop.fresh()


def test_what_nobody_reads_again_is_not_looked_up(shop: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.report()
    shop.write("shop/base.py", FILES["shop/base.py"][1])
    monkeypatch.setattr("stopper.taint.kept.stable.Stable.load", _raise)
    second = shop.report()

    assert shop.solved == {"find"}
    assert second == shop.fresh()


def test_a_run_is_short_where_an_earlier_one_has_left_most(shop: Watched) -> None:
    assert not shop.is_short()

    shop.report()
    shop.write("shop/base.py", FILES["shop/base.py"][1])

    assert shop.is_short()

    shop.write("shop/new.py", "")

    assert not shop.is_short()


def test_nothing_that_the_code_says_can_be_read_in_the_cache(shop: Watched) -> None:
    secret = "k7winterTr4in"
    for line in (
        f"    session['token'] = '{secret}'",
        f"    g.held = '{secret}'; SEEN[name] = '{secret}' + value",
    ):
        shop.write(
            "shop/store.py",
            str(FILES["shop/store.py"][0]).replace("    SEEN[name] = value", line) + f"A = '{secret}'\n",
        )
        shop.report()
        shop.write("shop/views.py", f"# moved\n{FILES['shop/views.py'][0]}")
        second = shop.report()
        place = shop.cache.folder
        assert place is not None

        assert not any(secret.encode() in path.read_bytes() for path in place.iterdir())
        assert second == shop.fresh()


@pytest.mark.parametrize("raw", [b"", b"nothing", b"\x80\x05cos\nsystem\n(S'false'\ntR."])
def test_what_is_none_of_ours_is_passed_over(shop: Watched, raw: bytes) -> None:
    first = shop.report()
    place = shop.cache.folder
    assert place is not None
    (entry,) = place.glob("*.roots")
    for body in (raw, entry.read_bytes()[:-40]):
        entry.write_bytes(caching._head(entry.stem, body).encode() + b"\n" + body)

        assert shop.report() == first
        assert shop.solved


def test_cells_that_cannot_be_read_back_are_worked_out_anew(
    shop: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.report()
    shop.write("shop/views.py", str(FILES["shop/views.py"][0]).replace("g.user", "str(g.user)"))
    monkeypatch.setattr("stopper.taint.kept.stable.Stable.load", _raise)

    assert shop.report() == shop.fresh()
    assert len(shop.solved) > 5


def _raise(*_: object) -> None:
    raise ValueError("false bytes")


@given(edits=EDITS)
@settings(max_examples=30, deadline=None)
def test_after_any_edits_the_report_is_that_of_a_fresh_run(edits: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        shop = Watched(Path(name, "project"), Path(name, "cache"), patch)
        for path, texts in FILES.items():
            shop.write(path, texts[0])
        shop.report()
        for path, number in edits:
            shop.write(path, FILES[path][number])

            assert shop.report() == shop.fresh()


@pytest.mark.parametrize("seed", range(3))
def test_after_chance_edits_of_the_blog_too(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(BLOG, tmp_path / "project")
    blog = Watched(tmp_path / "project", tmp_path / "cache", monkeypatch)
    chance = random.Random(seed)
    blog.report()
    for _ in range(4):
        edit(chance, blog.folder)

        assert blog.report() == blog.fresh()


class Kept:
    """What is kept as a call of a function."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        (Confidence.LOW, Confidence.LOW),
        (Kept(getattr, Confidence, "LOW"), Confidence.LOW),  # as the first releases of Python 3.11 keep it
        (Kept(getattr, Confidence, "mro"), None),
        (Kept(getattr, frozenset, "mro"), None),
        (Kept(eval, "1"), None),
    ],
)
def test_nothing_but_what_was_learnt_is_read_back(kept: object, read: object) -> None:
    assert checked(pickle.dumps(kept)) is read


def edit(chance: random.Random, folder: Path) -> str:
    """Change one file of a project by chance; return what was done."""
    pages = chance.random() < 0.15
    files = sorted(folder.rglob("*.html" if pages else "*.py"))
    file = chance.choice(files)
    text = file.read_text()
    how = chance.choice(("body", "body", "body", "line", "word", "drop", "rename", "append", "base", "shift"))
    if pages:
        how, text = (
            "page",
            re.sub(r"\{\{ ([\w.]+) \}\}", r"{{ \1|safe }}", text, count=chance.randrange(1, 4)),
        )
    elif how == "append":
        text += "\nCHANGED_AT = 1\n"
    elif how == "shift":
        text = f"# {chance.random()}\n{text}"
    else:
        heads = list(re.finditer(r"^( *)def (\w+)\(.*\).*:\n", text, re.MULTILINE))
        text = _changed(chance, text, how, heads) if heads else text
    file.write_text(text)
    return f"{how} {file.relative_to(folder)}"


def _changed(chance: random.Random, text: str, how: str, heads: list[re.Match[str]]) -> str:
    head = chance.choice(heads)
    if how in ("line", "word"):
        return _inside(chance, text, how)
    if how == "rename":
        return re.sub(rf"\b{head[2]}\b", f"{head[2]}_renamed", text)
    if how == "drop":
        return text[: head.start()] + text[head.start() :].replace(head[2], f"_{head[2]}", 1)
    if how == "base":
        return re.sub(r"^class (\w+)(\(.*\))?:", r"class \1(object):", text, count=1, flags=re.MULTILINE)
    line = chance.choice(
        (
            "from flask import request; import os; os.system(request.args['x'])",
            "return None",
            "changed = 1",
            "from flask import g, request; g.user = request.args['x']",
            "global CHANGED; CHANGED = 1",
        )
    )
    return f"{text[: head.end()]}{head[1]}    {line}\n{text[head.end() :]}"


def _inside(chance: random.Random, text: str, how: str) -> str:
    """Drop a line in a function, or put one name where another stood, where that still is code."""
    lines = text.splitlines(keepends=True)
    for _ in range(20):
        at = chance.randrange(len(lines))
        line = lines[at]
        words = re.findall(r"\b[a-z]\w+", line)
        if not line.startswith("    ") or not words:
            continue
        indent = line[: len(line) - len(line.lstrip())]
        new = f"{indent}pass\n" if how == "line" else line.replace(chance.choice(words), "changed", 1)
        changed = "".join([*lines[:at], new, *lines[at + 1 :]])
        with contextlib.suppress(SyntaxError):
            ast.parse(changed)
            return changed
    return text


CIRCLES = """
import os
from flask import Flask, request
app = Flask(__name__)
def even(text, depth):
    return odd(text + "x", depth - 1) if depth else text
def odd(text, depth):
    return even(text, depth - 1) if depth else run(text)
def run(text):
    os.system(text)
    return third(text, {"part": text})
def third(text, held):
    return even(held["part"], 3) if text else run(held["part"])
@app.get("/a")
def a():
    return odd(request.args["a"], 9)
@app.get("/b")
def b():
    return even(request.args["b"], 4)
@app.get("/c")
def c():
    return third(request.args["c"], {"part": request.args["d"]})
"""


def test_a_root_does_the_same_whoever_was_solved_before(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CIRCLES)
    together = _records(tmp_path, 0, 1, 2)

    assert sum(len(one.flows) for one in together.values()) >= 3
    assert together == {**_records(tmp_path, 0), **_records(tmp_path, 1), **_records(tmp_path, 2)}


def test_a_root_that_may_come_to_a_bound_is_solved_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stopper.taint.engine.MAX_STEPS", 60)
    monkeypatch.setattr("stopper.taint.kept.reach.MAX_STEPS", 60)
    (tmp_path / "app.py").write_text(CIRCLES)
    together = _records(tmp_path, 0, 1, 2)

    assert any(one.cut for one in together.values())
    assert together == {**_records(tmp_path, 0), **_records(tmp_path, 1), **_records(tmp_path, 2)}


def _records(folder: Path, *places: int) -> dict[int, flows.Record]:
    analysis = flows._Analysis(Project(walk(folder)))
    found = analysis._solved(places)
    return {place: replace(one, shown=tuple(sorted(one.shown))) for place, one in found.items()}
