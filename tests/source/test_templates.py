"""Templates: which files are ones, where each expression stands, and what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.markup import HTMLContext
from stopper.source.project import Project
from stopper.source.template import Output, Template
from stopper.source.templates import Templates, read


def project(folder: Path, files: dict[str, str]) -> Templates:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode())
    return read(walk(folder), None)


@pytest.fixture
def one(tmp_path):
    def make(content: str, name: str = "page.html") -> Template:
        (template,) = project(tmp_path, {f"templates/{name}": content}).all
        return template

    return make


def only(template: Template) -> Output:
    (output,) = template.outputs
    return output


@pytest.mark.parametrize(
    ("content", "context"),
    [
        ("<p>{{ x }}</p>", HTMLContext.TEXT),
        ('<p title="{{ x }}">', HTMLContext.QUOTED_ATTRIBUTE),
        ("<p title={{ x }}>", HTMLContext.UNQUOTED_ATTRIBUTE),
        ("<p title = a{{ x }}>", HTMLContext.UNQUOTED_ATTRIBUTE),
        ('<a href="{{ x }}">', HTMLContext.URL),
        ('<use xlink:href="{{ x }}"/>', HTMLContext.URL),
        ("<p onclick=\"f('{{ x }}')\">", HTMLContext.EVENT_HANDLER),
        ('<p style="color: {{ x }}">', HTMLContext.STYLE),
        ("<style>p { color: {{ x }} }</style>", HTMLContext.STYLE),
        ("<script>f({{ x }})</script>", HTMLContext.SCRIPT),
        ("<script>f('a > \\' {{ x }}')</script>", HTMLContext.SCRIPT_STRING),
        ("<script>f(`\n{{ x }}`)</script>", HTMLContext.SCRIPT_STRING),
        ("<script>f('a'); // it's\n g({{ x }})</script>", HTMLContext.SCRIPT),
        ("<script>var a = 1 < 2; /* ' */ {{ x }}</script>", HTMLContext.SCRIPT),
        ("<SCRIPT src=a></SCRIPT>{{ x }}", HTMLContext.TEXT),
        ('<script type="text/x-handlebars"><p>{{ x }}</p></script>', HTMLContext.TEXT),
        ("<!-- <a href='{{ x }}'> -->", HTMLContext.COMMENT),
        ("<title>{{ x }}</title>", HTMLContext.RCDATA),
        ("<textarea><b>{{ x }}</textarea>", HTMLContext.RCDATA),
        ("<option {{ x }}>", HTMLContext.ATTRIBUTE_NAME),
        ("<p data-{{ x }}>", HTMLContext.ATTRIBUTE_NAME),
        ("1 < 2 {{ x }}", HTMLContext.TEXT),
    ],
)
def test_the_context_of_an_expression(one, content, context):
    assert only(one(content)).context is context


def test_the_place_names_tag_attribute_and_quote(one):
    place = only(one("<img alt=b SRC='/a/{{ x }}'>")).place
    assert (place.tag, place.attribute, place.quote) == ("img", "src", "'")


@pytest.mark.parametrize(
    ("content", "context"),
    [
        ('<a {% if y %}href="/a"{% endif %} title="{{ x }}">', HTMLContext.QUOTED_ATTRIBUTE),
        ('<a href="{% if y %}/a{% else %}{{ x }}{% endif %}">', HTMLContext.URL),
        ("{% if y %}<script>{% else %}<script defer>{% endif %}{{ x }}</script>", HTMLContext.SCRIPT),
        ("{% for y in z %}<a title='{% else %}<b>{% endfor %}'>{{ x }}", HTMLContext.TEXT),
        ("{% raw %}<script>{{ no }}{% endraw %}{{ x }}", HTMLContext.SCRIPT),
        ("{# <script> #}{{ x }}", HTMLContext.TEXT),
        ("{%- macro m() -%}<script>{%- endmacro -%}\n\n {{ x }}", HTMLContext.TEXT),
        ("{% some_extension 'a' %}<title>{{ x }}{% end_some_extension %}", HTMLContext.RCDATA),
    ],
)
def test_the_context_survives_blocks(one, content, context):
    assert only(one(content)).context is context


def test_a_block_stands_where_its_parent_has_it(tmp_path):
    templates = project(
        tmp_path,
        {
            "templates/a.html": '{% extends "b.html" %}{% block js %}{{ x }}{% endblock %}{% block t %}'
            "{{ x }}{% endblock %}{% block c %}{{ x }}{% endblock %}{% block new %}{{ x }}{% endblock %}",
            "templates/b.html": '{% extends "z.html" %}{% block js %}{% endblock %}',
            "templates/z.html": "<title>{% block t %}{% endblock %}</title><body class='{% block c %}"
            "{% endblock %}'><script>{% block js %}{% endblock %}</script>",
        },
    )
    contexts = [output.context for output in templates.by_path["templates/a.html"].outputs]
    assert contexts == [
        HTMLContext.SCRIPT,
        HTMLContext.RCDATA,
        HTMLContext.QUOTED_ATTRIBUTE,
        HTMLContext.TEXT,
    ]


def test_templates_that_extend_each_other_end(tmp_path):
    templates = project(
        tmp_path,
        {
            "templates/a.html": '{% extends "b.html" %}{% include "a.html" %}{{ x }}',
            "templates/b.html": '{% extends "a.html" %}{{ x }}',
        },
    )
    assert [template.path for template in templates.family(templates.all[0])] == [
        "templates/a.html",
        "templates/b.html",
    ]


def test_the_location_is_exact_whatever_ends_the_lines(one):
    output = only(one("a\r\nü\n  {%- if y -%}\r\n <p>é{{- post.title -}}   \n</p>{% endif %}"))
    where = output.location
    assert (where.path, where.line, where.column, where.end_column) == ("templates/page.html", 4, 6, 24)
    assert (output.inner.column, output.inner.end_column) == (10, 20)


@pytest.mark.parametrize(
    ("expression", "names", "filters"),
    [
        ("post.body|markdown|safe", (("post", "body"),), ("markdown", "safe")),
        ("rows[0]['a'].b", (("rows", "0", "a", "b"),), ()),
        ("rows[i]", (("rows", "[]"),), ()),
        ("a if b else c.d|upper", (("a",), ("c", "d")), ()),
        ("'x' ~ a", (("a",),), ()),
        ("a or 'b'", (("a",),), ()),
        ("a|default(b)", (("a",), ("b",)), ("default",)),
        ("'%s'|format(a)", (("a",),), ()),
        ("_('Hello %(n)s', n=a)", (("_",),), ()),
        ("a > 1", (), ()),
        ("'text'", (), ()),
    ],
)
def test_what_an_expression_reads(one, expression, names, filters):
    output = only(one("{{ " + expression + " }}"))
    assert output.names == names
    assert output.expression == expression
    assert output.filters[: len(filters)] == filters


def test_a_call_is_told_from_a_value(one):
    (part,) = only(one("{{ form.hidden_tag(a.b) }}")).parts
    assert (part.dotted, part.called, part.arguments) == ("form.hidden_tag", True, (("a", "b"),))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (
            "{% for post in user.posts if post.ok %}{{ post.body }}{% endfor %}",
            (("user", "posts", "[]", "body"),),
        ),
        ("{% for k, v in d.items() %}{{ v }}{% endfor %}", (("d", "items", "[]"),)),
        ("{% set a = b.c %}{{ a.d }}", (("b", "c", "d"),)),
        ("{% set a = b %}{% if c %}{% set a = d %}{% endif %}{{ a }}", (("b",), ("d",))),
        ("{% with a = b, c = d %}{{ c }}{% endwith %}", (("d",),)),
        ("{% for a in b %}{% endfor %}{{ a }}", (("a",),)),
        ("{% for a in b %}{{ loop.index }}{% endfor %}", ()),
    ],
)
def test_local_names_are_followed(one, content, names):
    assert only(one(content)).names == names


def test_a_macro_knows_its_parameters(one):
    template = one("{% macro row(a, b='x, y') %}{{ a }}{% endmacro %}")
    assert [(macro.name, macro.parameters) for macro in template.macros] == [("row", ("a", "b"))]
    assert only(template).parts[0].parameter


@pytest.mark.parametrize(
    ("name", "content", "escaped"),
    [
        ("a.html", "{{ x }}", True),
        ("a.svg", "<svg>{{ x }}", True),
        ("a.txt", "{{ x }}", False),
        ("a.html.j2", "<p>{{ x }}", False),
        ("a.HTML", "<p>{{ x }}", False),
        ("a.html", "{% autoescape false %}{{ x }}{% endautoescape %}", False),
        ("a.html", "{% autoescape false %}{% endautoescape %}{{ x }}", True),
        ("a.txt", "{% autoescape true %}{{ x }}{% endautoescape %}", True),
    ],
)
def test_autoescape_is_decided_as_flask_does(one, name, content, escaped):
    assert only(one(content, name)).autoescaped is escaped


@pytest.mark.parametrize(
    ("content", "leads"),
    [
        ('<a href="{{ x }}">', True),
        ('<a href=" {% if y %}{{ x }}{% endif %}">', True),
        ('<a href="https://example.org/{{ x }}">', False),
        ('<a href="/u/{{ x }}">', False),
        ('<a href="javascript:{{ x }}">', False),
        ('<a href="{{ y }}/{{ x }}">', False),
    ],
)
def test_what_stands_first_in_a_value_settles_where_it_leads(one, content, leads):
    assert one(content).outputs[-1].leads is leads


@pytest.mark.parametrize(
    ("inside", "token"),
    [
        ("{{ form.hidden_tag() }}", True),
        ("{{ form.csrf_token }}", True),
        ("<input type='hidden' name=csrf_token value='{{ csrf_token() }}'>", True),
        ("<input name='q'>", False),
        ("{% if a %}{{ csrf_token() }}{% endif %}", True),
    ],
)
def test_a_form_and_its_token(one, inside, token):
    (form,) = one(f"<form method=POST action='/a'>{inside}</form>{{{{ csrf_token() }}}}").forms
    assert (form.method, form.action, form.token) == ("post", "/a", token)


def test_a_form_names_what_may_write_its_token(one):
    (form,) = one("<form method=post>{{ wtf.quick_form(form) }}{% include 'fields.html' %}</form>").forms
    assert not form.token
    assert form.delegates == ("wtf.quick_form", "include 'fields.html'")


def test_elements_keep_their_attributes_as_written(one):
    (tag,) = one(
        "<script src=\"{{ url_for('static', filename='a.js') }}\" {% if a %}b{% endif %} nonce=x></script>"
    ).scripts
    assert tag.get("src") == "{{ url_for('static', filename='a.js') }}"
    assert tag.get("nonce") == "x"
    assert tag.get("integrity") is None


def test_which_files_are_templates(tmp_path):
    templates = project(
        tmp_path,
        {
            "app/templates/admin/a.html": "<p>",
            "app/static/angular.html": "<p ng-app>{{ x }}",
            "app/static/vue.html": "<p>{{ x }}",
            "odd/place.html": "{% extends 'a.html' %}{{ x }}",
            "roles/web/templates/nginx.j2": "{{ port }}",
            "django/a.html": "{% load static %}{% if a %}{{ x }}{% endif %}",
            "templates/mail.txt": "Hello {{ name }}",
            "templates/logo.png": "{{",
        },
    )
    assert {template.path: template.name for template in templates.all} == {
        "app/templates/admin/a.html": "admin/a.html",
        "odd/place.html": "place.html",
        "templates/mail.txt": "mail.txt",
    }
    assert [template.path for template in templates.html()] == [
        "app/templates/admin/a.html",
        "odd/place.html",
    ]


def test_a_broken_template_is_told_and_read_as_far_as_it_goes(tmp_path):
    templates = project(tmp_path, {"templates/a.html": "<p>{{ x }}</p>\n{% if %}{{ a b }}{{ 'open }}"})
    (problem,) = templates.skipped
    assert problem.what == "templates/a.html"
    assert "line 2" in problem.reason
    assert templates.all[0].outputs[0].expression == "x"


@pytest.mark.parametrize(
    "content",
    [
        "{{" * 300_000,
        "{{ a }}" * 30_000,
        "<a " * 1_000_000,
        "{% if a %}" * 20_000,
        "{{ " + "(" * 5_000 + " }}",
        "{{ a" + "|b" * 9_000 + " }}",
    ],
    ids=["open braces", "expressions", "tags", "blocks", "parentheses", "filters"],
)
def test_an_enormous_template_is_bounded(tmp_path, content):
    import time

    started = time.process_time()
    project(tmp_path, {"templates/a.html": content})
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("jinja2.PackageLoader('shop')", "shop/templates/a.html"),
        ("jinja2.PackageLoader('shop', 'pages/mail')", "shop/pages/mail/a.html"),
        ("jinja2.FileSystemLoader('pages')", "pages/a.html"),
        ("flask.Flask('shop', template_folder='views')", "shop/views/a.html"),
        ("flask.Blueprint('shop', 'shop', template_folder='../views')", "views/a.html"),
    ],
)
def test_the_folder_that_the_code_names_is_where_names_start(tmp_path, code, path):
    for name, text in {
        "shop/app.py": f"import flask, jinja2\nx = {code}\n",
        path: "{{ x }}",
        "shop/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    (template,) = Project(walk(tmp_path)).templates.all

    assert (template.name, template.path) == ("a.html", path)


def test_a_loader_of_a_package_does_not_rename_the_pages(tmp_path):
    files = {
        "shop/app.py": "import jinja2\nx = jinja2.PackageLoader('shop', 'mail')\n",
        "shop/templates/page.html": "{{ x }}",
        "shop/mail/letter.html": "{{ x }}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert sorted(Project(walk(tmp_path)).templates.by_name) == ["letter.html", "page.html"]
