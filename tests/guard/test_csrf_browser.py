"""In a real browser: forms and scripts of the site itself pass, and those of another site are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.loopback import wait_for

SHOP = """
from flask import Flask, redirect, request, session
from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["localhost", "127.0.0.1"])
app.config["SESSION_COOKIE_SECURE"] = False
Stopper(app, https="off", csp="off", headers="off", cookies="off")
sent = []

@app.get("/")
def index():
    session["user_id"] = "ann"
    return '<form method="post" action="/send"><input name="word" value="own"><button>send</button></form>'

@app.post("/send")
def send():
    sent.append(request.form.get("word") or request.get_data(as_text=True))
    return "sent"

@app.get("/sent")
def seen():
    return repr(sent)
"""

OTHER = """
from flask import Flask, request

app = Flask(__name__)

def form(word):
    return f'<form method="post" action="{request.args["target"]}/send"><input name="word" value="{word}"><button>win</button></form>'

@app.get("/")
def index():
    return form("forged")

@app.get("/inner")
def inner():
    return form("sandboxed") + "<script>document.forms[0].submit()</script>"

@app.get("/frame")
def frame():
    return f'<iframe sandbox="allow-forms allow-scripts" src="/inner?target={request.args["target"]}"></iframe>'
"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@dataclass
class Sites:
    """The shop, as `localhost`, and another site, as `127.0.0.1`: to a browser, two sites."""

    shop: str
    other: str
    log: Callable[[], str]

    def refused(self, origin: str) -> bool:
        """Tell whether the shop refuses something from an origin before long."""
        return wait_for(
            lambda: any(
                "action=refused" in line and f"origin={origin}" in line for line in self.log().splitlines()
            )
        )


@pytest.fixture
def sites(serve: Callable[..., Any]) -> Sites:
    shop, other = serve(SHOP, kind="waitress"), serve(OTHER, kind="waitress")
    return Sites(f"http://localhost:{shop.port}", f"http://127.0.0.1:{other.port}", lambda: shop.log)


def sent(page: Any, shop: str) -> str:
    return str(page.request.get(f"{shop}/sent").text())


def test_a_form_of_the_site_itself_passes_without_a_token(page: Any, sites: Sites) -> None:
    shop = sites.shop
    page.goto(shop)

    page.click("button")
    page.wait_for_url("**/send")

    assert page.content().count("sent") == 1
    assert sent(page, shop) == "['own']"


def test_a_script_of_the_site_itself_passes_without_a_token(page: Any, sites: Sites) -> None:
    shop = sites.shop
    page.goto(shop)

    status = page.evaluate(
        "fetch('/send', {method: 'POST', body: 'word=fetched'}).then(answer => answer.status)"
    )

    assert status == 200


def test_a_form_of_another_site_is_refused(page: Any, sites: Sites) -> None:
    shop, other = sites.shop, sites.other
    page.goto(shop)
    page.goto(f"{other}/?target={shop}")

    with page.expect_response("**/send") as answer:
        page.click("button")

    assert answer.value.status == 403
    assert "another site" in page.content()
    assert sent(page, shop) == "[]"


def test_a_sandboxed_frame_of_another_site_is_refused(page: Any, sites: Sites) -> None:
    page.goto(sites.shop)

    page.goto(f"{sites.other}/frame?target={sites.shop}")

    assert sites.refused("null")
    assert sent(page, sites.shop) == "[]"


@pytest.mark.parametrize("mode", ["no-cors", "cors"])
def test_a_script_of_another_site_is_refused(page: Any, sites: Sites, mode: str) -> None:
    page.goto(sites.shop)
    page.goto(f"{sites.other}/?target={sites.shop}")
    script = "([url, mode]) => fetch(url, {method: 'POST', mode, credentials: 'include', body: 'word=forged'}).then(() => 0, () => 1)"

    page.evaluate(script, [f"{sites.shop}/send", mode])

    assert sites.refused(sites.other)
    assert sent(page, sites.shop) == "[]"


def test_another_port_of_the_same_host_is_another_app(page: Any, sites: Sites) -> None:
    shop, other = sites.shop, sites.other
    neighbour = other.replace("127.0.0.1", "localhost")
    page.goto(shop)
    page.goto(f"{neighbour}/?target={shop}")

    with page.expect_response("**/send") as answer:
        page.click("button")

    assert answer.value.status == 403
    assert sent(page, shop) == "[]"
