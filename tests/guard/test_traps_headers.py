"""What Talisman and secure get wrong by default, behind a proxy or with several workers, is not true of the guard: traps 1 to 13, 32, 33, 35."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from flask import Flask, Response, make_response, render_template_string, session, url_for
from flask_login import LoginManager, UserMixin, login_user
from werkzeug.test import Client

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard.csp import ENFORCED
from stopper.guard.secrets import read, weakness

Make = Callable[..., Flask]
Https = Callable[[Flask], Client]
KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


def test_trap_01_the_redirect_goes_to_no_host_that_a_client_makes_up(make: Make) -> None:
    client = make().test_client()

    forged = client.get("/", headers={"Host": "evil.example"})

    assert forged.status_code == 400
    assert "Location" not in forged.headers
    assert client.get("/", headers={"Host": "shop.example"}).headers["Location"] == "https://shop.example/"


def test_trap_02_a_post_stays_a_post_and_machines_are_not_redirected(make: Make) -> None:
    app = make()
    app.add_url_rule("/.well-known/acme-challenge/<token>", "acme", lambda token: token)
    client = app.test_client()

    assert client.post("/form").status_code == 308
    assert client.get("/.well-known/acme-challenge/x", headers={"Host": "10.0.0.1"}).text == "x"


@pytest.mark.parametrize(
    ("proxies", "sent", "status"),
    [(0, "https", 308), (1, "https", 200), (2, "https,http", 200), (1, "http", 308)],
)
def test_trap_03_the_scheme_is_believed_of_stated_proxies_alone(
    make: Make, proxies: int, sent: str, status: int
) -> None:
    client = make(proxies=proxies).test_client()

    assert (
        client.get("/", headers={"X-Forwarded-Proto": sent, "X-Forwarded-For": "203.0.113.9"}).status_code
        == status
    )


def test_trap_03_a_client_that_reaches_the_app_past_the_proxy_is_not_believed(make: Make) -> None:
    client = make(proxies=1).test_client()

    answer = client.get(
        "/", headers={"X-Forwarded-Proto": "https"}, environ_overrides={"REMOTE_ADDR": "198.51.100.7"}
    )

    assert answer.status_code == 308


def test_trap_04_debug_takes_no_protection_away_from_a_site(
    serve: Callable[..., object], http: httpx.Client
) -> None:
    server = serve(
        f"""
        from flask import Flask
        from stopper import Stopper
        app = Flask(__name__)
        app.config.update(SECRET_KEY="{KEY}", TRUSTED_HOSTS=["127.0.0.1"])
        Stopper(app)
        app.get("/")(lambda: "the site")
        app.debug = True
        """,
        kind="waitress",
    )

    answer = http.get(server.url)

    assert answer.status_code == 503
    assert "the site" not in answer.text


def test_trap_05_what_a_view_set_is_kept_and_strict_stays_strict(make: Make, https: Https) -> None:
    own = {ENFORCED: "default-src https:", "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "origin"}
    app = make({"SESSION_COOKIE_SAMESITE": "Strict"})
    app.get("/own")(lambda: ("x", own))

    answer = https(app).get("/own")

    assert {name: answer.headers.getlist(name) for name in own} == {
        name: [value] for name, value in own.items()
    }
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Strict"


@pytest.mark.parametrize(
    "policy", [{}, {"script-src": "'self'"}, {"script-src": None}, {"default-src": "'self'"}]
)
def test_trap_06_the_page_has_a_nonce_and_the_header_has_the_same(
    make: Make, https: Https, policy: dict[str, str]
) -> None:
    app = make(csp_policy=policy)
    app.get("/page")(lambda: render_template_string("<style nonce='{{ csp_nonce() }}'></style>"))

    answer = https(app).get("/page")
    found = re.search(r"nonce='([^']+)'", answer.text).group(1)

    assert len(found) >= 22
    assert f"'nonce-{found}'" in answer.headers[ENFORCED]


@pytest.mark.parametrize(
    "settings",
    [
        {"csp_policy": {"script-src": "self"}},
        {"csp_policy": {"script_source": "'self'"}},
        {"frame_option": "DENY"},
        {"routes": {"/": {"csp": {"imgsrc": "*"}}}},
        {"routes": {"/": {"haeders": {}}}},
    ],
)
def test_trap_07_what_is_misspelt_is_an_error(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Stopper(Flask("one"), **settings)


def test_trap_07_a_view_may_have_an_hsts_of_its_own() -> None:
    stopper = Stopper()
    app = Flask("one")
    app.testing = True
    stopper.init_app(app)
    app.get("/")(stopper.headers(strict_transport_security="max-age=60")(lambda: "x"))

    answer = app.test_client().get("/", base_url="https://localhost")

    assert answer.headers.getlist("Strict-Transport-Security") == ["max-age=60"]


def test_trap_08_none_is_no_value_of_a_header(make: Make, https: Https) -> None:
    headers = https(make(referrer_policy=None, permissions_policy=None, opener_policy=None)).get("/").headers

    assert "None" not in headers.values()
    assert "Referrer-Policy" not in headers


def test_trap_09_two_apps_that_share_a_view_have_policies_of_their_own() -> None:
    def view() -> str:
        return "x"

    policies = []
    for source in ("https://one.example", "https://two.example"):
        stopper, app = Stopper(), Flask("one")
        app.testing = True
        stopper.init_app(app)
        app.get("/")(stopper.csp(img_src=source)(view))
        policies.append(app.test_client().get("/").headers[ENFORCED])

    assert "https://one.example" in policies[0]
    assert "https://two.example" not in policies[0]
    assert "https://one.example" not in policies[1]


def test_trap_10_every_cookie_is_secure_that_which_remembers_a_user_too(make: Make, https: Https) -> None:
    class User(UserMixin):
        id = "7"

    app = make()
    LoginManager(app).user_loader(lambda _: User())

    @app.get("/in")
    def enter() -> Response:
        login_user(User(), remember=True)
        response = make_response("x")
        response.set_cookie("basket", "1")
        return response

    cookies = https(app).get("/in").headers.getlist("Set-Cookie")

    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-session", "remember_token", "basket"}
    assert all("; Secure" in cookie and "; SameSite=Lax" in cookie for cookie in cookies)


def test_trap_11_the_policy_is_whole_and_hsts_leaves_subdomains_alone(make: Make, https: Https) -> None:
    headers = https(make()).get("/").headers

    for directive in ("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "report-to"):
        assert directive in headers[ENFORCED]
    assert "Reporting-Endpoints" in headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "includeSubDomains" not in headers["Strict-Transport-Security"]


def test_trap_12_several_cookies_and_doubled_headers_of_an_app_stay_as_they_are(
    make: Make, https: Https
) -> None:
    app = make()

    @app.get("/many")
    def many() -> Response:
        response = make_response("x")
        for number in range(5):
            response.set_cookie(f"c{number}", "x")
        response.headers.add("X-Frame-Options", "DENY")
        response.headers.add("Link", "<a>")
        response.headers.add("Link", "<b>")
        return response

    headers = https(app).get("/many").headers

    assert [cookie[:2] for cookie in headers.getlist("Set-Cookie")] == ["c0", "c1", "c2", "c3", "c4"]
    assert headers.getlist("X-Frame-Options") == ["DENY"]
    assert headers.getlist("Link") == ["<a>", "<b>"]


def test_trap_13_the_policy_rewrites_no_url_and_has_a_nonce(make: Make, https: Https) -> None:
    policy = https(make()).get("/").headers[ENFORCED]

    assert "upgrade-insecure-requests" not in policy
    assert "'nonce-" in policy


def test_trap_32_keys_are_judged_sessions_are_short_and_end_at_logout(make: Make, https: Https) -> None:
    assert weakness("a")
    assert weakness("changeme")
    assert make({"SECRET_KEY": None}).test_client().get("/").status_code == 503

    app = make()
    app.get("/in")(lambda: session.update(user_id=1) or "x")
    app.get("/out", endpoint="out")(lambda: session.clear() or "x")
    app.get("/me", endpoint="me")(lambda: str(dict(session)))
    client = https(app)
    client.get("/in")
    kept = client.get_cookie("__Host-session").value
    client.get("/out")

    assert app.permanent_session_lifetime.days == 7
    assert app.session_interface.digest_method().name == "sha256"
    client.set_cookie("__Host-session", kept, secure=True)
    assert client.get("/me").text == "{}"


def test_trap_33_a_link_leads_to_no_host_that_a_client_makes_up(make: Make, https: Https) -> None:
    app = make()
    app.get("/link")(lambda: url_for("index", _external=True))
    client = https(app)

    assert client.get("/link", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/link", headers={"Host": "shop.example"}).text == "https://shop.example/"


def test_trap_35_what_the_parser_of_env_files_keeps_to_itself_is_told() -> None:
    values, told = read("A=x #y\nnonsense here\nB='z #w'\n", ".env")

    assert values == {"A": "x", "B": "z #w"}
    assert len(told) == 2
