"""A value is told as constant, as read from the environment, or as unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.code import Code
from stopper.source.files import walk
from stopper.source.values import UNKNOWN, State, Value

HEAD = "import os\nfrom datetime import timedelta\n"


def value(folder: Path, code: str) -> Value:
    """Return what is known of what ``probe(X)`` is handed."""
    (folder / "app.py").write_text(HEAD + code)
    (call,) = Code.of(walk(folder)).every_call("probe")
    given = call.argument(0)
    assert given is not None
    return given.value


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("probe('a' + 'b')", "ab"),
        ("A = 'k'\nprobe(f'{A}-1')", "k-1"),
        ("class C:\n    KEY = 'k'\nprobe(C.KEY)", "k"),
        ("class B:\n    KEY = 'k'\nclass C(B): ...\nprobe(C().KEY)", "k"),
        ("probe(timedelta(days=1, hours=1))", 90000.0),
        ("probe({'a': [1, 2]})", {"a": [1, 2]}),
        ("probe('A,B'.lower().split(','))", ["a", "b"]),
        ("probe(None or 'x')", "x"),
        ("probe(1 if not '' else 2)", 1),
    ],
)
def test_a_constant_is_computed(tmp_path: Path, code: str, expected: object) -> None:
    found = value(tmp_path, code)
    assert (found.state, found.constant) == (State.CONSTANT, expected)


@pytest.mark.parametrize(
    ("code", "default"),
    [
        ("probe(os.environ.get('X', 'dev'))", "dev"),
        ("probe(os.getenv('X') or 'dev')", "dev"),
        ("probe(os.environ.get('X'))", None),
        ("probe(os.environ['X'])", UNKNOWN),
        ("probe(os.environ.get('X', 'False') == 'True')", False),
        ("probe(int(os.environ.get('X', '5')))", 5),
        ("probe('a' if os.environ.get('X') else 'b')", "b"),
        ("def env(n, d=None):\n    return os.environ.get(n, d)\nprobe(env('X', 'dev'))", "dev"),
    ],
)
def test_what_the_environment_gives_has_its_variable_and_default(
    tmp_path: Path, code: str, default: object
) -> None:
    found = value(tmp_path, code)
    assert (found.state, found.variable) == (State.ENVIRONMENT, "X")
    assert found.in_production() == default


@pytest.mark.parametrize(
    "code",
    [
        "probe('a' * 10 ** 9)",
        "probe(9 ** 9 ** 9)",
        "probe([0] * 99999999)",
        "probe('a' * 1000 * 1000 * 1000)",
        "probe('%999999999d' % 1)",
        "probe('{:999999999}'.format(1))",
        "probe(('a' * 90000).replace('a', 'b' * 90000))",
        "a = b\nb = a\nprobe(a)",
        "probe(unheard_of())",
        "x = 1\nx = 2\nprobe(x)",
        "probe(1 / 0)",
        "probe('a'.join(4))",
    ],
)
def test_what_cannot_be_known_or_would_grow_huge_stays_unknown(tmp_path: Path, code: str) -> None:
    assert value(tmp_path, code).state is State.UNKNOWN


def test_a_container_may_be_known_in_part(tmp_path: Path) -> None:
    assert value(tmp_path, "probe([1, unheard_of()])").constant == [1, UNKNOWN]
