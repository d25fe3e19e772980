"""Pages get a strict policy with a nonce, and the tags that their author wrote have it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Blueprint, Flask, Response, render_template_string, stream_template_string
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from werkzeug.test import Client

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import nonce
from stopper.guard.csp import ENFORCED, REPORTED, directives

Make = Callable[..., Flask]
Https = Callable[[Flask], Client]
PAGE = '<script src="/a.js"></script><style>p{}</style><link rel="stylesheet" href="/a.css">{{ said|safe }}'


def policy_of(response: Response, name: str = ENFORCED) -> dict[str, list[str]]:
    """Return the directives of an answer."""
    parts = (part.split() for part in response.headers[name].split(";"))
    return {words[0]: words[1:] for words in parts}


def nonce_in(response: Response) -> str:
    """Return the nonce of an answer's policy."""
    return re.search(r"'nonce-([^']+)'", response.headers[ENFORCED]).group(1)


def compiled(text: str, **values: object) -> str:
    """Return a template's output outside any request, where the nonce is empty."""
    environment = Environment(autoescape=True)
    nonce.install(environment)
    return environment.from_string(text).render(**values)


def test_the_tags_of_a_page_have_the_nonce_of_its_policy(make: Make, https: Https) -> None:
    app = make()
    app.get("/page")(lambda: render_template_string(PAGE, said="<script>evil()</script>"))

    response = https(app).get("/page")

    assert response.text.count(f'nonce="{nonce_in(response)}"') == 3
    assert "<script>evil()</script>" in response.text  # what a value brought in has none
    assert policy_of(response)["script-src"] == [f"'nonce-{nonce_in(response)}'", "'strict-dynamic'"]


def test_each_answer_has_a_nonce_of_its_own(make: Make, https: Https) -> None:
    client = https(make())

    assert len({nonce_in(client.get("/")) for _ in range(20)}) == 20


def test_a_streamed_template_has_the_nonce_that_its_headers_had(make: Make, https: Https) -> None:
    app = make()
    app.get("/stream")(lambda: stream_template_string("<script>1</script>"))

    response = https(app).get("/stream")

    assert f'<script nonce="{nonce_in(response)}">' in response.text


def test_csp_nonce_may_be_written_by_hand_and_is_not_doubled(make: Make, https: Https) -> None:
    app = make()
    app.get("/hand")(lambda: render_template_string('<script nonce="{{ csp_nonce() }}">1</script>'))

    response = https(app).get("/hand")

    assert response.text == f'<script nonce="{nonce_in(response)}">1</script>'


@pytest.mark.parametrize(
    "text",
    [
        '{{ "<script>" }}',
        "{# <script> #}",
        "<!-- <script> -->",
        '<p title="<script>">x</p>',
        "<p title='<script>'>x</p>",
        "<textarea><script></textarea>",
        "<scripted>",
        '<link rel="icon" href="/x">',
        "<script nonce='x'>1</script>",
    ],
)
def test_what_is_no_tag_that_needs_one_gets_no_nonce(text: str) -> None:
    assert 'nonce=""' not in compiled(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<SCRIPT>1</SCRIPT>", '<SCRIPT nonce="">1</SCRIPT>'),
        ("<script\nsrc={{ u }}>", '<script nonce=""\nsrc=/u>'),
        ('<script>"<script>"</script><style>', '<script nonce="">"<script>"</script><style nonce="">'),
        ("{% raw %}<script>{{ vue }}</script>{% endraw %}", '<script nonce="">{{ vue }}</script>'),
        (
            "{% if u %}<script src=a>{% else %}<script src=b>{% endif %}</script>",
            '<script nonce="" src=a></script>',
        ),
        (
            "{% if not u %}<script src=a>{% else %}<script src=b>{% endif %}</script>",
            '<script nonce="" src=b></script>',
        ),
        ("<link rel=preload as=script href=a>", '<link nonce="" rel=preload as=script href=a>'),
        ('<a href="{{ u }}"><script>', '<a href="/u"><script nonce="">'),
        ("{% macro m() %}<script>1</script>{% endmacro %}{{ m() }}", '<script nonce="">1</script>'),
    ],
)
def test_a_tag_that_the_author_wrote_gets_one(text: str, expected: str) -> None:
    assert compiled(text, u="/u") == expected


