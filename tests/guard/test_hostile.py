"""Whatever a client sends, the guard answers, and never with a 500; whatever an app is set to, it starts or says what to write."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask, Response, make_response, render_template_string, request, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopper import Stopper
from stopper.errors import ConfigurationError

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
LATIN = st.text(alphabet=st.characters(max_codepoint=255), max_size=60)
PLAUSIBLE = st.sampled_from(
    [
        *(
            "https",
            "http",
            "https,http",
            "same-origin",
            "cross-site",
            "none",
            "null",
            "localhost",
            "evil.example",
            "[::1",
            "*/*",
        ),
        *(
            "application/json",
            "text/html;q=x",
            "Bearer x",
            "Basic !!",
            "gzip",
            "1e999",
            "-1",
            "bytes=0-",
            "a, b",
            ",",
            ";",
            "=",
            "%00",
        ),
        *(
            "multipart/form-data; boundary=x",
            "application/csp-report",
            "session=x.y.z",
            "__Host-session=..",
            '"\\',
            "203.0.113.9, 10.0.0.1",
        ),
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *(
                "HTTP_HOST",
                "HTTP_ORIGIN",
                "HTTP_REFERER",
                "HTTP_COOKIE",
                "HTTP_ACCEPT",
                "HTTP_AUTHORIZATION",
                "HTTP_SEC_FETCH_SITE",
            ),
            *(
                "HTTP_X_FORWARDED_FOR",
                "HTTP_X_FORWARDED_PROTO",
                "HTTP_X_FORWARDED_HOST",
                "HTTP_FORWARDED",
                "HTTP_X_CSRFTOKEN",
            ),
            *(
                "CONTENT_TYPE",
                "CONTENT_LENGTH",
                "REMOTE_ADDR",
                "QUERY_STRING",
                "HTTP_USER_AGENT",
                "HTTP_RANGE",
            ),
        ]
    ),
    LATIN | PLAUSIBLE,
    max_size=6,
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "TRACE", "get", "X" * 40])
PATHS = (
    st.sampled_from(
        ["/", "/in", "/form", "/login", "/_stopper/csp", "/static/a.css", "/healthz", "//evil.example"]
    )
    | LATIN
)


def built(**wanted: object) -> Flask:
    """Return a whole app."""
    app = Flask("hostile")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
    Stopper(app, limits_default=None, limits_refusals=None, limits_login=None, limits_static=None, **wanted)
    app.add_url_rule("/", "index", lambda: render_template_string("<script>1</script>{{ csrf_token() }}"))
    app.add_url_rule("/in", "in", lambda: session.update(user_id=1) or "x", methods=["GET", "POST"])
    app.add_url_rule("/form", "form", lambda: str(len(request.form)), methods=["POST", "PUT"])
    app.add_url_rule("/login", "login", lambda: str(request.form.get("password")), methods=["POST"])
    return app


APPS = [built(), built(proxies=1), built(proxies=0, csp="report", mode="report")]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(APPS), METHODS, PATHS, HEADERS, st.booleans(), st.binary(max_size=80))
def test_no_request_makes_the_guard_fail(
    app: Flask, method: str, path: str, headers: dict[str, str], tls: bool, body: bytes
) -> None:
    base = "https://localhost" if tls else "http://localhost"
    environ = (
        app.test_client()
        ._request_from_builder_args((), {"path": "/", "base_url": base, "data": body})
        .environ
    )
    environ.update(headers)
    environ.update(REQUEST_METHOD=method, PATH_INFO=path)
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, sent: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        seen.append((status, sent))
        return lambda _: None

    answer = app.wsgi_app(environ, start)
    b"".join(answer)
    getattr(answer, "close", lambda: None)()

    status, sent = seen[-1]
    assert status.startswith("503") or int(status[:3]) < 500, status
    assert not [value for _, value in sent if "\r" in value or "\n" in value]
    names = [name.lower() for name, _ in sent]
    assert "x-content-type-options" in names or app is APPS[2]
    assert names.count("content-security-policy") <= 1


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "MODE",
                "PROXIES",
                "HSTS_SECONDS",
                "REFERRER_POLICY",
                "CSP_POLICY",
                "ROUTES",
                "SAME_SITE",
                "PROBES",
                "CSP",
                "NONSENSE",
            ]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=20)
        | st.lists(st.text(max_size=5))
        | st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
        max_size=3,
    )
)
def test_no_setting_does_anything_but_work_or_say_what_to_write(wanted: dict[str, object]) -> None:
    app = Flask("set")
    app.config.update({f"STOPPER_{name}": value for name, value in wanted.items()}, TESTING=True)
    try:
        Stopper(app)
    except ConfigurationError:
        return
    assert app.test_client().get("/").status_code == 404


@pytest.mark.parametrize("status", ["wow", "299 Fine", "999 x"])
def test_an_answer_with_a_status_of_its_own_goes_out(status: str) -> None:
    app = built()
    app.add_url_rule("/odd", "odd", lambda: Response("x", status=status))

    assert (
        app.test_client().get("/odd", base_url="https://localhost").headers["X-Content-Type-Options"]
        == "nosniff"
    )


def test_an_app_that_sets_the_strangest_headers_is_served() -> None:
    app = built()

    @app.get("/strange")
    def strange() -> Response:
        response = make_response("x")
        for name, value in (
            ("Set-Cookie", ";;;"),
            ("Vary", ""),
            ("Content-Type", ";"),
            ("X-Frame-Options", "maybe"),
        ):
            response.headers.add(name, value)
        return response

    assert app.test_client(use_cookies=False).get("/strange", base_url="https://localhost").status_code == 200


def test_a_request_context_without_a_server_is_judged_as_it_is_configured() -> None:
    app = built()
    app.testing = True

    with app.test_request_context("/", base_url="http://localhost"):
        assert app.preprocess_request() is None
        assert json.loads(json.dumps({"place": app.extensions["stopper"].state.place}))["place"] == "testing"
