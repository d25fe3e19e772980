"""The rules that look at templates: what they find, and what they must leave alone."""

from __future__ import annotations

from importlib import import_module

import pytest

from stopper.finding import Confidence, Finding
from stopper.rule import Rule
from stopper.source.files import walk
from stopper.source.project import Project

APP = """
from flask import Flask, abort, render_template, request
import bleach

app = Flask(__name__)

def tidy(text):
    return bleach.clean(text)

@app.get("/")
def index():
    return render_template("page.html", q=request.args.get("q"), n=int(request.args.get("n")), fixed="<b>",
                           t=tidy(body()), posts=load())
"""


def rule(name: str) -> Rule:
    for area in ("xss", "headers", "transport"):
        try:
            module = import_module(f"stopper.rules.{area}.{name}")
        except ModuleNotFoundError:
            continue
        return next(
            item()
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Rule) and item.__module__ == module.__name__
        )
    raise LookupError(name)


@pytest.fixture
def find(tmp_path):
    def run(name: str, template: str = "", app: str = APP, **files: str) -> list[Finding]:
        (tmp_path / "templates").mkdir()
        (tmp_path / "app.py").write_text(app)
        (tmp_path / "templates/page.html").write_text(template)
        for path, content in files.items():
            (tmp_path / "templates" / path.replace("__", ".")).write_text(content)
        return list(rule(name).source(Project(walk(tmp_path))))

    return run


def test_a_value_of_the_request_is_sure_and_one_of_the_database_is_not(find):
    found = find("template_safe_filter", "{{ q|safe }}\n{{ posts[0].body|safe }}")
    assert [(one.confidence, one.location.line) for one in found] == [
        (Confidence.HIGH, 1),
        (Confidence.LOW, 2),
    ]
    assert found[0].related[0].path == "app.py"
    assert found[0].remedy == "{{ q }}"


@pytest.mark.parametrize(
    "expression",
    [
        "fixed|safe",
        "t|safe",
        "posts|tojson|safe",
        "q|e|safe",
        "q|tidy|safe",
        "'<br>'|safe",
        "n|safe",
        "url_for('index')|safe",
        "form.hidden_tag()|safe",
        "form.title(class='a')|safe",
        "config.FOOTER|safe",
        "_('<b>Hello</b>')|safe",
        "_('<b>%(name)s</b>', name=q)|safe",
        "icon('x.svg')|safe",
        "csrf_token()|safe",
        "q",
    ],
)
def test_a_clean_value_may_be_safe(find, expression):
    assert find("template_safe_filter", "{{ " + expression + " }}") == []


@pytest.mark.parametrize(
    "expression",
    ["q|upper|safe", "request.args.q|safe", "_(q)|safe", "(fixed ~ q)|safe", "form.a.data|safe"],
)
def test_a_filter_that_cleans_nothing_leaves_the_value_as_it_is(find, expression):
    (found,) = find("template_safe_filter", "{{ " + expression + " }}")
    assert found.confidence is Confidence.HIGH


def test_a_value_is_followed_into_what_is_included(find):
    (found,) = find("template_safe_filter", "{% include 'part.html' %}", part__html="{{ q|safe }}")
    assert (found.confidence, found.location.path) == (Confidence.HIGH, "templates/part.html")


def test_an_autoescape_block_of_constants_is_no_hole(find):
    assert find("template_autoescape_off", "{% autoescape false %}{{ fixed }}{% endautoescape %}") == []


def test_a_text_mail_needs_no_escaping(find):
    app = APP.replace("page.html", "mail.txt")
    assert find("template_unescaped_extension", app=app, mail__txt="Hello {{ q }}") == []


def test_a_project_with_its_own_say_on_escaping_is_left_alone(find):
    app = APP.replace("page.html", "a.jinja").replace(
        "def tidy", "app.jinja_env.autoescape = True\n\ndef tidy"
    )
    assert find("template_unescaped_extension", app=app, a__jinja="<p>{{ q }}</p>") == []


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("template_unquoted_attribute", "<p id={{ n }} title=\"{{ q }}\" class='{{ q }}'>"),
        (
            "template_javascript_url",
            "<a href=\"/u/{{ q }}\"></a><a href=\"{{ url_for('index', q=q) }}\"></a><img src='{{ q }}'>",
        ),
        (
            "template_javascript_url",
            "<a href='{{ config.SITE }}'></a><a href='{{ next_url }}'></a><p data='{{ q }}'></p>",
        ),
        (
            "template_script_interpolation",
            "<script>a({{ q|tojson }}, {{ n }}, {{ post_id }})</script><p>{{ q }}</p>",
        ),
        ("template_event_handler", "<p onclick='f({{ q|tojson }}, {{ posts[0].id }})' title='{{ q }}'>"),
        ("template_style_interpolation", "<p style='width: {{ n }}px; height: {{ done_percent }}%'>"),
        ("template_tojson_in_attribute", "<p data-a='{{ q|tojson }}' data-b=\"{{ q|tojson|e }}\">"),
        (
            "target_blank_without_rel",
            "<a target=_blank href='/a'></a><a target=_blank rel=noreferrer href='https://a.de'></a>",
        ),
        (
            "script_without_integrity",
            "<script src='/a.js'></script><script src='https://js.stripe.com/v3'></script>",
        ),
        (
            "script_without_integrity",
            "<link rel=canonical href='https://a.de/'><script src='//a.de/b.js' integrity=c></script>",
        ),
        (
            "mixed_content",
            "<a href='http://a.de'></a><img src='http://localhost/a'><link rel=canonical href='http://a.de'>",
        ),
        ("inline_script_without_nonce", "<script>a()</script>"),
        ("form_without_csrf_token", "<form method=post></form>"),
    ],
)
def test_what_is_right_is_left_alone(find, name, template):
    assert find(name, template) == []


