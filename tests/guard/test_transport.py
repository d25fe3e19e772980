"""Plain HTTP is sent on, foreign hosts are refused, proxies are believed as far as stated, cookies get their flags."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, Response, make_response, redirect, request, session
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from stopper.errors import ConfigurationError

Make = Callable[..., Flask]
Https = Callable[[Flask], Client]


def seen(app: Flask) -> Flask:
    """Add a view that says what the app knows of its client."""
    app.add_url_rule(
        "/seen",
        "seen",
        lambda: {"address": request.remote_addr, "scheme": request.scheme, "host": request.host},
    )
    return app


def test_plain_http_is_sent_on_with_its_method_path_and_query(make: Make) -> None:
    client = make().test_client()

    answer = client.post("/a%20b/é?x=1&y=%2F", data={"z": "1"}, base_url="http://shop.example")

    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://shop.example/a%20b/%C3%A9?x=1&y=%2F"


@pytest.mark.parametrize(
    "path", [".evil.example", "@evil.example", ":1@evil.example", "//evil.example", "*", ""]
)
def test_no_path_leads_to_another_host(make: Make, path: str) -> None:
    client = make().test_client()

    answer = client.get("/", environ_overrides={"PATH_INFO": path, "HTTP_HOST": "shop.example"})

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://shop.example/{path.lstrip('/')}"


def test_the_port_of_https_may_be_another(make: Make) -> None:
    client = make(https_port=8443).test_client()

    assert (
        client.get("/", base_url="http://shop.example:8080").headers["Location"]
        == "https://shop.example:8443/"
    )


@pytest.mark.parametrize("path", ["/healthz", "/.well-known/acme-challenge/token"])
def test_probes_and_challenges_are_answered_over_plain_http_and_by_address(make: Make, path: str) -> None:
    app = make()
    app.add_url_rule(path, "probe", lambda: "fine")

    answer = app.test_client().get(path, base_url="http://10.0.0.7:8000")

    assert (answer.status_code, answer.text) == (200, "fine")


def test_without_a_host_that_is_vouched_for_nothing_is_redirected(make: Make) -> None:
    client = make({"TRUSTED_HOSTS": None}, hosts="off").test_client()

    assert client.get("/", base_url="http://evil.example").status_code == 403


def test_a_redirect_that_would_come_back_for_ever_is_refused_and_told(make: Make, caplog) -> None:
    answer = make().test_client().get("/", headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 503
    assert "STOPPER_PROXIES = 1" in caplog.text


def test_development_is_not_redirected(make: Make) -> None:
    app = make()
    app.debug = True

    assert app.test_client().get("/").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "shop.example.evil.example", "shop.example@evil.example", "", "a b", "[::1"]
)
def test_a_foreign_host_is_refused_before_the_app_sees_it(make: Make, host: str) -> None:
    app = make()
    ran = []
    app.before_request(lambda: ran.append(1))

    answer = app.test_client().get("/", headers={"Host": host}, environ_overrides={"SERVER_NAME": "evil"})

    assert answer.status_code == 400
    assert not ran
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_hosts_may_come_from_the_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPPER_TRUSTED_HOSTS", "one.example, .two.example")
    app = make({"TRUSTED_HOSTS": None})

    assert app.config["TRUSTED_HOSTS"] == ["one.example", ".two.example"]


def test_a_test_suite_is_served_under_any_name(make: Make) -> None:
    app = make({"TRUSTED_HOSTS": None, "TESTING": True}, trusted_hosts=["one.example"])

    assert app.test_client().get("/").status_code == 200


@pytest.mark.parametrize("host", ["https://shop.example", "shop.example/x", "*", "*.shop.example"])
def test_a_host_that_would_never_match_is_an_error(make: Make, host: str) -> None:
    with pytest.raises(ConfigurationError, match="is no host"):
        make({"TRUSTED_HOSTS": [host]})


def test_production_without_hosts_is_not_served_and_the_log_has_the_line(make: Make, caplog) -> None:
    answer = make({"TRUSTED_HOSTS": None}).test_client().get("/")

    assert answer.status_code == 503
    assert 'app.config["TRUSTED_HOSTS"] = ["www.example.com"]' in caplog.text


@pytest.mark.parametrize(
    ("proxies", "peer", "sent", "address"),
    [
        (1, "10.0.0.2", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.2", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.2", "198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        (1, "", "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.77", "198.51.100.1", "203.0.113.77"),
        (0, "203.0.113.77", "198.51.100.1", "203.0.113.77"),
        (2, "10.0.0.2", "203.0.113.9", "10.0.0.2"),
    ],
)
def test_an_address_is_believed_from_stated_proxies_alone(
    make: Make, https: Https, proxies: int, peer: str, sent: str, address: str
) -> None:
    client = https(seen(make(proxies=proxies)))
    headers = {"X-Forwarded-For": sent, "X-Forwarded-Proto": "https"}

    known = client.get("/seen", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).json

    assert known["address"] == address


def test_a_proxy_s_scheme_ends_the_redirect_and_brings_hsts(make: Make) -> None:
    client = seen(make(proxies=1)).test_client()

    answer = client.get("/seen", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"})

    assert answer.json["scheme"] == "https"
    assert "Strict-Transport-Security" in answer.headers


def test_two_proxies_that_say_different_things_make_no_circle(make: Make) -> None:
    client = seen(make(proxies=2)).test_client()
    headers = {"X-Forwarded-For": "203.0.113.9, 10.0.0.1", "X-Forwarded-Proto": "https,http"}

    assert client.get("/seen", headers=headers).json["scheme"] == "https"


def test_a_host_that_a_proxy_forwards_is_believed_only_when_asked(make: Make, https: Https) -> None:
    headers = {"X-Forwarded-Host": "shop.example"}

    assert https(seen(make(proxies=1))).get("/seen", headers=headers).json["host"] == "localhost"
    assert (
        https(seen(make(proxies=1, proxy_host=True))).get("/seen", headers=headers).json["host"]
        == "shop.example"
    )


def test_a_peer_that_is_no_proxy_is_told(make: Make, https: Https, caplog) -> None:
    client = https(seen(make(proxies=1, proxy_addresses=["10.0.0.0/8"])))

    client.get(
        "/seen", headers={"X-Forwarded-For": "1.1.1.1"}, environ_overrides={"REMOTE_ADDR": "192.168.0.9"}
    )

    assert "came from 192.168.0.9, which is no proxy" in caplog.text


def test_proxyfix_beside_the_setting_is_an_error(make: Make) -> None:
    app = Flask("one")
    app.wsgi_app = ProxyFix(app.wsgi_app)

    from stopper import Stopper

    with pytest.raises(ConfigurationError, match="remove the line"):
        Stopper(app, proxies=1)


def test_proxyfix_of_the_app_s_own_is_enough(make: Make) -> None:
    from stopper import Stopper

    app = Flask("one")
    app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["localhost"])
    app.wsgi_app = ProxyFix(app.wsgi_app)
    Stopper(seen(app))

    answer = app.test_client().get(
        "/seen", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    )

    assert answer.json["scheme"] == "https"
    assert "Strict-Transport-Security" in answer.headers


def test_a_proxy_that_nobody_stated_is_told(make: Make, https: Https, caplog) -> None:
    https(make()).get("/", headers={"X-Forwarded-For": "203.0.113.9"})

    assert "nobody says how many proxies" in caplog.text


@pytest.mark.parametrize("networks", [["10.0.0.0/99"], ["lan"]])
def test_a_network_with_a_typo_is_an_error(make: Make, networks: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="is no network"):
        make(proxies=1, proxy_addresses=networks)


def cookies_of(response: Response) -> dict[str, set[str]]:
    """Return the flags of each cookie that an answer sets."""
    found = {}
    for value in response.headers.getlist("Set-Cookie"):
        first, *flags = (part.strip() for part in value.split(";"))
        found[first.partition("=")[0]] = {
            flag for flag in flags if not flag.lower().startswith(("path", "expires", "max-age"))
        }
    return found


def test_every_cookie_gets_its_flags(make: Make, https: Https) -> None:
    app = make(script_cookies=["token_of_a_map"])

    @app.get("/cookies")
    def cookies() -> Response:
        response = make_response("x")
        for name in ("remember_token", "theme", "csrf_token", "token_of_a_map"):
            response.set_cookie(name, "a; Secure")
        response.set_cookie("strict", "x", samesite="Strict", secure=True)
        response.set_cookie("other", "x", samesite="None")
        session["user_id"] = 1
        return response

    assert cookies_of(https(app).get("/cookies")) == {
        "remember_token": {"Secure", "HttpOnly", "SameSite=Lax"},
        "theme": {"Secure", "SameSite=Lax"},
        "csrf_token": {"Secure", "SameSite=Lax"},
        "token_of_a_map": {"Secure", "SameSite=Lax"},
        "strict": {"Secure", "SameSite=Strict"},
        "other": {"Secure", "SameSite=None"},
        "__Host-session": {"Secure", "HttpOnly", "SameSite=Lax"},
    }


def test_the_session_works_under_its_new_name(make: Make, https: Https) -> None:
    app = make()

    @app.get("/count")
    def count() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    client = https(app)

    assert [client.get("/count").text for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "config",
    [
        {"SESSION_COOKIE_PATH": "/app"},
        {"SESSION_COOKIE_DOMAIN": "shop.example"},
        {"APPLICATION_ROOT": "/app"},
    ],
)
def test_a_cookie_for_more_or_less_than_the_host_keeps_its_name(
    make: Make, https: Https, config: dict[str, str]
) -> None:
    app = make(config)
    https(app).get("/")

    assert app.config["SESSION_COOKIE_NAME"] == "session"


def test_a_prefix_that_browsers_would_drop_is_an_error(make: Make) -> None:
    with pytest.raises(ConfigurationError, match="browsers drop"):
        make({"SESSION_COOKIE_NAME": "__Host-x", "SESSION_COOKIE_DOMAIN": "shop.example"})


def test_a_strict_cookie_stays_strict(make: Make, https: Https) -> None:
    app = make({"SESSION_COOKIE_SAMESITE": "Strict"})
    https(app).get("/")

    assert app.config["SESSION_COOKIE_SAMESITE"] == "Strict"


def test_redirects_of_a_view_stay_as_they_are(make: Make, https: Https) -> None:
    app = make()
    app.get("/go")(lambda: redirect("/there"))

    assert https(app).get("/go").headers["Location"] == "/there"
