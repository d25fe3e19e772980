"""Templates that hold HTML are escaped whatever they are called, and a value is made harmless for the place it is written at."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from stopper import Stopper
from stopper.guard.clean import clean
from stopper.guard.escape import in_script, safe_url, said

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
ATTACK = "<script>alert(1)</script>"
TEMPLATES = {
    "page.html": "<p>{{ x }}</p>",
    "page.j2": "<p>{{ x }}</p>",
    "page.jinja": "<p>{{ x }}</p>",
    "page.html.j2": "{{ x }}",
    "page.tpl": "<div>{{ x }}</div>",
    "child.j2": '{% extends "page.html" %}{{ x }}',
    "grandchild.j2": '{% extends "child.j2" %}{{ x }}',
    "part.j2": "{{ x }}",
    "whole.html": '<p>{% include "part.j2" %}</p>',
    "noending": "<b>{{ x }}</b>",
    "mail.txt": "Dear {{ x }}",
    "mail.txt.j2": "Dear {{ x }} <someone>",
    "mail.j2": "Dear {{ x }}, 1 < 2",
    "post.md": "# {{ x }}",
    "data.csv": "{{ x }}",
    "loop.j2": '{% extends "loop.j2" %}{{ x }}',
}


def app_with(folder: Path, **said_: object) -> Flask:
    """Return a guarded app with the templates in a folder."""
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    app = Flask("escape", template_folder=str(folder))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    Stopper(app, **said_)
    return app


@pytest.mark.parametrize(
    "name", ["page.html", "page.j2", "page.jinja", "page.html.j2", "page.tpl", "whole.html", "noending"]
)
def test_a_template_that_holds_html_is_escaped_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    with app_with(tmp_path).test_request_context():
        assert "<script>" not in render_template(name, x=ATTACK)


@pytest.mark.parametrize("name", ["child.j2", "grandchild.j2", "part.j2"])
def test_a_part_of_a_page_is_escaped(tmp_path: Path, name: str) -> None:
    app = app_with(tmp_path)

    assert app.jinja_env.autoescape(name) is True


@pytest.mark.parametrize("name", ["mail.txt", "mail.txt.j2", "mail.j2", "post.md", "data.csv"])
def test_a_text_is_not(tmp_path: Path, name: str) -> None:
    with app_with(tmp_path).test_request_context():
        assert "O'Brien & <Söhne>" in render_template(name, x="O'Brien & <Söhne>")


def test_a_template_that_extends_itself_or_is_missing_makes_no_trouble(tmp_path: Path) -> None:
    app = app_with(tmp_path)

    assert app.jinja_env.autoescape("loop.j2") is False
    assert app.jinja_env.autoescape("missing.j2") is False


def test_a_string_is_escaped_and_an_app_that_switched_escaping_off_is_escaped_again(tmp_path: Path) -> None:
    app = app_with(tmp_path)
    off = Flask("off", template_folder=str(tmp_path))
    off.config.update(SECRET_KEY=KEY, TESTING=True)
    off.jinja_env.autoescape = False
    Stopper(off)

    for one in (app, off):
        with one.test_request_context():
            assert "<script>" not in render_template_string("{{ x }}", x=ATTACK)
            assert "<script>" not in render_template("page.html", x=ATTACK)


def test_report_tells_and_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with app_with(tmp_path, xss="report").test_request_context():
        assert ATTACK in render_template("page.j2", x=ATTACK)
        assert 'href="javascript:x"' in render_template_string('<a href="{{ x }}">', x="javascript:x")
    assert "page.j2 holds HTML" in caplog.text


def test_a_template_that_changes_is_judged_again(tmp_path: Path) -> None:
    app = app_with(tmp_path)
    app.jinja_env.auto_reload = True
    assert app.jinja_env.autoescape("mail.j2") is False

    (tmp_path / "mail.j2").write_text("<p>{{ x }}</p>      ")
    shutil.os.utime(tmp_path / "mail.j2", (1, 1))  # type: ignore[attr-defined]

    assert app.jinja_env.autoescape("mail.j2") is True


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html.j2", True),
        ("a.svg", True),
        ("a.txt.jinja2", False),
        ("a.js", False),
        ("a.conf.tpl", False),
        ("a.j2", None),
    ],
)
def test_a_name_says_what_a_template_makes(name: str, expected: bool | None) -> None:
    assert said(name) is expected


def rendered(tmp_path: Path, source: str, x: object) -> str:
    with app_with(tmp_path).test_request_context():
        return render_template_string(source, x=x)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " \x01javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript\r:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        Markup("&#106;avascript&colon;alert(1)"),
    ],
)
@pytest.mark.parametrize(
    "source",
    [
        '<a href="{{ x }}">',
        "<a href='{{ x }}'>",
        "<a href={{ x }}>",
        '<form action="  {{ x }}">',
        '<img src="{{ x or y }}">',
    ],
)
def test_an_address_that_would_run_is_not_written(tmp_path: Path, source: str, address: str) -> None:
    assert "about:invalid" in rendered(tmp_path, source, address)


@pytest.mark.parametrize(
    "address",
    [
        "/a?b=c&d=e",
        "https://a.example/:x",
        "mailto:a@b.example",
        "a:b",
        "#x",
        "data:image/png;base64,AA==",
        "",
        "javascript",
        "/javascript:x",
    ],
)
def test_any_other_address_is(address: str) -> None:
    assert safe_url(address) is address


def test_only_where_an_address_begins_is_it_looked_at(tmp_path: Path) -> None:
    assert rendered(tmp_path, '<a href="/go?to={{ x }}">', "javascript:1") == '<a href="/go?to=javascript:1">'
    assert (
        rendered(tmp_path, '<p title="{{ x }}">{{ x }}', "javascript:1")
        == '<p title="javascript:1">javascript:1'
    )
    assert rendered(tmp_path, '{{ "<a href=" }}{{ x }}', "javascript:1") == "&lt;a href=javascript:1"


def test_a_value_without_quotes_around_it_stays_one_value(tmp_path: Path) -> None:
    assert (
        rendered(tmp_path, "<p title={{ x }}>", "a onclick=alert(1)")
        == "<p title=a&#32;onclick&#61;alert(1)>"
    )
    assert rendered(tmp_path, "<input value={{ x }} {{ 'checked' if x }}>", "a") == "<input value=a checked>"


SCRIPTS = {
    '<script>var a = "{{ x }}";</script>': '"\\u0022\\u003b\\u003c/script\\u003e"',
    "<script>var a = {{ x|tojson }};</script>": '"\\";\\u003c/script\\u003e"',
    '<script type="application/json">{"a": "{{ x }}"}</script>': '"\\u0022\\u003b\\u003c/script\\u003e"',
    '<script type="text/x-template">{{ x }}</script>': "&#34;;&lt;/script&gt;",
    "<p onclick=\"go('{{ x }}')\">": "go('\\u0022\\u003b\\u003c/script\\u003e')",
}


@pytest.mark.parametrize("source", SCRIPTS)
def test_a_value_in_a_script_is_a_value(tmp_path: Path, source: str) -> None:
    assert SCRIPTS[source] in rendered(tmp_path, source, '";</script>')


def test_numbers_in_a_script_stay_numbers(tmp_path: Path) -> None:
    assert "var a = -1.5;" in rendered(tmp_path, "<script>var a = {{ x }};</script>", -1.5)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_script_reads_the_value_that_was_written(value: str) -> None:
    written = str(in_script(value))

    assert not set(written) & set("<>&'\"`\n\r\u2028\u2029(=;${")
    if value.isprintable() and value.isascii():
        assert json.loads(f'"{written}"') == value


def test_node_reads_the_value_that_was_written() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    value = "a'b\"c`d\\e\n</script>${1}\u2028;alert(1)//"
    script = f"process.stdout.write(JSON.stringify(['{in_script(value)}', \"{in_script(value)}\", `{in_script(value)}`]))"

    done = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(done.stdout) == [value] * 3


# --- |clean


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("<b>bold</b> & <i>more</i>", "<b>bold</b> &amp; <i>more</i>"),
        ("<script>alert(1)</script>x", "x"),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="nofollow noopener noreferrer ugc">x</a>'),
        (
            '<a href="https://a.example/" onclick="x">x</a>',
            '<a href="https://a.example/" rel="nofollow noopener noreferrer ugc">x</a>',
        ),
        ('<a href="ftp://a.example/">x</a>', '<a rel="nofollow noopener noreferrer ugc">x</a>'),
        ('<img src="/a.png" alt="a" onerror="x">', '<img src="/a.png" alt="a">'),
        ('<img src="https://spy.example/a.png">', "<img>"),
        ('<img src="//spy.example/a.png">', "<img>"),
        ('<img src="\\\\spy.example/a.png">', "<img>"),
        ('<img src="/\t/spy.example/a.png">', "<img>"),
        ('<img src="data:image/svg+xml,x">', "<img>"),
        ('<p style="position:fixed" class="modal" id="login">x</p>', "<p>x</p>"),
        ("<svg><style><img src=x onerror=alert(1)>", '<img src="x">'),
        ("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", None),
        ("1 < 2", "1 &lt; 2"),
        ("<!-- x -->y", "y"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_could_act_is_cleaned_away(written: str | None, cleaned: str | None) -> None:
    made = clean(written)

    assert isinstance(made, Markup)
    if cleaned is None:
        assert "onerror" not in made.replace("&lt;img src=x onerror", "")
    else:
        assert made == cleaned


def test_images_of_any_site_or_of_none_can_be_asked_for(tmp_path: Path) -> None:
    image = '<img src="https://a.example/a.png">'

    assert clean(image, images="any") == image
    assert clean('<img src="/a.png">x', images="none") == "x"
    with pytest.raises(ValueError, match='write "own", "any" or "none"'):
        clean(image, images="all")  # type: ignore[arg-type]
    with app_with(tmp_path, xss_images="any").test_request_context():
        assert render_template_string("{{ x|clean }}", x=image) == image


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ("<", ">", "a", " ", "=", "'", '"', "/", "script", "img", "svg", "on", "x", "<!--", "&#", ";")
        ),
        max_size=40,
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_cleaned_stays_clean(written: str) -> None:
    once = clean(written)

    assert clean(once) == once
    assert "<script" not in once.lower()
