"""Templates as trees: what stands in what, and what each statement says."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk as read_tree
from stopper.source.project import Project
from stopper.source.template import Output
from stopper.source.template_tree import (
    Item,
    call_of,
    import_of,
    include_of,
    loop_of,
    pairs_of,
    set_of,
    signature_of,
    tree,
    walk,
)


def told(items: tuple[Item, ...]) -> str:
    """Return a tree as text: ``if x(a; else: b)``."""
    parts = []
    for item in items:
        if isinstance(item, Output):
            parts.append(item.expression)
            continue
        bodies = [f"{branch.word}: {told(branch.body)}" for branch in item.branches]
        parts.append(f"{item.word} {item.rest}".strip() + (f"({'; '.join(bodies)})" if bodies else ""))
    return ", ".join(parts)


def read(folder: Path, content: str) -> tuple[Item, ...]:
    (folder / "templates").mkdir()
    (folder / "app.py").write_text("from flask import Flask\n")
    (folder / "templates/page.html").write_text(content)
    (template,) = Project(read_tree(folder)).templates.all
    return tree(template)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{{ a }}<p>{{ b }}", "a, b"),
        (
            "{% if x %}{{ a }}{% elif y %}{{ b }}{% else %}{{ c }}{% endif %}{{ d }}",
            "if x(if: a; elif: b; else: c), d",
        ),
        ("{% for a in b %}{{ a }}{% else %}{{ c }}{% endfor %}", "for a in b(for: a; else: c)"),
        ("{% set a = b %}{{ a }}", "set a = b, a"),
        ("{% set a %}{{ b }}{% endset %}", "set a(set: b)"),
        (
            "{% block x %}{% block y %}{{ a }}{% endblock y %}{% endblock %}",
            "block x(block: block y(block: a))",
        ),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b) }}", "macro m(a)(macro: a), m(b)"),
        ("{% include 'a.html' %}{{ a }}", "include 'a.html', a"),
        ("{% raw %}{{ a }}{% endraw %}{{ b }}", "b"),
        ("{# {{ a }} #}{{ b }}", "b"),
    ],
)
def test_statements_hold_what_stands_in_them(tmp_path: Path, content: str, expected: str) -> None:
    assert told(read(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{% if x %}{{ a }}", "if x(if: a)"),
        ("{{ a }}{% endif %}{{ b }}", "a, b"),
        ("{% if x %}{% for a in b %}{{ a }}{% endif %}{{ c }}", "if x(if: for a in b(for: a)), c"),
        ("{% else %}{{ a }}", "a"),
        ("<p>nothing</p>", ""),
    ],
)
def test_what_is_not_closed_ends_with_what_is_around_it(tmp_path: Path, content: str, expected: str) -> None:
    assert told(read(tmp_path, content)) == expected


def test_a_tag_of_an_extension_hides_nothing(tmp_path: Path) -> None:
    assert told(read(tmp_path, "{% cache 50 %}{{ a }}{% endcache %}{{ b }}")) == "cache 50, a, b"


def test_everything_is_walked_in_the_order_of_the_text(tmp_path: Path) -> None:
    items = read(tmp_path, "{{ a }}{% if x %}{{ b }}{% else %}{{ c }}{% endif %}{{ d }}")

    assert [item.expression for item in walk(items) if isinstance(item, Output)] == ["a", "b", "c", "d"]


def test_statements_say_what_they_bind() -> None:
    assert loop_of("key, value in d.items() if key")[0] == ("key", "value")
    assert set_of("a, b = pair")[0] == ("a", "b")
    assert set_of("ns.title = x")[0] == ("ns.title",)
    assert set_of("body")[1] is None
    assert list(pairs_of("a=x, b=1")) == ["a", "b"]
    assert list(pairs_of("trimmed user=name")) == ["user"]
    assert signature_of("field(value, kind='text')")[1] == ("value", "kind")
    assert call_of("(row) table(rows)")[0] == ("row",)
    assert call_of("box()")[0] == ()


def test_includes_and_imports_say_what_they_share() -> None:
    assert include_of("'a.html'")[1] is True
    assert include_of("'a.html' ignore missing without context")[1] is False
    assert import_of("import", "'m.html' as m with context")[1:] == ({"m": ""}, True)
    assert import_of("from", "'m.html' import a, b as c")[1:] == ({"a": "a", "c": "b"}, False)


@pytest.mark.parametrize("rest", ["", "(", "x y z", "1 +", "'a.html' import"])
def test_what_cannot_be_read_says_nothing(rest: str) -> None:
    assert loop_of(rest) == ((), None)
    assert pairs_of(rest) == {}
    assert signature_of(rest) == ("", (), {})
    assert import_of("from", rest)[1] == {}