def test_a_javascript_address_is_an_event_handler(find):
    (found,) = find("template_event_handler", "<a href=\"javascript:f('{{ q }}')\">")
    assert found.confidence is Confidence.HIGH


def test_a_quoted_string_in_a_script_is_not_sure(find):
    found = find("template_script_interpolation", "<script>a('{{ q }}'); b(`{{ q }}`)</script>")
    assert [one.confidence for one in found] == [Confidence.MEDIUM, Confidence.HIGH]


PROTECTED = APP.replace(
    "app = Flask(__name__)", "from flask_wtf import CSRFProtect\napp = Flask(__name__)\nCSRFProtect(app)"
)


@pytest.mark.parametrize(
    "template",
    [
        "<form></form>",
        "<form method=post>{{ form.csrf_token }}</form>",
        "<form method=post>{{ form.hidden_tag() }}</form>",
        "<form method=post>{{ wtf.quick_form(form) }}</form>",
        "<form method=post>{% include 'part.html' %}</form>",
        "<form method=post action='https://pay.example.org/'></form>",
    ],
)
def test_a_form_that_carries_the_token_or_needs_none(find, template):
    assert find("form_without_csrf_token", template, PROTECTED, part__html="{{ csrf_token() }}") == []


def test_a_form_whose_script_may_send_the_token_is_not_sure(find):
    (found,) = find(
        "form_without_csrf_token", "<script>h['X-CSRFToken']</script><form method=post></form>", PROTECTED
    )
    assert found.confidence is Confidence.LOW


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('Markup("<b>%s</b>" % name)', 1),
        ('Markup("<b>" + name)', 1),
        ('Markup("<b>{}</b>{}".format(escape(name), name))', 1),
        ('Markup("<b>{}</b>".format(escape(name)))', 0),
        ('Markup("<b>%s</b>") % name', 0),
        ('Markup(f"<b>{escape(name)}</b>{len(name)}")', 0),
        ('Markup("<br>")', 0),
        ("Markup(name)", 0),
    ],
)
def test_markup_of_text_put_together_before(find, code, count):
    app = f"from markupsafe import Markup, escape\n\ndef f(name):\n    return {code}\n"
    assert len(find("markup_on_format", app=app)) == count


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("jinja2.Environment(autoescape=True)", 0),
        ("jinja2.Environment(**options)", 0),
        ("jinja2.Environment(autoescape=False)", 1),
        ("jinja2.Environment(block_start_string='<%')", 0),
        ("jinja2.Template('<p>{{ a }}</p>')", 1),
        ("jinja2.Template('Hello {{ a }}')", 0),
    ],
)
def test_environments_of_the_project(find, code, count):
    assert len(find("jinja_autoescape_disabled", app=f"import jinja2\n{code}\n")) == count


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("bleach.clean(a, tags=['a', 'script'])", 1),
        ("bleach.clean(a, ['svg'])", 1),
        ("bleach.clean(a, attributes={'*': ['onclick']}, protocols=['javascript'])", 2),
        ("bleach.clean(a, tags=['a'], attributes={'a': ['href']})", 0),
        ("nh3.clean(a, url_schemes={'https', 'data'})", 1),
    ],
)
def test_what_a_sanitiser_is_told_to_keep(find, code, count):
    assert (
        len(find("sanitiser_allows_scripts", app=f"import bleach, nh3\n\ndef f(a):\n    return {code}\n"))
        == count
    )


def test_a_template_in_a_string_is_read_at_its_own_place(tmp_path):
    (tmp_path / "app.py").write_text(
        "from flask import render_template_string\n\ndef f(q):\n"
        '    return render_template_string("""<p>\n  {{ q|safe }}</p>""", q=q)\n'
    )
    (template,) = Project(walk(tmp_path)).templates.all
    (output,) = template.outputs
    assert template.inline
    assert output.autoescaped
    assert (output.location.path, output.location.line, output.location.column) == ("app.py", 5, 3)


@pytest.mark.parametrize(
    ("body", "confidence"),
    [
        ("x = request.args.get('x')", Confidence.HIGH),
        ("x = 'a' + request.args['x']", Confidence.HIGH),
        ("y = request.form.get('x') or 'none'; x = f'<b>{y}</b>'", Confidence.HIGH),
        ("x = who", Confidence.HIGH),
        ("x = load(who)", Confidence.LOW),
        ("x = request.args.get('x')\n    if x not in ('a', 'b'): abort(400)", None),
        ("x = request.args.get('x')\n    x = mend(x)", Confidence.LOW),
        ("x = request.args.get('x', type=int)", None),
        ("x = request.args.get('x', 1, type=int)", None),
        ("x = bleach.clean(request.args.get('x'))", None),
        ("x = tidy(request.args.get('x'))", None),
        ("x = 'a' if request.args.get('x') else 'b'", None),
    ],
)
def test_what_a_view_passes_is_followed_within_the_view(find, body, confidence):
    app = APP.split("@app")[0] + (
        f"@app.get('/<who>')\ndef index(who):\n    {body}\n    return render_template('page.html', x=x)\n"
    )
    found = find("template_safe_filter", "{{ x|safe }}", app)
    assert [one.confidence for one in found] == ([confidence] if confidence else [])
