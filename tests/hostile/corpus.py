"""Files that nobody wrote by hand: broken, enormous, deep, in any encoding. Generated, so that nothing large is kept."""

import random
from collections.abc import Callable

APP = """from flask import Flask, request, render_template
app = Flask(__name__)

@app.route("/hello/<name>", methods=["GET", "POST"])
def hello(name):
    cursor.execute("select * from t where a = '%s'" % request.args["a"])
    return render_template("page.html", name=request.form.get("name"))
"""

PAGE = """{% extends "base.html" %}{% block body %}
<a href="{{ url_for('hello', name=name) }}" onclick='f({{ name }})'>{{ name|safe }}</a>
{% for item in items if item.x %}<form method="post">{{ loop.index }}</form>{% endfor %}
{% macro m(a, b=1) %}<script>var x = {{ a|tojson }};</script>{% endmacro %}{% endblock %}
"""


def _view(body: str) -> str:
    return f'{APP}\n@app.route("/hostile")\ndef hostile(x):\n    {body}\n'


def _settings(count: int) -> str:
    return APP + "".join(f'app.config["KEY_{number}"] = "value {number}"\n' for number in range(count))


def _routes(count: int) -> str:
    routes = (
        f'@app.get("/r{n}/<int:a>")\ndef r{n}(a):\n    return r{(n + 1) % count}(a)\n' for n in range(count)
    )
    return APP + "".join(routes)


def _chain(count: int) -> str:
    lines = ["    a0 = request.args['x']"] + [f"    a{n} = a{n - 1} + a{n - 1}" for n in range(1, count)]
    return APP + "def chain():\n" + "\n".join(lines) + f"\n    cursor.execute(a{count - 1})\n"


def _imports(name: str) -> str:
    return f"{APP}\nfrom {name} import *\nfrom {name} import x as y\nclass A(B): pass\nclass B(A): pass\nq = w\nw = q\n"


PYTHON: dict[str, Callable[[], str | bytes]] = {
    "a concatenation of 20,000 terms": lambda: _view("return " + " + ".join(["'a'"] * 20_000)),
    "a concatenation of 900 terms": lambda: _view("cursor.execute(" + " + ".join(["x"] * 900) + ")"),
    "a chain of 900 attributes": lambda: _view("return x" + ".a" * 900),
    "a chain of 900 calls": lambda: _view("return x" + ".a()" * 900),
    "900 lambdas": lambda: _view("return " + "lambda: " * 900 + "x"),
    "900 conditions": lambda: _view("return " + "x if x else " * 900 + "x"),
    "900 elif": lambda: APP + "if x: pass\n" + "elif x: pass\n" * 900,
    "95 levels of brackets": lambda: _view("return " + "[" * 95 + "x" + "]" * 95),
    "95 levels of blocks": lambda: (
        APP + "".join(" " * n + "if x:\n" for n in range(95)) + " " * 95 + "pass\n"
    ),
    "95 levels of functions": lambda: (
        APP + "".join(" " * n + "def f(x):\n" for n in range(95)) + " " * 95 + "return x\n"
    ),
    "100,000 open brackets": lambda: APP + "(" * 100_000,
    "null bytes": lambda: APP.encode() + b"\0" * 1_000 + b"\nx = 1\n",
    "carriage returns": lambda: APP.replace("\n", "\r"),
    "form feeds": lambda: APP.replace("\n\n", "\n\x0c\n"),
    "utf-16": lambda: APP.encode("utf-16"),
    "a cookie for latin-1": lambda: ("# coding: latin-1\n" + APP + "x = 'é'\n").encode("latin-1"),
    "a cookie that lies": lambda: ("# coding: ascii\n" + APP + "x = 'é'\n").encode(),
    "a cookie that raises": lambda: ("# coding: undefined\n" + APP).encode(),
    "bytes of no encoding": lambda: APP.encode() + random.Random(1).randbytes(20_000),
    "half surrogates": lambda: b"# coding: raw_unicode_escape\n" + APP.encode() + b"x = '\\ud800'\n",
    "Python 2": lambda: APP + 'print "x %s" % x\nexec code in ns\ntry: pass\nexcept E, e: raise E, "x"\n',
    "a merge conflict": lambda: APP + "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
    "an open string": lambda: APP + 'x = """never closed\n' + APP,
    "a global chosen outside every function": lambda: APP + "chosen = globals()[request.args['name']]\n",
    "a library's function that Flask calls": lambda: _view(
        "import functools, operator\n    from flask import after_this_request\n"
        "    after_this_request(functools.partial(open, x))\n    after_this_request(operator.methodcaller('get', x))\n"
        "    return ''"
    ),
    "keys that are no plain texts": lambda: _view(
        "x = {...: 1}\n    del x[...], x[-'a'], x[-True], x[1e999], x[not 1], x[b''], x[None], x[2j]\n    return x[~0], x[+1]"
    ),
    "a key that has no hash": lambda: APP + "x = {({},): 1}\ny = {[]: 1}\nz = {{}: 1, (1, [2]): 3}\n",
    "imports in a circle": lambda: _imports("app"),
    "an import of nothing": lambda: _imports("." * 50 + "app"),
    "2,000 settings": lambda: _settings(2_000),
    "1,000 routes that call each other": lambda: _routes(1_000),
    "a value doubled 300 times": lambda: _chain(300),
    "a number of 10,000 digits": lambda: _view("return " + "9" * 4_000 + " ** 9999999"),
    "a product that fills the memory": lambda: (
        APP + "x = 'a' * 10 ** 12\ny = 2 ** 10 ** 9\nz = [0] * 10 ** 12\n"
    ),
    "a line of a million characters": lambda: APP + "x = '" + "a" * 1_000_000 + "'\n",
    "only an end of line": lambda: "\n",
    "nothing": lambda: "",
}
"""What stands in app.py, by what is odd about it."""

