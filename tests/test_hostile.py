"""Whatever stands in a project, the audit ends, soon, and says what it could not look at."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.hostile import corpus

from stopper.audit import audit
from stopper.config import Config
from stopper.report import Report

MAX_SECONDS = 20
"""How long one hostile project may take; a hang takes for ever and a slow machine some seconds."""


def write(root: Path, name: str, content: str | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def project(root: Path, **files: str | bytes) -> None:
    write(root, "flask_app.py", corpus.APP)
    write(root, "templates/base.html", "<html>{% block body %}{% endblock %}</html>")
    for name, content in files.items():
        write(root, name, content)


def broken_rules(report: Report) -> dict[str, str]:
    """Return the rules that failed and the functions that could not be followed by an error of our own, and why."""
    return {skipped.what: skipped.reason for skipped in report.skipped if "please report" in skipped.reason}


@cache
def broken_anyway() -> frozenset[str]:
    """Name the rules that fail on a project with nothing hostile in it: another test tells of those."""
    with TemporaryDirectory() as folder:
        project(Path(folder))
        return frozenset(broken_rules(audit(Path(folder), Config(online=False))))


def survives(root: Path) -> Report:
    anyway = broken_anyway()
    started = time.monotonic()
    report = audit(root, Config(online=False))
    assert time.monotonic() - started < MAX_SECONDS
    assert {what: why for what, why in broken_rules(report).items() if what not in anyway} == {}
    return report


def told(report: Report, path: str) -> list[str]:
    return [skipped.reason for skipped in report.skipped if skipped.what.startswith(path)]


def found(report: Report, path: str, line: int) -> list[str]:
    places = ((finding.location.path, finding.location.line, finding.rule) for finding in report.findings)
    return [rule for *place, rule in places if place == [path, line]]


@pytest.mark.parametrize("what", corpus.PYTHON)
def test_the_audit_survives_a_module_with(tmp_path: Path, what: str) -> None:
    project(tmp_path, **{"app.py": corpus.PYTHON[what]()})
    survives(tmp_path)


@pytest.mark.parametrize("what", corpus.PAGES)
def test_the_audit_survives_a_template_with(tmp_path: Path, what: str) -> None:
    project(tmp_path, **{"templates/page.html": corpus.PAGES[what]()})
    survives(tmp_path)


@pytest.mark.parametrize("what", corpus.OTHERS)
def test_the_audit_survives(tmp_path: Path, what: str) -> None:
    name, content = corpus.OTHERS[what]
    project(tmp_path, **{name: content})
    survives(tmp_path)


@pytest.mark.parametrize(
    "what",
    [
        "a concatenation of 20,000 terms",
        "a concatenation of 900 terms",
        "100,000 open brackets",
        "a merge conflict",
    ],
)
def test_a_module_that_was_not_read_whole_is_told(tmp_path: Path, what: str) -> None:
    project(tmp_path, **{"app.py": corpus.PYTHON[what]()})
    assert told(survives(tmp_path), "app.py")


def test_a_function_that_is_too_large_to_follow_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stopper.taint.propagate.MAX_STEPS", 2)
    project(tmp_path)
    (reason,) = told(survives(tmp_path), "flask_app.py hello()")
    assert "too large to follow" in reason


@pytest.mark.parametrize("name", ["big.py", "templates/big.html", "requirements.txt", ".env"])
def test_an_enormous_file_is_told(tmp_path: Path, name: str) -> None:
    project(tmp_path, **{name: b"x = 1\n" * 800_000})
    assert "are not read" in told(survives(tmp_path), name)[0]


def test_an_enormous_module_within_the_bound_is_read(tmp_path: Path) -> None:
    project(tmp_path, **{"app.py": corpus.APP + "x = f(1)\n" * 50_000})
    assert not told(survives(tmp_path), "app.py")


@pytest.mark.parametrize(
    "body",
    [
        "    name = name.replace('-', '')\n    return name if name.isalnum() else ''\n",
        "    name = name.encode()\n    return hmac.compare_digest(name, hmac.new(b'k', b'v').digest()) or name\n",
        "    if hmac.compare_digest(name, b'x'):\n        return name\n    name = name.decode()\n    return ''\n",
        "    name = name.lower()\n    return name if name in ('a', 'b') else ''\n",
    ],
)
def test_a_variable_that_is_made_of_itself_ends_nothing(tmp_path: Path, body: str) -> None:
    view = "@app.get('/checked/<name>')\ndef checked(name):\n    return str(check(name))\n"
    head = "import hmac\nfrom flask import Flask\napp = Flask(__name__)\n"
    project(tmp_path, **{"app.py": f"{head}def check(name):\n{body}{view}"})
    with ended_after(MAX_SECONDS):
        assert not told(survives(tmp_path), "app.py")


@pytest.mark.parametrize("name", ["flags", "rereads"])
def test_a_variable_may_be_called_as_an_answer_of_our_own(tmp_path: Path, name: str) -> None:
    body = f"    {name} = True\n    if x == 'a':\n        {name} = False\n    if {name}:\n        cursor.execute(x)\n"
    project(tmp_path, **{"app.py": f"{corpus.APP}\n@app.get('/<x>')\ndef named(x):\n{body}    return ''\n"})
    assert "sql-injection" in found(survives(tmp_path), "app.py", 15)


GROWING = {
    "a list": "x.append(x)\n        x.append([name, x])",
    "a dict": "x = {'a': x, **x}\n        x.update(b=x)\n        x.setdefault('c', x)",
    "a tuple": "x = (x, *x, x)",
    "an object": "x.next = x.last = Page(x, x)",
    "a partial function": "x = functools.partial(x, x, name)",
    "a closure": "y = lambda: (x, y, name)\n        x = y",
}


@pytest.mark.parametrize("what", GROWING)
def test_what_is_put_into_itself_in_a_loop_does_not_grow_without_end(tmp_path: Path, what: str) -> None:
    page = "class Page:\n    def __init__(self, a, b=None):\n        self.a, self.b = a, b\n"
    body = f"    x, y = [name], name\n    if name:\n        x = Page(name)\n    while name:\n        {GROWING[what]}\n"
    view = f"@app.get('/grown/<name>')\ndef grown(name):\n{body}    cursor.execute(name)\n    return str(x)\n"
    project(tmp_path, **{"app.py": f"import functools\n{corpus.APP}\n{page}{view}"})
    with ended_after(MAX_SECONDS):
        report = survives(tmp_path)
    assert [finding.message for finding in report.findings if finding.rule == "sql-injection"][1:]
    assert not told(report, "app.py")


def test_many_variables_that_grow_with_each_other_cost_as_much_as_they_carry(tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(24)]
    grown = "".join(
        f"            if {name}:\n                {name}.append({names[n - 1]})\n                {name}.append([{names[n - 2]}, x])\n"
        for n, name in enumerate(names)
    )
    start = "".join(f"    {name} = [x, request.args['{name}']]\n" for name in names)
    view = f"@app.get('/<x>')\ndef grown(x):\n{start}    while x:\n        for y in x:\n{grown}    return str(a0)\n"
    project(tmp_path, **{"app.py": f"{corpus.APP}\n{view}"})
    (reason,) = told(survives(tmp_path), "app.py grown()")
    assert "too large to follow" in reason


@pytest.mark.parametrize(
    "page",
    [
        '{% import "page.html" as p %}{% from "page.html" import m with context %}{{ p.m() }}',
        "{% macro m(a=m(), b=a) %}{{ m(a) }}{{ caller() }}{% endmacro %}{% call m() %}{{ m() }}{% endcall %}{{ m(m)|safe }}",
    ],
)
def test_a_page_that_leads_back_to_itself_ends_nothing(tmp_path: Path, page: str) -> None:
    project(tmp_path, **{"templates/page.html": page + "{{ name|safe }}"})
    report = survives(tmp_path)
    assert not told(report, "flask_app.py")
    assert "sql-injection" in found(report, "flask_app.py", 6)


class Late(BaseException):
    """Raised in what takes too long; no error of a rule, which the audit would outlive."""


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    """Raise in what runs longer: what goes in a circle would never come to be told."""

    def late(*_: object) -> None:
        raise Late(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


MUTATION = st.tuples(
    st.integers(0, 10_000),
    st.integers(0, 30),
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(
            [
                *"()[]{}:,=\"'\\@*.\0\r\x0c",
                "\n",
                "'''",
                "f'{",
                "{{",
                "}}",
                "{%",
                "%}",
                "def ",
                "*",
                "await ",
                "\n  ",
                "é",
            ]
        ),
    ),
)


def mutate(source: str, mutations: list[tuple[int, int, str]]) -> str:
    for position, length, text in mutations:
        start = position % (len(source) + 1)
        source = source[:start] + text + source[start + length :]
    return source


property_test = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@property_test
@given(python=st.lists(MUTATION, min_size=1, max_size=6), page=st.lists(MUTATION, min_size=1, max_size=6))
def test_the_audit_survives_mutated_code_and_templates(
    python: list[tuple[int, int, str]], page: list[tuple[int, int, str]]
) -> None:
    with TemporaryDirectory() as folder:
        files = {"app.py": mutate(corpus.APP, python), "templates/page.html": mutate(corpus.PAGE, page)}
        project(Path(folder), **files)
        survives(Path(folder))


@property_test
@given(st.binary(max_size=300), st.text(max_size=300), st.binary(max_size=100), st.binary(max_size=100))
def test_the_audit_survives_anything(python: bytes, page: str, env: bytes, requirements: bytes) -> None:
    with TemporaryDirectory() as folder:
        files = {"app.py": python, "templates/page.html": page, ".env": env, "requirements.txt": requirements}
        project(Path(folder), **files)
        survives(Path(folder))
