"""Each client has a limit over the whole site, and stricter ones where it matters."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, request, session
from flask.views import MethodView
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.addresses import UNKNOWN, client_of
from stopper.guard.limits import LimitsSettings
from stopper.guard.lockout import LockoutSettings

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
Build = Callable[..., tuple[Flask, Stopper]]


@pytest.fixture
def build() -> Build:
    def made(**limits: object) -> tuple[Flask, Stopper]:
        app = Flask("limited")
        app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
        quiet: dict[str, object] = {"https": "off", "hosts": "off", "csrf": "off", "lockout": "off"}
        known = {key: value for key, value in quiet.items() if key in guard_names()}
        stopper = Stopper(app, **{**known, **limits})

        @app.get("/")
        def index() -> str:
            return "hello"

        return app, stopper

    return made


def guard_names() -> frozenset[str]:
    from stopper.guard.guards import NAMES

    return frozenset(NAMES)


def statuses(
    app: Flask, *paths: str, times: int = 1, method: str = "GET", address: str = "192.0.2.1", **more: Any
) -> list[int]:
    client = app.test_client()
    found = []
    for path in paths * times:
        with client.open(path, method=method, environ_base={"REMOTE_ADDR": address}, **more) as response:
            found.append(response.status_code)
    return found


def test_the_default_counts_all_routes_and_all_answers_together(build: Build) -> None:
    app, _ = build(limits_default="5 per minute")

    @app.get("/other")
    def other() -> str:
        return "other"

    assert statuses(app, "/", "/other", "/nowhere", times=2) == [200, 200, 404, 200, 200, 429]
    assert statuses(app, "/", method="POST") == [429], (
        "a method that is not allowed is counted and refused as well"
    )
    assert statuses(app, "/", address="192.0.2.2") == [200], "another client has its own"


@pytest.mark.parametrize(("path", "method", "status"), [("/nowhere", "GET", 404), ("/", "DELETE", 405)])
def test_what_no_route_serves_has_a_limit_of_its_own(
    build: Build, path: str, method: str, status: int
) -> None:
    app, _ = build(limits_refusals="3 per minute")

    assert statuses(app, path, times=5, method=method) == [status] * 3 + [429] * 2
    assert statuses(app, "/") == [200], "who guesses is turned away there, and not from the site"


def test_answers_401_are_counted_for_their_route(build: Build) -> None:
    app, _ = build(limits_refusals="3 per minute")

    @app.get("/api")
    def api() -> str:
        if request.headers.get("X-Token") != "right":
            abort(401)
        return "in"

    assert statuses(app, "/api", times=5) == [401, 401, 401, 429, 429]
    assert statuses(app, "/") == [200]


def test_what_a_view_does_not_find_counts_in_the_default_alone(build: Build) -> None:
    app, _ = build(limits_refusals="3 per minute", limits_default="5 per minute")

    @app.get("/avatar/<int:number>")
    def avatar(number: int) -> str:
        abort(404)

    assert statuses(app, *(f"/avatar/{number}" for number in range(6))) == [404] * 5 + [429]


def test_static_files_that_are_not_there_are_counted(build: Build) -> None:
    app, _ = build(limits_refusals="3 per minute")

    assert statuses(app, *(f"/static/{number}" for number in range(5))) == [404] * 3 + [429] * 2


def test_static_files_have_a_limit_of_their_own_and_leave_the_default_alone(
    build: Build, tmp_path: Path
) -> None:
    app, _ = build(limits_default="2 per minute", limits_static="4 per minute")
    (tmp_path / "one.css").write_text("a{}")
    app.static_folder = str(tmp_path)

    assert statuses(app, "/static/one.css", times=6) == [200] * 4 + [429] * 2
    assert statuses(app, "/") == [200]


def test_static_files_may_be_left_without_a_limit(build: Build, tmp_path: Path) -> None:
    app, _ = build(limits_default="2 per minute", limits_static=None)
    (tmp_path / "one.css").write_text("a{}")
    app.static_folder = str(tmp_path)

    assert statuses(app, "/static/one.css", times=6) == [200] * 6


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [
        ("/login", "a"),
        ("/auth/sign-in", "b"),
        ("/x", "log_in"),
        ("/x", "userLogin"),
        ("/api/session", "c"),
        ("/reset-password/<t>", "d"),
    ],
)
def test_a_route_for_signing_in_is_found_by_its_name(build: Build, rule: str, endpoint: str) -> None:
    app, _ = build(limits_login="2 per minute")
    app.add_url_rule(rule, endpoint, lambda **_: "in", methods=["GET", "POST"])
    path = rule.replace("<t>", "abc")

    assert statuses(app, path, times=4, method="POST") == [200, 200, 429, 429]
    assert statuses(app, path, times=3) == [200] * 3, "looking at the form is not posting it"


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [("/auth/logo", "logo"), ("/blog", "blog_index"), ("/authors", "authors"), ("/login/done", "done")],
)
def test_other_routes_are_not_taken_for_a_login(build: Build, rule: str, endpoint: str) -> None:
    app, _ = build(limits_login="2 per minute")
    app.add_url_rule(rule, endpoint, lambda: "fine", methods=["POST"])

    assert statuses(app, rule, times=4, method="POST") == [200] * 4


@pytest.mark.parametrize(
    "sent", [{"data": {"who": "a", "form-Password": "b"}}, {"json": {"who": "a", "passwd": "b"}}]
)
def test_a_route_that_was_sent_a_password_is_limited_from_then_on(build: Build, sent: dict[str, Any]) -> None:
    app, _ = build(limits_login="2 per minute")

    @app.post("/enter")
    def enter() -> str:
        return f"{len(request.form)} {request.get_json(silent=True)}"

    assert statuses(app, "/enter", times=5, method="POST", **sent) == [200, 200, 200, 429, 429]


@pytest.mark.parametrize("above", [True, False])
def test_a_decorated_limit_is_added_to_the_default_above_the_route_and_below_it(
    build: Build, above: bool
) -> None:
    app, stopper = build(limits_default="5 per minute")

    def strict() -> str:
        return "strict"

    if above:
        stopper.limit("2 per minute")(app.get("/strict")(strict))
    else:
        app.get("/strict")(stopper.limit("2 per minute")(strict))

    assert statuses(app, "/strict", times=3) == [200, 200, 429]
    assert statuses(app, "/", times=4) == [200, 200, 200, 429], "what was refused was not counted"


def test_a_decorated_limit_replaces_the_default_where_it_says_so(build: Build) -> None:
    app, stopper = build(limits_default="2 per minute")

    @app.get("/busy")
    @stopper.limit("6 per minute", instead=True)
    def busy() -> str:
        return "busy"

    assert statuses(app, "/busy", times=8) == [200] * 6 + [429] * 2


def test_a_limit_can_be_for_some_methods(build: Build) -> None:
    app, stopper = build()

    @app.route("/note", methods=["GET", "POST"])
    @stopper.limit("1 per minute", methods=["post"])
    def note() -> str:
        return "note"

    assert statuses(app, "/note", times=3) == [200] * 3
    assert statuses(app, "/note", times=2, method="POST") == [200, 429]


def test_methods_of_class_based_views_blueprints_and_patterns_are_limited(build: Build) -> None:
    app, stopper = build(routes={"/pattern/*": {"limits": "1 per minute"}})

    class Item(MethodView):
        def get(self) -> str:
            return "get"

        @stopper.limit("1 per minute")
        def post(self) -> str:
            return "post"

    app.add_url_rule("/item", view_func=Item.as_view("item"))
    blueprint = stopper.limit("1 per minute")(Blueprint("admin", "admin", url_prefix="/admin"))
    blueprint.add_url_rule("/x", "x", lambda: "x")
    app.register_blueprint(blueprint)
    app.add_url_rule("/pattern/<name>", "pattern", lambda name: name)

    assert statuses(app, "/item", times=2) == [200, 200]
    assert statuses(app, "/item", times=2, method="POST") == [200, 429]
    assert statuses(app, "/admin/x", times=2) == [200, 429]
    assert statuses(app, "/pattern/a", "/pattern/b") == [200, 429]


def test_views_with_one_scope_count_together(build: Build) -> None:
    app, stopper = build()
    for name in ("one", "two"):
        app.add_url_rule(
            f"/{name}", name, stopper.limit("2 per minute", scope="search")(lambda name=name: name)
        )

    assert statuses(app, "/one", "/two", "/one", "/two") == [200, 200, 429, 429]


def test_a_limit_by_user_follows_the_user(build: Build) -> None:
    app, stopper = build()

    @app.get("/enter/<name>")
    def enter(name: str) -> str:
        session["user_id"] = name
        return name

    @app.get("/search")
    @stopper.limit("2 per minute", by="user")
    def search() -> str:
        return "found"

    client = app.test_client()
    client.get("/enter/ann")
    addresses = [f"192.0.2.{number}" for number in range(4)]

    assert [client.get("/search", environ_base={"REMOTE_ADDR": one}).status_code for one in addresses] == [
        200,
        200,
        429,
        429,
    ]
    client.get("/enter/bob")
    assert client.get("/search").status_code == 200
    assert statuses(app, "/search", times=3) == [200, 200, 429], "who is not signed in is counted by address"


@pytest.mark.parametrize("name", ["", None])
def test_a_key_function_without_a_name_counts_by_address(build: Build, name: str | None) -> None:
    app, stopper = build()

    @app.get("/search")
    @stopper.limit("2 per minute", by=lambda: name)
    def search() -> str:
        return "found"

    assert statuses(app, "/search", times=3) == [200, 200, 429]
    assert statuses(app, "/search", address="192.0.2.9") == [200]


def test_an_exempt_route_has_no_limit(build: Build) -> None:
    app, stopper = build(limits_default="2 per minute")

    @app.get("/health")
    @stopper.exempt("limits")
    def health() -> str:
        return "up"

    assert statuses(app, "/health", times=5) == [200] * 5


@pytest.mark.parametrize(
    "given_settings",
    [
        {"limits_default": "5 per minuet"},
        {"limits_default": "0 per minute"},
        {"limits_refusals": "lots"},
        {"limits_login": "5"},
        {"limits_static": "-5 per minute"},
        {"limits_defalt": "5 per minute"},
        {"storage": "radis://localhost"},
        {"storage": "redis:localhost"},
        {"routes": {"/a": {"limits": "5 per minuet"}}},
        {"routes": {"/a": {"limits": {"limit": "5 per minute", "bye": "user"}}}},
    ],
)
def test_a_setting_with_a_typo_is_an_error_at_start_up(
    build: Build, given_settings: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError):
        build(**given_settings)


@pytest.mark.parametrize(
    "given_words", [{"rate": "5 per minuet"}, {"rate": "5 per minute", "by": "ip"}, {"rate": ""}]
)
def test_a_decorator_with_a_typo_is_an_error_where_it_stands(given_words: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"stopper\.limit"):
        Stopper().limit(**given_words)


def test_an_answer_says_what_is_left_and_a_refusal_when_to_come_back(build: Build) -> None:
    app, stopper = build(limits_default="100 per minute")

    @app.get("/strict")
    @stopper.limit("2 per minute")
    def strict() -> str:
        return "strict"

    client = app.test_client()
    first, _, third = client.get("/strict"), client.get("/strict"), client.get("/strict")
    assert first.headers["RateLimit-Policy"] == '"route";q=2;w=60'
    assert first.headers["RateLimit"] == '"route";r=1;t=60'
    assert third.status_code == 429
    assert third.headers["RateLimit"].startswith('"route";r=0;t=')
    assert 1 <= int(third.headers["Retry-After"]) <= 60
    assert client.get("/").headers["RateLimit-Policy"] == '"default";q=100;w=60'


def test_the_fields_can_be_left_out_and_retry_after_stays(build: Build) -> None:
    app, _ = build(limits_default="1 per minute", limits_headers=False)
    client = app.test_client()

    first, second = client.get("/"), client.get("/")

    assert "RateLimit" not in first.headers
    assert second.status_code == 429
    assert "Retry-After" in second.headers


def test_a_refusal_is_a_page_or_a_problem_document_by_accept(build: Build) -> None:
    app, _ = build(limits_default="1 per minute")
    client = app.test_client()
    client.get("/")

    page = client.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    document = client.get("/", headers={"Accept": "application/json"})

    assert page.mimetype == "text/html"
    assert "Too many requests" in page.text
    assert document.mimetype == "application/problem+json"
    assert json.loads(document.text)["status"] == 429


def test_the_apps_own_page_wins_and_still_says_when_to_come_back(build: Build) -> None:
    app, _ = build(limits_default="1 per minute")
    app.register_error_handler(429, lambda error: Response("slow down", 429))
    client = app.test_client()
    client.get("/")

    refused = client.get("/")

    assert refused.text == "slow down"
    assert int(refused.headers["Retry-After"]) >= 1


def test_in_report_mode_nothing_is_refused_and_everything_told(build: Build) -> None:
    app, _ = build(limits_default="1 per minute", limits="report")
    seen: list[Any] = []

    def note(_: Any, event: Any) -> None:
        seen.append(event)

    with events.reported.connected_to(note, sender=app):
        assert statuses(app, "/", times=3) == [200] * 3
    assert [(event.guard, event.facts["limit"]) for event in seen] == [("limits", "default 1 per minute")] * 2


def test_under_test_no_limit_holds_unless_asked_for(build: Build) -> None:
    app, _ = build(limits_default="1 per minute")
    app.config["TESTING"] = True
    assert statuses(app, "/", times=3) == [200] * 3

    opted, _ = build(limits_default="1 per minute", testing=True)
    opted.config["TESTING"] = True
    assert statuses(opted, "/", times=3) == [200, 429, 429]


def test_status_shows_what_limits_each_route(build: Build) -> None:
    app, stopper = build(limits_static=None, limits_default="9 per minute", limits_login="3 per minute")
    app.add_url_rule("/login", "login", lambda: "in", methods=["POST"])
    app.add_url_rule("/strict", "strict", stopper.limit("2 per hour")(lambda: "strict"))
    app.add_url_rule("/health", "health", stopper.exempt("limits")(lambda: "up"))
    gate = app.extensions["stopper"]
    app.test_client().get("/")

    def cell(endpoint: str | None) -> tuple[str, str]:
        (found,) = gate.state.guards["limits"].covers(gate.routes[endpoint])
        return found.text, found.state

    assert cell("index") == ("9 per minute (default)", "covered")
    assert cell("login") == ("9 per minute (default), 3 per minute (login)", "covered")
    assert cell("strict") == ("9 per minute (default), 2 per hour (route)", "covered")
    assert cell("health") == ("none", "exempt")
    assert cell("static") == ("none", "open")
    assert cell(None) == ("9 per minute (default), 60 per minute (refusals)", "covered")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:5511", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        (None, UNKNOWN),
        ("not an address", UNKNOWN),
        ("9" * 10_000, UNKNOWN),
    ],
)
def test_a_client_is_an_address_or_a_network_of_64_bits(address: str | None, client: str) -> None:
    assert client_of(address) == client


@given(st.text(max_size=80))
def test_no_address_breaks_the_count(address: str) -> None:
    assert client_of(address)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    address=st.text(max_size=40),
    path=st.text(max_size=40),
    method=st.sampled_from(["GET", "POST", "PUT", "BREW", "OPTIONS"]),
    header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60),
)
def test_nothing_a_client_sends_makes_a_500(
    build: Build, address: str, path: str, method: str, header: str
) -> None:
    app, stopper = build(limits_default="3 per minute")
    app.add_url_rule(
        "/<path:rest>",
        "rest",
        stopper.limit("2 per minute", by=lambda: request.headers.get("X-Key"))(lambda rest: "rest"),
    )
    environ = {"REMOTE_ADDR": address, "HTTP_X_KEY": header, "HTTP_COOKIE": header, "HTTP_ACCEPT": header}

    codes = {
        app.test_client()
        .open(base_url="http://localhost", path="/" + path, method=method, environ_overrides=environ)
        .status_code
        for _ in range(3)
    }

    assert all(code < 500 for code in codes)


@pytest.mark.parametrize("settings_of", [LimitsSettings, LockoutSettings])
def test_the_page_about_limits_names_every_default(settings_of: type[Any]) -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "limits.rst").read_text(encoding="utf-8").split())

    missing = [
        one.default
        for one in dataclasses.fields(settings_of)
        if isinstance(one.default, str) and one.default not in page
    ]

    assert missing == []
