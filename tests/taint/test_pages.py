"""Flows into templates: each hole beside its nearest safe neighbour, and the way that a flow shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.finding import Confidence
from stopper.source.files import walk
from stopper.source.project import Options, Project
from stopper.taint.pages import CONSTANT, OPEN
from stopper.taint.shows import Shows, shows_of

APP = """
from flask import Flask, flash, g, render_template, render_template_string, request, session
from markupsafe import Markup, escape

app = Flask(__name__)

{setup}

@app.get("/page/<int:number>")
def page(number):
    q = request.args.get("q", "")
    return {answer}
"""
ANSWER = 'render_template("page.html", q=q, number=number, title="Title")'


def shows(
    folder: Path, *, setup: str = "", answer: str = ANSWER, order: bool = True, **templates: str
) -> Shows:
    (folder / "templates").mkdir()
    (folder / "app.py").write_text(APP.format(setup=setup, answer=answer), encoding="utf-8")
    for name, text in templates.items():
        (folder / "templates" / f"{name}.html").write_text(text, encoding="utf-8")
    return shows_of(Project(walk(folder), Options(second_order=order)))


def kinds(found: Shows) -> list[str]:
    return sorted(flow.kind for flow in found.flows.values())


@pytest.mark.parametrize(
    ("hole", "safe", "kind"),
    [
        ("{{ q|safe }}", "{{ q }}", "page"),
        ("{{ q|safe }}", "{{ title|safe }}", "page"),
        ("{{ q|safe }}", "{{ number|safe }}", "page"),
        ("{{ q|upper|safe }}", "{{ q|e|safe }}", "page"),
        ("{{ q|default('x')|safe }}", "{{ q|length|safe }}", "page"),
        ("{{ (q ~ '!')|safe }}", "{{ ('a' ~ '!')|safe }}", "page"),
        ("{{ ['a', q]|join(', ')|safe }}", "{{ ['a', q][0]|safe }}", "page"),
        ("{{ {'a': q, 'b': 'c'}.a|safe }}", "{{ {'a': q, 'b': 'c'}.b|safe }}", "page"),
        ("{% autoescape false %}{{ q }}{% endautoescape %}", "{% autoescape true %}{{ q }}{% endautoescape %}", "page"),
        ('<a href="{{ q }}">', '<a href="/find/{{ q }}">', "page-url"),
        ('<iframe src="{{ q }}">', '<img src="{{ q }}">', "page-url"),
        ('<a href="{{ q }}">', '<a href="{{ q|urlencode }}">', "page-url"),
        ("<p class={{ q }}>", '<p class="{{ q }}">', "page-attribute"),
        ("<p {{ q }}>", "<p>{{ q }}", "page-attribute"),
        ('<p data-q="{{ q|tojson }}">', "<p data-q='{{ q|tojson }}'>", "page-attribute"),
        ("<p onclick=\"f('{{ q }}')\">", "<p onclick='f({{ q|tojson }})'>", "page-script"),
        ("<a href=\"javascript:f('{{ q }}')\">", '<a href="javascript:f({{ number }})">', "page-script"),
        ("<a href=\"javascript:f('{{ q|urlencode }}')\">", '<a href="/f?q={{ q|urlencode }}">', "page-script"),
        (
            "<a href=\"javascript:f('{{ q|urlencode }}')\">",
            "<a href=\"javascript:f('{{ q|urlencode|urlencode }}')\">",
            "page-script",
        ),
        ("<p onclick=\"f('{{ q }}')\">", "<p onclick=\"f('{{ q|urlencode }}')\">", "page-script"),
        ("<script>f({{ q }})</script>", "<script>f({{ q|tojson }})</script>", "page-script"),
        ("<script>f(`{{ q }}`)</script>", "<script>f({{ number }})</script>", "page-script"),
        ("<script>// {{ q }}\n</script>", "<script></script>{# {{ q }} #}", "page-script"),
        ("<style>p { color: {{ q }} }</style>", "<style>p { width: {{ number }}px }</style>", "page-style"),
        ("<!-- {{ q|safe }} -->", "<!-- {{ q }} -->", "page"),
        ("{% set x = q %}{{ x|safe }}", "{% set x = q %}{% set x = 'a' %}{{ x|safe }}", "page"),
        ("{% with x = q %}{{ x|safe }}{% endwith %}", "{% with x = 'a' %}{{ x|safe }}{% endwith %}", "page"),
        ("{% for c in [q, 'a'] %}{{ c|safe }}{% endfor %}", "{% for c in ['b', 'a'] %}{{ c|safe }}{% endfor %}", "page"),
        (
            "{% for k, v in {'a': q}.items() %}{{ v|safe }}{% endfor %}",
            "{% for k, v in {'a': q}.items() %}{{ k|safe }}{% endfor %}",
            "page",
        ),
        ("{% if true %}{{ q|safe }}{% endif %}", "{% if false %}{{ q|safe }}{% endif %}", "page"),
        ("{% if q %}{{ q|safe }}{% endif %}", "{% if q in ('a', 'b') %}{{ q|safe }}{% endif %}", "page"),
        ("{% if q == 'a' %}{% else %}{{ q|safe }}{% endif %}", "{% if q == 'a' %}{{ q|safe }}{% endif %}", "page"),
        ("{{ (q if number else 'a')|safe }}", "{{ ('b' if q else 'a')|safe }}", "page"),
        ("{% macro m(x) %}{{ x|safe }}{% endmacro %}{{ m(q) }}", "{% macro m(x) %}{{ x|safe }}{% endmacro %}{{ m('a') }}{{ q }}", "page"),
        ("{% macro m(x, y='a') %}{{ y|safe }}{% endmacro %}{{ m('b', y=q) }}", "{% macro m(x, y='a') %}{{ y|safe }}{% endmacro %}{{ m(q) }}", "page"),
        (
            "{% macro m() %}<b>{{ caller(q) }}</b>{% endmacro %}{% call(x) m() %}{{ x|safe }}{% endcall %}",
            "{% macro m() %}<b>{{ caller('a') }}</b>{% endmacro %}{% call(x) m() %}{{ x|safe }}{% endcall %}",
            "page",
        ),
        ("{{ request.args.q|safe }}", "{{ request.method|safe }}", "page"),
        ("{{ request.args.get('q')|safe }}", "{{ request.args.get('q')|int|safe }}", "page"),
        ("{{ request.cookies['a']|safe }}", "{{ config.TITLE|safe }}", "page"),
        ("{{ q|striptags|safe }}", "{{ q|striptags }}", "page"),
        ("{% set ns = namespace(x=q) %}{{ ns.x|safe }}", "{% set ns = namespace(x=q) %}{% set ns.x = 'a' %}{{ ns.x|safe }}", "page"),
    ],
)  # fmt: skip
def test_a_place_that_does_not_hold_the_data(tmp_path: Path, hole: str, safe: str, kind: str) -> None:
    (tmp_path / "hole").mkdir()
    (tmp_path / "safe").mkdir()

    assert kinds(shows(tmp_path / "hole", page=hole)) == [kind]
    assert kinds(shows(tmp_path / "safe", page=safe)) == []


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('render_template("page.html", **{"q": q, "r": "a"})', True),
        ('render_template("page.html", **{"r": q, "q": "a"})', False),
        ('render_template("page.html", **dict(q=q))', True),
        ('render_template("page.html", **request.args)', True),
        ('render_template("page.html", **locals())', True),
        ('render_template("page.html" if number else "other.html", q=q)', True),
        ('render_template(["missing.html", "page.html"], q=q)', True),
        ('render_template(["other.html", "page.html"], q=q)', False),
        ('render_template(f"pa{number}.html", q=q)', True),
        ('render_template_string("<p>{{ q|safe }}</p>", q=q)', True),
        ('render_template_string("<p>{{ q }}</p>", q=q)', False),
        ('app.jinja_env.get_template("page.html").render(q=q)', True),
        ('app.jinja_env.get_template("page.html").render({"q": q})', True),
        ('render_template("page.html", q=escape(q))', False),
        ('render_template("page.html", q=Markup("<b>{}</b>").format(q))', False),
        ('render_template("page.html", q=int(q))', False),
    ],
)
def test_what_a_render_call_passes(tmp_path: Path, answer: str, found: bool) -> None:
    assert bool(shows(tmp_path, answer=answer, page="{{ q|safe }}", other="{{ q }}").flows) is found


def test_the_flow_tells_the_view_the_call_and_the_way_through_the_templates(tmp_path: Path) -> None:
    found = shows(
        tmp_path,
        page='{% extends "base.html" %}{% from "parts.html" import card %}{% block body %}{{ card(q) }}{% endblock %}',
        base="<body>{% block body %}{% endblock %}</body>",
        parts="{% macro card(text) %}\n<p>{{ text|safe }}</p>{% endmacro %}",
    )

    (flow,) = found.flows.values()

    assert [(step.location.path, step.note) for step in flow.steps] == [
        ("app.py", "request.args['q'] is read"),
        ("app.py", "assigned to q"),
        ("app.py", "given to page.html by render_template()"),
        ("templates/parts.html", "marked |safe"),
        ("templates/page.html", "inside base.html"),
        ("templates/page.html", "passed to the macro card()"),
        ("templates/parts.html", "reaches the page as HTML"),
    ]
    assert (flow.place.path, flow.place.line) == ("templates/parts.html", 2)
    assert flow.route is not None
    assert flow.route.rule == "/page/<int:number>"
    assert flow.steps[-1].code == "<p>{{ text|safe }}</p>{% endmacro %}"
    assert flow.confidence is Confidence.HIGH


def test_an_escape_that_does_not_fit_is_named(tmp_path: Path) -> None:
    (flow,) = shows(tmp_path, page='<a href="{{ q|e }}">').flows.values()

    assert flow.sink_name == (
        "the start of the attribute href, escaped as HTML, which does not hold it from javascript:"
    )


def test_a_loop_over_a_part_of_the_url_shows_single_characters(tmp_path: Path) -> None:
    page = "{{ name|safe }}{% for letter in name %}{{ letter|safe }}{% endfor %}"
    setup = '@app.get("/of/<name>")\ndef of(name):\n    return render_template("other.html", name=name)'

    assert [
        flow.place.column for flow in shows(tmp_path, setup=setup, page="", other=page).flows.values()
    ] == [1]


def test_a_mail_of_plain_text_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/mail.txt").write_text("Dear {{ q }}")
    (tmp_path / "app.py").write_text(APP.format(setup="", answer='render_template("mail.txt", q=q)'))

    assert shows_of(Project(walk(tmp_path))).flows == {}


def test_an_include_without_context_sees_nothing(tmp_path: Path) -> None:
    found = shows(tmp_path, page='{% include "part.html" without context %}', part="{{ q|safe }}")

    assert kinds(found) == []


def test_super_leads_to_the_block_that_is_overridden(tmp_path: Path) -> None:
    page = '{% extends "base.html" %}{% block body %}{{ super() }}{% endblock %}'

    assert kinds(shows(tmp_path, page=page, base="{% block body %}{{ q|safe }}{% endblock %}")) == ["page"]


def test_a_block_that_is_overridden_shows_nothing(tmp_path: Path) -> None:
    page = '{% extends "base.html" %}{% block body %}{% endblock %}'

    assert kinds(shows(tmp_path, page=page, base="{% block body %}{{ q|safe }}{% endblock %}")) == []


@pytest.mark.parametrize(
    "template",
    [
        '{% include "page.html" %}{{ q|safe }}',
        "{% macro m(x) %}{{ m(x) }}{{ x|safe }}{% endmacro %}{{ m(q) }}",
    ],
)
def test_what_goes_in_a_circle_ends(tmp_path: Path, template: str) -> None:
    assert kinds(shows(tmp_path, page=template)) == ["page"]


BEFORE = "@app.before_request\ndef before():\n    {}"


@pytest.mark.parametrize(
    ("setup", "template", "found"),
    [
        (BEFORE.format('g.note = request.args["n"]'), "{{ g.note|safe }}", True),
        (BEFORE.format('g.note = "a" if request.args else "b"'), "{{ g.note|safe }}", False),
        (BEFORE.format('g.other = request.args["n"]'), "{{ g.note|safe }}", False),
        (BEFORE.format('setattr(g, "note", request.args["n"])'), "{{ g.get('note')|safe }}", True),
        ('@app.context_processor\ndef more():\n    return {"note": request.args["n"], "x": 1}', "{{ note|safe }}", True),
        ('@app.context_processor\ndef more():\n    return {"note": request.args["n"], "x": 1}', "{{ x|safe }}", False),
        ('@app.context_processor\ndef more():\n    return dict(note=lambda: request.args["n"])', "{{ note }}", False),
        ('@app.before_request\ndef before():\n    flash(request.args["n"])', "{% for m in get_flashed_messages() %}{{ m|safe }}{% endfor %}", True),
        (
            '@app.before_request\ndef before():\n    flash(request.args["n"], "info")',
            "{% for c, m in get_flashed_messages(with_categories=true) %}{{ c|safe }}{{ m }}{% endfor %}",
            False,
        ),
        ('@app.template_filter("shout")\ndef shout(text):\n    return text.upper()', "{{ q|shout|safe }}", True),
        ('@app.template_filter("shout")\ndef shout(text):\n    return escape(text)', "{{ q|shout|safe }}", False),
        ('def shout(text):\n    return text.upper()\n\napp.jinja_env.filters["shout"] = shout', "{{ q|shout|safe }}", True),
        ('@app.template_global()\ndef show(text):\n    return "<b>" + text', "{{ show(q)|safe }}", True),
        ('@app.template_global()\ndef show(text):\n    return "<b>"', "{{ show(q)|safe }}", False),
    ],
)  # fmt: skip
def test_what_flask_carries_unseen(tmp_path: Path, setup: str, template: str, found: bool) -> None:
    assert bool(shows(tmp_path, setup=setup, page=template).flows) is found


KEPT = '@app.post("/keep")\ndef keep():\n    session["note"] = request.form["note"]\n    return ""'


def test_what_lay_in_the_session_is_of_low_confidence(tmp_path: Path) -> None:
    (flow,) = shows(tmp_path, setup=KEPT, page="{{ session.note|safe }}").flows.values()

    assert flow.confidence is Confidence.LOW


def test_the_way_from_one_request_to_the_next_can_be_left_out(tmp_path: Path) -> None:
    assert shows(tmp_path, setup=KEPT, page="{{ session.note|safe }}", order=False).flows == {}


def test_a_template_that_nothing_renders_is_read_for_what_it_asks_itself(tmp_path: Path) -> None:
    found = shows(tmp_path, page="", alone="{{ request.args.q|safe }}{{ q|safe }}")

    assert [flow.place.path for flow in found.flows.values()] == ["templates/alone.html"]


def test_nothing_but_constants_is_known_to_be_harmless(tmp_path: Path) -> None:
    found = shows(tmp_path, page="<p onclick=\"f('{{ title }}')\">{{ other|safe }}")

    assert [place.column for place, what in found.pages.places if what == CONSTANT] == [16]
    assert sum(what == OPEN for _, what in found.pages.places) == 1


WAYS = {
    "a module of macros": (
        '{% import "part.html" as m %}{{ m.f(q) }}',
        "{% macro f(x) %}{{ x|safe }}{% endmacro %}",
    ),
    "a module of macros with the context": (
        '{% import "part.html" as m with context %}{{ m.f() }}',
        "{% macro f() %}{{ q|safe }}{% endmacro %}",
    ),
    "a macro that calls another": (
        "{% macro a(x) %}{{ x|safe }}{% endmacro %}{% macro b(y) %}{{ a(y) }}{% endmacro %}{{ b(q) }}",
        "",
    ),
    "kwargs of a macro": ("{% macro a() %}{{ kwargs.z|safe }}{% endmacro %}{{ a(z=q) }}", ""),
    "varargs of a macro": ("{% macro a() %}{{ varargs[0]|safe }}{% endmacro %}{{ a(q) }}", ""),
    "the first template there is": ('{% include ["none.html", "part.html"] %}', "{{ q|safe }}"),
    "a template named by a variable": ('{% set t = "part.html" %}{% include t %}', "{{ q|safe }}"),
    "a name set in a branch": ("{% if number %}{% set z = q %}{% endif %}{{ z|safe }}", ""),
    "a translation": ("{% trans name=q %}Hello {{ name|safe }}{% endtrans %}", ""),
    "a block of a filter": ("{% filter upper %}{{ q|safe }}{% endfilter %}", ""),
}


@pytest.mark.parametrize("title", WAYS)
def test_the_ways_through_templates(tmp_path: Path, title: str) -> None:
    page, part = WAYS[title]

    assert kinds(shows(tmp_path, page=page, part=part)) == ["page"]


@pytest.mark.parametrize(
    "page",
    [
        '{% import "part.html" as m %}{{ m.f() }}',
        "{% for i in [1] %}{% set z = q %}{% endfor %}{{ z|safe }}",
        "{% macro a(q) %}{{ q|safe }}{% endmacro %}{{ a('b') }}",
    ],
)
def test_what_a_template_binds_stays_where_it_is_bound(tmp_path: Path, page: str) -> None:
    assert kinds(shows(tmp_path, page=page, part="{% macro f() %}{{ q|safe }}{% endmacro %}")) == []


OBJECT = """
class Card:
    def __init__(self, text):
        self.text = text
        self.size = 3

    @property
    def html(self):
        return "<b>" + self.text

    def shown(self, more):
        return self.text + more
