"""In a real browser the scripts and styles that the author wrote run, what a user smuggled in does not, and the browser reports it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"

APP = f"""
import pathlib
from flask import Flask, Response, render_template, request
from flask_admin import Admin
from flask_restx import Api, Resource
from stopper import Stopper

folder = pathlib.Path(__file__).parent
(folder / "templates").mkdir(exist_ok=True)
(folder / "static").mkdir(exist_ok=True)
(folder / "static" / "own.js").write_text("document.body.dataset.file = 'ran';"
    "var s = document.createElement('script'); s.src = '/static/late.js'; document.head.append(s);")
(folder / "static" / "late.js").write_text("document.body.dataset.late = 'ran';")
(folder / "static" / "own.css").write_text("#sheet {{ color: rgb(1, 2, 3) }}")
(folder / "templates" / "page.html").write_text('''<!doctype html><html><head><title>page</title>
<link rel="stylesheet" href="/static/own.css"><style>#inline {{ color: rgb(4, 5, 6) }}</style></head>
<body><p id="sheet">a</p><p id="inline">b</p><p id="attribute" style="color: rgb(7, 8, 9)">c</p>
<script>document.body.dataset.inline = 'ran';</script><script src="/static/own.js"></script>
{{{{ said|safe }}}}</body></html>''')

app = Flask(__name__)
app.config.update(SECRET_KEY="{KEY}", TRUSTED_HOSTS=["127.0.0.1"])
Stopper(app, https="off", csp_store=str(folder / "violations"))
Admin(app)
api = Api(app, doc="/docs", prefix="/api")

@api.route("/things")
class Things(Resource):
    def get(self):
        return ["a"]

@app.get("/page")
def page():
    return render_template("page.html", said=request.args.get("said", ""))
"""


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Return a function that opens a page and waits until it is still."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.messages = []
    page.on("console", lambda message: page.messages.append(message.text))

    def opened(url: str) -> Any:
        page.goto(url, wait_until="load")
        page.wait_for_timeout(300)
        return page

    yield opened
    context.close()


def ran(page: Any) -> dict[str, str]:
    """Return what scripts left on a page."""
    return dict(page.evaluate("Object.assign({}, document.body.dataset)"))


def colour(page: Any, name: str) -> str:
    """Return the colour of an element."""
    return str(page.evaluate(f"getComputedStyle(document.getElementById('{name}')).color"))


def test_an_unedited_page_works_and_what_was_smuggled_in_does_not(
    serve: Callable[..., Any], visit: Callable[[str], Any]
) -> None:
    server = serve(APP)
    smuggled = "<script>document.body.dataset.evil='ran'</script><img src=x onerror=\"document.body.dataset.evil='ran'\">"

    page = visit(f"{server.url}/page?said={smuggled}")

    assert ran(page) == {"inline": "ran", "file": "ran", "late": "ran"}
    assert (colour(page, "sheet"), colour(page, "inline")) == ("rgb(1, 2, 3)", "rgb(4, 5, 6)")
    assert colour(page, "attribute") == "rgb(0, 0, 0)"  # what a nonce cannot reach; status lists it


def test_the_browser_reports_what_was_stopped(serve: Callable[..., Any], visit: Callable[[str], Any]) -> None:
    # report-to is sent in batches of a minute, by a service that this browser is started without
    server = serve(APP.replace('https="off"', 'https="off", csp_policy={"report-uri": "/_stopper/csp"}'))
    store = Path(server.output).parent / "violations"

    page = visit(f"{server.url}/page?said=<script>1</script><img src='http://img.example/a.png'>")
    for _ in range(40):
        if store.exists() and len(store.read_text().splitlines()) >= 3:
            break
        page.wait_for_timeout(250)

    told = {(one["directive"], one["blocked"]) for one in map(json.loads, store.read_text().splitlines())}
    assert {
        ("script-src-elem", "inline"),
        ("style-src-attr", "inline"),
        ("img-src", "http://img.example"),
    } <= told


@pytest.mark.parametrize(("path", "shown"), [("/admin/", "Home"), ("/docs", "Default namespace")])
def test_pages_of_libraries_work_under_the_policy(
    serve: Callable[..., Any], visit: Callable[[str], Any], path: str, shown: str
) -> None:
    server = serve(APP)

    page = visit(f"{server.url}{path}")
    page.wait_for_timeout(700)

    assert shown in page.inner_text("body")
    stopped = [text for text in page.messages if "'script-src" in text]
    assert stopped == []