@given(st.text(alphabet="<>/!-'\"= scriptyle{}%#\n", max_size=60))
def test_no_text_makes_the_reader_of_tags_fail(text: str) -> None:
    scanner = nonce.Scanner()
    scanner.feed(0, 1, text)

    assert all(0 <= tag.offset <= len(text) for tag in scanner.tags)


@given(st.text(max_size=80))
def test_a_value_never_gets_a_nonce(value: str) -> None:
    assert compiled("{{ value|safe }}", value=value + "<script>") == value + "<script>"


def test_an_email_or_a_script_made_of_a_template_is_left_alone(make: Make, tmp_path: Path) -> None:
    app = make()
    app.template_folder = str(tmp_path)
    (tmp_path / "mail.txt").write_text("<script>")

    with app.test_request_context():
        assert app.jinja_env.get_template("mail.txt").render() == "<script>"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "application/json",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (
            "image/svg+xml",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'",
        ),
    ],
)
def test_what_is_no_page_may_load_nothing(make: Make, https: Https, kind: str, expected: str) -> None:
    app = make()
    app.get("/x")(lambda: Response("x", content_type=kind))

    assert https(app).get("/x").headers[ENFORCED] == expected


def test_a_worker_s_script_brings_a_policy_that_lets_it_load_its_own(make: Make, https: Https) -> None:
    app = make()
    app.get("/w.js")(lambda: Response("1", content_type="text/javascript"))

    assert policy_of(https(app).get("/w.js"))["script-src"] == ["'self'"]


def test_an_unchanged_page_keeps_the_policy_that_belongs_to_its_nonce(make: Make, https: Https) -> None:
    app = make()
    app.get("/same")(lambda: Response(status=304))

    assert ENFORCED not in https(app).get("/same").headers


def test_a_policy_that_a_view_sets_wins(make: Make, https: Https) -> None:
    app = make()
    app.get("/own")(lambda: ("x", {ENFORCED: "default-src 'self'"}))

    assert https(app).get("/own").headers.getlist(ENFORCED) == ["default-src 'self'"]


def test_a_view_that_may_be_framed_may_be_framed_in_both_headers(make: Make, https: Https) -> None:
    app = make()
    app.get("/framed")(lambda: ("x", {"X-Frame-Options": "SAMEORIGIN"}))

    assert policy_of(https(app).get("/framed"))["frame-ancestors"] == ["'self'"]
    assert policy_of(https(make(frame_options="SAMEORIGIN")).get("/"))["frame-ancestors"] == ["'self'"]


def test_a_view_a_blueprint_and_a_path_have_policies_of_their_own() -> None:
    stopper = Stopper()
    app = Flask("one")
    app.config.update(
        TESTING=True, STOPPER_ROUTES={"/docs/*": {"csp": {"style-src": "'self' 'unsafe-inline'"}}}
    )
    stopper.init_app(app)
    admin = Blueprint("admin", "admin")
    stopper.csp(img_src="'self' https://img.example")(admin)
    admin.add_url_rule("/admin", "index", lambda: "x")
    app.register_blueprint(admin)
    app.add_url_rule("/docs/<name>", "docs", lambda name: name)
    app.add_url_rule("/bare", "bare", stopper.exempt("csp")(lambda: "x"))
    client = app.test_client()

    assert policy_of(client.get("/admin"))["img-src"] == ["'self'", "https://img.example"]
    assert policy_of(client.get("/docs/a"))["style-src"] == ["'self'", "'unsafe-inline'"]
    assert ENFORCED not in client.get("/bare").headers


def test_a_nonce_is_in_the_header_wherever_the_page_has_one(make: Make, https: Https) -> None:
    app = make(csp_policy={"script-src": "'self' https://cdn.example"})

    assert policy_of(https(app).get("/"))["script-src"][2].startswith("'nonce-")


def test_a_stricter_policy_is_tried_beside_the_one_in_force(make: Make, https: Https) -> None:
    response = https(make(csp_report_only={"img-src": "'none'"})).get("/")

    assert policy_of(response)["img-src"] == ["'self'", "data:"]
    assert policy_of(response, REPORTED)["img-src"] == ["'none'"]
    assert policy_of(response, REPORTED)["script-src"] == policy_of(response)["script-src"]