"""


@pytest.mark.parametrize(
    ("setup", "answer", "page", "found"),
    [
        ("def show(name, **values):\n    return render_template(name + '.html', **values)", 'show("page", q=q)', "{{ q|safe }}", 1),
        ("def show(page):\n    return render_template(page.pop('name'), **page)", 'show({"name": "page.html", "q": q})', "{{ q|safe }}", 1),
        ("def show(page):\n    return render_template(page.pop('name'), **page)", 'show({"name": "page.html", "q": 1})', "{{ q|safe }}", 0),
        (OBJECT, 'render_template("page.html", card=Card(q))', "{{ card.html|safe }}{{ card.shown('x')|safe }}{{ card.text|safe }}", 3),
        (OBJECT, 'render_template("page.html", card=Card(q))', "{{ card.size|safe }}{{ card.text }}", 0),
        ("", 'render_template("page.html", rows=[{"a": q, "b": 1}])', "{% for row in rows %}{{ row.a|safe }}{% endfor %}", 1),
        ("", 'render_template("page.html", rows=[{"a": q, "b": 1}])', "{% for row in rows %}{{ row.b|safe }}{% endfor %}", 0),
        ("", 'render_template("page.html", r=request)', "{{ r.args.q|safe }}", 1),
        ("", 'render_template("page.html", args=request.args)', "{% for k, v in args.items() %}{{ k|safe }}{% endfor %}", 1),
        ("import json", 'render_template("page.html", q=json.dumps({"a": q}))', "<script>f({{ q|safe }})</script>", 1),
        ("import json", 'render_template("page.html", q=json.dumps({"a": number}))', "<script>f({{ q|safe }})</script>", 0),
    ],
)  # fmt: skip
def test_what_a_view_hands_over(tmp_path: Path, setup: str, answer: str, page: str, found: int) -> None:
    assert len(shows(tmp_path, setup=setup, answer=answer, page=page).flows) == found


def test_a_page_is_offered_what_its_own_application_offers(tmp_path: Path) -> None:
    for number in range(5):
        note = 'request.args["n"]' if number == 3 else '"n"'
        setup = f'@app.context_processor\ndef more():\n    return {{"note": {note}}}'
        (tmp_path / f"app{number}").mkdir()
        shows(tmp_path / f"app{number}", setup=setup, page="{{ note|safe }}")

    flows = shows_of(Project(walk(tmp_path))).flows.values()

    assert [flow.steps[0].location.path for flow in flows] == ["app3/app.py"]
