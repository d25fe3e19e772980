"""What Flask-Limiter and Flask-WTF get wrong by default, behind a proxy, or with several workers, the guard does not: one test a trap."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import (
    Blueprint,
    Flask,
    abort,
    redirect,
    render_template_string,
    request,
    session,
    stream_template_string,
)
from flask_talisman import Talisman
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from tests.guard.conftest import Watched
from wtforms import StringField

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard.rates import Rate
from stopper.guard.shared import LAYOUT, folder
from stopper.guard.stores import Ask, Memory

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
OLD = "0d3e4f58a2c6e1907bd84f23c5d9b7c1f6a9"

SERVED = """
from flask import Flask
from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["127.0.0.1"])
Stopper(app, https="off", {settings})
app.add_url_rule("/", "index", lambda: "hello")
"""


def guarded(config: dict[str, object] | None = None, **settings: object) -> tuple[Flask, Stopper]:
    """Return a guarded app in production with a page and a form."""
    app = Flask("guarded")
    app.config.update({"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["localhost"], **(config or {})})
    stopper = Stopper(app, **{"https": "off", "lockout": "off", **settings})
    app.add_url_rule("/", "index", lambda: "hello")
    app.add_url_rule("/send", "send", lambda: f"sent {request.form.get('word')}", methods=["POST"])
    app.add_url_rule("/form", "form", lambda: render_template_string("{{ csrf_token() }}"))
    return app, stopper


def ask(app: Flask, *paths: str, method: str = "GET", address: str = "192.0.2.1", **more: Any) -> list[int]:
    client = app.test_client()
    return [
        client.open(path, method=method, environ_base={"REMOTE_ADDR": address}, **more).status_code
        for path in paths
    ]


@pytest.fixture
def name() -> Iterator[str]:
    made = f"trap-{os.getpid()}-{time.monotonic_ns()}"
    yield made
    (folder() / f"{made}.{LAYOUT}").unlink(missing_ok=True)


def load(url: str, count: int) -> Counter[int]:
    with (
        httpx.Client(timeout=20, trust_env=False, headers={"Connection": "close"}) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        return Counter(pool.map(lambda _: client.get(url).status_code, range(count)))


def test_trap_14_a_limit_above_the_route_holds_and_the_default_stays() -> None:
    app, stopper = guarded(limits_default="4 per minute")

    @stopper.limit("2 per minute")
    @app.get("/above")
    def above() -> str:
        return "above"

    assert ask(app, "/above", "/above", "/above") == [200, 200, 429]
    assert ask(app, "/", "/", "/") == [200, 200, 429]


def test_trap_15_missing_paths_wrong_methods_and_static_files_are_counted() -> None:
    app, _ = guarded(limits_refusals="2 per minute", limits_static="2 per minute")

    assert ask(app, "/a", "/b", "/c") == [404, 404, 429]
    assert ask(app, "/", "/", "/", method="DELETE", address="192.0.2.2") == [405, 405, 429]
    assert ask(app, "/static/a", "/static/b", "/static/c") == [404, 404, 429]


TYPOS: dict[str, Callable[[], object]] = {
    "decorator": lambda: Stopper().limit("5 per minuet"),
    "default": lambda: guarded(limits_default="5 per minuet"),
    "pattern": lambda: guarded(routes={"/": {"limits": "5 per minuet"}}),
}


@pytest.mark.parametrize("place", TYPOS)
def test_trap_16_a_typo_in_a_limit_is_an_error_at_start_up(place: str) -> None:
    with pytest.raises(ConfigurationError, match="5 per minuet"):
        TYPOS[place]()


@pytest.mark.parametrize("key", ["", None])
def test_trap_17_an_empty_key_does_not_skip_the_limit(key: str | None) -> None:
    app, stopper = guarded()
    app.add_url_rule("/by", "by", stopper.limit("2 per minute", by=lambda: key)(lambda: "by"))

    assert ask(app, "/by", "/by", "/by") == [200, 200, 429]
    assert ask(app, *["/by"] * 3, address="") == [200, 200, 429], "nor does a client without an address"


def test_trap_18_a_decorated_limit_adds_to_the_default_which_is_one_for_all_endpoints() -> None:
    app, stopper = guarded(limits_default="3 per minute")
    app.add_url_rule("/wide", "wide", stopper.limit("100 per minute")(lambda: "wide"))

    assert ask(app, "/wide", "/", "/wide", "/", "/wide") == [200, 200, 200, 429, 429]


def test_trap_19_five_a_minute_is_five_with_four_workers_and_memory(
    serve: Callable[..., Any], name: str
) -> None:
    settings = f"storage='memory', storage_name={name!r}, limits_default='5 per minute'"
    server = serve(SERVED.format(settings=settings), workers=4)

    assert load(server.url, 40) == {200: 5, 429: 35}


def test_trap_20_ten_a_second_is_ten_in_any_second() -> None:
    now = 0.95
    memory = Memory(clock=lambda: now)
    accepted = 0
    for _ in range(29):
        accepted += memory.take([Ask("client", Rate(10, 1))]).full < 0
        now += 0.01

    assert accepted == 10, "a fixed window began anew in the middle of it"


def test_trap_21_without_redis_the_site_stays_up_and_limits_hold(
    serve: Callable[..., Any], redis: Any, name: str
) -> None:
    settings = f"storage={redis.url!r}, storage_name={name!r}, limits_default='5 per minute'"
    server = serve(SERVED.format(settings=settings), workers=4)
    redis.kill()

    assert load(server.url, 40) == {200: 5, 429: 35}
    assert "action=degraded" in server.log


def test_trap_22_each_user_behind_a_proxy_has_a_bucket_and_no_client_can_forge_one(
    serve: Callable[..., Any], http: httpx.Client
) -> None:
    direct = serve(SERVED.format(settings="limits_default='3 per minute', proxies=0"))
    forged = [
        http.get(direct.url, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(6)
    ]
    assert forged == [200] * 3 + [429] * 3

    behind = serve(SERVED.format(settings="limits_default='3 per minute', proxies=1"))
    users = [
        http.get(behind.url, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(6)
    ]
    assert users == [200] * 6
    forged = [
        http.get(behind.url, headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}).status_code
        for number in range(5)
    ]
    assert forged == [200] * 3 + [429] * 2, "what stands before the proxy's own word is the client's"


def test_trap_22_the_addresses_of_one_network_of_ipv6_are_one_client() -> None:
    app, _ = guarded(limits_default="3 per minute")

    codes = [ask(app, "/", address=f"2001:db8:1:2::{number:x}")[0] for number in range(5)]

    assert codes == [200] * 3 + [429] * 2
    assert ask(app, "/", address="2001:db8:1:3::1") == [200]


def test_trap_23_a_refusal_says_when_to_come_back() -> None:
    app, _ = guarded(limits_default="1 per minute")
    client = app.test_client()
    client.get("/")

    refused = client.get("/")

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"default";q=1;w=60'


@pytest.mark.parametrize("first", ["talisman", "guard"])
def test_trap_24_redirects_to_https_are_limited_whoever_makes_them(first: str) -> None:
    app = Flask("redirecting")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
    if first == "talisman":
        Talisman(app)
    Stopper(app, limits_default="3 per minute", https="off" if first == "talisman" else "enforce")
    app.add_url_rule("/", "index", lambda: "hello")

    codes = ask(app, *["/"] * 5)

    assert codes[:3] in ([302] * 3, [308] * 3)
    assert codes[3:] == [429] * 2


def test_trap_25_one_extension_on_two_apps_keeps_each_apps_limits() -> None:
    stopper = Stopper()
    apps = []
    for limit, fields in (("2 per minute", True), ("4 per minute", False)):
        app = Flask("twin")
        app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
        app.add_url_rule("/", "index", lambda: "hello")
        stopper.init_app(app, https="off", limits_default=limit, limits_headers=fields)
        apps.append(app)

    assert ask(apps[0], *["/"] * 4) == [200, 200, 429, 429]
    assert ask(apps[1], *["/"] * 6) == [200] * 4 + [429] * 2
    assert "RateLimit" in apps[0].test_client().get("/").headers
    assert "RateLimit" not in apps[1].test_client().get("/").headers


@pytest.mark.parametrize("maker", ["guard", "flask-wtf"])
def test_trap_26_a_form_from_before_a_key_rotation_can_be_sent_after_it(maker: str) -> None:
    app, _ = guarded({"SECRET_KEY": OLD})
    app.add_url_rule("/wtf", "wtf", generate_csrf)
    client = app.test_client()
    token = client.get("/form" if maker == "guard" else "/wtf").text
    app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD])

    assert client.post("/send", data={"csrf_token": token, "word": "x"}).text == "sent x"


def test_trap_27_no_referer_is_demanded_over_https_and_the_origin_counts_without_it() -> None:
    app, _ = guarded()
    client = app.test_client()

    def send(**headers: str) -> int:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return client.post("/send", base_url="https://localhost", headers=named).status_code

    assert send(Sec_Fetch_Site="same-origin", Origin="null") == 200, "Referrer-Policy: no-referrer"
    assert send(Sec_Fetch_Site="cross-site", Referer="https://localhost/") == 403
    assert send(Origin="https://evil.example", Referer="https://localhost/") == 403


def test_trap_28_a_forged_upload_is_refused_before_its_body_is_read_and_bodies_are_bounded() -> None:
    app, _ = guarded()
    body = Watched()
    environ = {"wsgi.input": body, "HTTP_SEC_FETCH_SITE": "cross-site"}

    sent = app.test_client().post(
        "/send",
        content_type="multipart/form-data; boundary=x",
        content_length=10**7,
        environ_overrides=environ,
    )

    assert (sent.status_code, body.asked) == (403, 0)
    assert app.config["MAX_CONTENT_LENGTH"] is not None


def test_trap_29_an_exemption_is_for_one_endpoint_and_not_for_its_namesakes() -> None:
    app, stopper = guarded()

    def views(kind: str, *, exempt: bool) -> Blueprint:
        blueprint = Blueprint(kind, __name__, url_prefix=f"/{kind}")

        def hook() -> str:
            return kind

        blueprint.add_url_rule(
            "/hook", "hook", stopper.exempt("csrf")(hook) if exempt else hook, methods=["POST"]
        )
        return blueprint

    app.register_blueprint(views("pay", exempt=True))
    app.register_blueprint(views("admin", exempt=False))

    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert ask(app, "/pay/hook", "/admin/hook", method="POST", headers=foreign) == [200, 403]


class Note(FlaskForm):  # type: ignore[misc]
    word = StringField()


def test_trap_30_a_token_from_before_the_login_ends_with_it() -> None:
    app, _ = guarded()

    @app.get("/enter")
    def enter() -> Any:
        session["user_id"] = "ann"
        return redirect("/")

    client = app.test_client()
    before = client.get("/form").text
    client.get("/enter")

    assert client.post("/send", headers={"X-CSRFToken": before}).status_code == 403
    assert client.post("/send", headers={"X-CSRFToken": client.get("/form").text}).status_code == 200


def test_trap_30_a_token_lasts_as_long_as_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    from itsdangerous import TimestampSigner

    app, _ = guarded()
    client = app.test_client()
    now = int(time.time())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now - 6 * 3600)
    token = client.get("/form").text
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now)

    assert client.post("/send", headers={"X-CSRFToken": token}).status_code == 200


def test_trap_30_a_form_in_a_streamed_page_can_be_sent() -> None:
    app, _ = guarded()
    app.add_url_rule(
        "/streamed", "streamed", lambda: stream_template_string("{{ form.hidden_tag() }}", form=Note())
    )

    def note() -> str:
        if not Note().validate_on_submit():
            abort(400)
        return "noted"

    app.add_url_rule("/note", "note", note, methods=["POST"])
    client = app.test_client()
    client.get("/streamed").close()

    assert client.post("/note", data={"word": "x"}, headers={"Sec-Fetch-Site": "same-origin"}).text == "noted"