def test_report_mode_only_reports(make: Make, https: Https) -> None:
    headers = https(make(csp="report")).get("/").headers

    assert ENFORCED not in headers
    assert "'strict-dynamic'" in headers[REPORTED]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"script-src": "self"}, "quotes included"),
        ({"scriptsrc": "'self'"}, "did you mean 'script-src'"),
        ({"img-src": "'slef'"}, "'self'"),
        ({"script-src": "'nonce-abc'"}, "the same for every request"),
        ({"img-src": "'none' https://x"}, "beside other sources"),
        ({"img-src": ""}, "is empty"),
        ({"img-src": ["https://x; script-src *"]}, "one word"),
        ({"img-src": ["https://x,y"]}, "one word"),
        ({"img-src": "b@d"}, "does not know"),
        ("default-src *", "write a dictionary"),
    ],
)
def test_a_policy_that_browsers_would_misread_is_an_error(said: object, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        directives(said, "here")


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.one_of(st.none(), st.text(max_size=30), st.lists(st.text(max_size=20))),
        max_size=3,
    )
)
def test_no_policy_does_anything_but_hold_or_say_what_is_wrong(said: dict[str, object]) -> None:
    try:
        found = directives(said, "here")
    except ConfigurationError:
        return
    assert all("\n" not in word and ";" not in word for words in found.values() for word in words or ())


def report(**body: object) -> dict[str, object]:
    """Return a report as `report-uri` sends it."""
    return {
        "csp-report": {
            "document-uri": "https://shop.example/a?token=1",
            "effective-directive": "img-src",
            **body,
        }
    }


def test_reports_of_browsers_are_told_once_and_stored(
    make: Make, https: Https, tmp_path: Path, caplog
) -> None:
    store = tmp_path / "violations"
    client = https(make(csp_store=str(store)))

    for number in range(3):
        sent = report(**{"blocked-uri": f"https://img.example/{number}.png?secret=2"})
        answer = client.post("/_stopper/csp", data=json.dumps(sent), content_type="application/csp-report")
        assert answer.status_code == 204
    sent = [
        {
            "type": "csp-violation",
            "body": {
                "effectiveDirective": "script-src-elem",
                "blockedURL": "inline",
                "documentURL": "https://shop.example/b",
            },
        }
    ]
    client.post("/_stopper/csp", data=json.dumps(sent), content_type="application/reports+json")

    lines = [json.loads(line) for line in store.read_text().splitlines()]
    assert [(one["directive"], one["blocked"], one["document"]) for one in lines] == [
        ("img-src", "https://img.example", "/a"),
        ("script-src-elem", "inline", "/b"),
    ]
    assert "secret" not in caplog.text
    assert "token" not in caplog.text


def test_an_app_below_a_path_is_reported_to_below_it(make: Make, https: Https) -> None:
    headers = https(make({"APPLICATION_ROOT": "/shop"})).get("/", base_url="https://localhost").headers

    assert "report-uri /shop/_stopper/csp;" in headers[ENFORCED]
    assert headers["Reporting-Endpoints"] == 'stopper-csp="/shop/_stopper/csp"'


def test_reports_are_bounded(make: Make, https: Https, caplog) -> None:
    client = https(make(csp_distinct=3))

    for number in range(10):
        sent = report(**{"blocked-uri": f"https://img{number}.example"})
        client.post("/_stopper/csp", data=json.dumps(sent), content_type="application/csp-report")
    large = client.post("/_stopper/csp", data="x" * 40_000, content_type="application/csp-report")

    assert caplog.text.count("a browser reported") == 3
    assert large.status_code == 413


KEYS = st.sampled_from(["csp-report", "body", "type", "blocked-uri", "document-uri", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(KEYS, one),
)


@given(JSON)
def test_no_report_makes_the_endpoint_fail(sent: object) -> None:
    app = Flask("reported")
    app.testing = True
    Stopper(app)

    answer = app.test_client().post(
        "/_stopper/csp", data=json.dumps(sent), content_type="application/csp-report"
    )

    assert answer.status_code == 204
