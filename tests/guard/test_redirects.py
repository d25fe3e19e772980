"""A redirect leads to the own site, or to where the app says, whatever a request asks for."""

from __future__ import annotations

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from stopper import Stopper
from stopper.guard import events
from stopper.guard.redirects import is_safe, safe_redirect

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


def build(**config: object) -> Flask:
    app = Flask("redirects")
    app.config.update(
        {"SECRET_KEY": KEY, "TESTING": True, "TRUSTED_HOSTS": ["shop.example", "localhost"], **config}
    )
    Stopper(app)

    @app.get("/go")
    def go() -> object:
        return safe_redirect(request.args.get("next"), "/home", hosts=["docs.example"])

    return app


@pytest.mark.parametrize(
    "target",
    [
        "/a",
        "/a?b=c#d",
        "a/b",
        "?page=2",
        "#top",
        "/a//b",
        "/a?to=http://evil.example",
        "/a:b",
        "/é",
        "https://shop.example/a",
        "HTTPS://SHOP.EXAMPLE",
        "http://shop.example:80/",
        "https://docs.example/x",
        "https://shop.example:443",
    ],
)
def test_an_address_of_the_own_site_is_gone_to(target: str) -> None:
    answer = build().test_client().get("/go", query_string={"next": target}, headers={"Host": "shop.example"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(("/", "a", "?", "#", "http"))
    assert answer.headers["Location"] != "/home"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "http:evil.example",
        "http:/evil.example",
        "https:///evil.example",
        "http://",
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "https://evil.example",
        "//shop.example@evil.example",
        "https://shop.example@evil.example",
        "https://shop.example.evil.example",
        "https://evil.example#shop.example",
        "https://shop.example\\.evil.example",
        "https://evil.example\u3002com",
        "https://shop\uff0eexample/",
        "\u202e/x",
        "\x00/x",
        "/\x00/x",
        "ftp://shop.example",
        "https://shop.example:8443/",
        "https://[::1",
        "https://shop.example:x",
        "https://shop.example:99999",
        "//",
        "",
        None,
        "x" * 5000,
        "/x\r\nSet-Cookie: a=b",
        "\u200b//evil.example",
        7,
    ],
)
def test_any_other_is_not(target: object) -> None:
    app = build()
    with app.test_request_context("/", headers={"Host": "shop.example"}):
        assert not is_safe(target, ["docs.example"])
        assert safe_redirect(target, "/home").location == "/home"


def test_without_trusted_hosts_no_host_is_ones_own() -> None:
    answer = (
        build(TRUSTED_HOSTS=None)
        .test_client()
        .get("/go", query_string={"next": "https://evil.example/"}, headers={"Host": "evil.example"})
    )

    assert answer.headers["Location"] == "/home"


def test_behind_a_proxy_the_host_is_the_one_the_proxy_says_and_flask_trusts() -> None:
    app = build()
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_proto=1)  # type: ignore[method-assign]
    client = app.test_client()
    headers = {"Host": "localhost", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}

    assert (
        client.get("/go?next=https://shop.example/a", headers=headers).headers["Location"]
        == "https://shop.example/a"
    )
    assert client.get("/go?next=https://evil.example/a", headers=headers).headers["Location"] == "/home"
    forged = {**headers, "X-Forwarded-Host": "evil.example"}
    assert client.get("/go?next=https://evil.example/a", headers=forged).status_code in {302, 400}
    assert "evil" not in client.get("/go?next=https://evil.example/a", headers=forged).headers.get(
        "Location", ""
    )


def test_what_was_asked_for_is_told() -> None:
    told: list[events.Event] = []
    app = build()
    events.refused.connect(lambda _, event: told.append(event), app, weak=False)

    app.test_client().get("/go?next=//evil.example")
    app.test_client().get("/go")

    assert [event.guard for event in told] == ["redirects"]


@given(st.text(max_size=50) | st.text("/\\:@#?.\t\n a[]%", max_size=20))
def test_no_address_makes_it_raise_and_what_is_safe_stays_on_the_site(target: str) -> None:
    if is_safe(target):
        assert not target.startswith(("//", "\\"))
        assert target.lstrip() == target