PAGES: dict[str, Callable[[], str | bytes]] = {
    "an open tag": lambda: PAGE + "{% if x",
    "an end without a start": lambda: PAGE + "{% endif %}{% endblock %}",
    "5,000 open blocks": lambda: "{% if x %}" * 5_000,
    "an expression 2,000 brackets deep": lambda: "{{ " + "(" * 2_000 + "x" + ")" * 2_000 + " }}",
    "an expression of 5,000 filters": lambda: "{{ x" + "|upper" * 5_000 + " }}",
    "100,000 open tags": lambda: "<div " * 100_000,
    "100,000 quotes": lambda: "<a b=" + "\"'" * 50_000 + "{{ x }}",
    "100,000 braces": lambda: "{" * 100_000,
    "a page that extends itself": lambda: (
        '{% extends "page.html" %}{% include "page.html" %}{% import "page.html" as p %}'
    ),
    "null bytes": lambda: PAGE.encode() + b"\0" * 1_000 + PAGE.encode(),
    "utf-16": lambda: PAGE.encode("utf-16"),
    "bytes of no encoding": lambda: PAGE.encode() + random.Random(2).randbytes(20_000),
    "another language's template": lambda: (
        "<% if x %>{{#each y}}{{{z}}}{{/each}}{% verbatim %}{{ a.b.0 }}{% endverbatim %}"
    ),
}
"""What stands in templates/page.html."""

OTHERS: dict[str, tuple[str, bytes]] = {
    "requirements of no format": (
        "requirements.txt",
        b"flask===\n-r requirements.txt\n--hash\n\xff\n; ;\n" + b"[" * 5_000,
    ),
    "requirements in a circle": (
        "requirements.txt",
        b"-r requirements.txt\n-c requirements.txt\nflask==3.0.0\n",
    ),
    "a pyproject that is none": ("pyproject.toml", b"[project\nname = \xff"),
    "a pyproject of other types": ("pyproject.toml", b"project = 1\ntool = [1]\n"),
    "a deep pyproject": ("pyproject.toml", b"a = " + b"[" * 5_000),
    "a lock that is none": ("poetry.lock", b"[[package]]\nname = 1\nversion = []\n"),
    "a Pipfile.lock that is deep": ("Pipfile.lock", b"[" * 100_000),
    "a Pipfile.lock of other types": ("Pipfile.lock", b'{"default": [1], "_meta": null}'),
    "a Dockerfile without an end": ("Dockerfile", b"FROM x\nRUN \\\n" * 1_000 + b"ENV A=" + b"$A" * 5_000),
    "a compose file that is none": ("docker-compose.yml", b"services: {a: [\n\t- &a *a\n\xff"),
    "an .env of no format": (".env", b"SECRET_KEY='open\nA=${A}\n=\n\0\xff\n" + b"B" * 100_000),
    "a git folder that is none": (".git/HEAD", b"ref: \0\xff"),
    "a gitignore of no format": (".gitignore", b"[z-a]\n!\n\\\n\xff\0\n"),
}
"""Other files of a project: the name and what stands there."""
