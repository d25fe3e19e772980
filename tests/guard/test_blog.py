"""The guarded blog works in a real browser over TLS with its strict policy on: pages, forms, comments, uploads, admin."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.wire.blogs import PASSWORD, served


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a copy of the blog over TLS as in production, and return its address."""
    pytest.importorskip("PIL.Image")
    more = {"API_KEY": "phone"}
    with served("guarded-blog", tmp_path_factory.mktemp("guarded"), more) as blog:
        yield blog.url.rstrip("/")


@dataclass
class Visitor:
    """Somebody with a browser."""

    page: Any
    url: str
    messages: list[str] = field(default_factory=list)
    """What the browser's console said."""

    def go(self, path: str) -> None:
        """Open a page of the blog."""
        self.page.goto(f"{self.url}{path}", wait_until="load")

    def sign_in(self, name: str, password: str) -> None:
        """Log in."""
        self.go("/login")
        self.page.fill("main input[name=username]", name)
        self.page.fill("main input[name=password]", password)
        self.page.click("main button")
        self.page.wait_for_load_state("load")

    def press(self, selector: str) -> None:
        """Press a button and wait for the page it leads to."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.click(selector)

    @property
    def text(self) -> str:
        """Return what the page shows."""
        return str(self.page.inner_text("body"))


@pytest.fixture
def visitor(browser: Any, url: str) -> Iterator[Visitor]:
    """Return somebody whose browser complained of nothing when the test is over."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    one = Visitor(page, url)
    page.on("console", lambda message: one.messages.append(message.text))
    yield one
    context.close()
    assert [said for said in one.messages if "Security Policy" in said or "Refused" in said] == []


def picture() -> bytes:
    """Return a picture with a script behind it."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(made, "PNG")
    return made.getvalue() + b"<script>alert(1)</script>"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?sort=title&order=asc",
        "/post/1",
        "/search?q=flask",
        "/author/mara",
        "/login",
        "/register",
        "/contact",
        "/nowhere",
    ],
)
def test_every_page_is_shown_with_its_style(visitor: Visitor, path: str) -> None:
    visitor.go(path)

    assert "Bench Notes" in visitor.text
    assert visitor.page.evaluate("getComputedStyle(document.body).maxWidth") != "none"


def test_a_script_of_the_author_runs(visitor: Visitor) -> None:
    visitor.go("/search?q=bread")

    assert visitor.page.input_value("header input[name=q]") == "bread"


def test_a_stranger_registers_comments_and_is_cleaned(visitor: Visitor) -> None:
    visitor.go("/register")
    for name, value in (
        ("username", "ines"),
        ("email", "ines@example.org"),
        ("password", "a long enough password"),
    ):
        visitor.page.fill(f"main input[name={name}]", value)
    visitor.press("main button")
    assert "Your account is ready" in visitor.text

    visitor.go("/post/1")
    visitor.page.fill("main input[name=name]", "Ines")
    visitor.page.fill("main input[name=website]", "javascript:document.title='owned'")
    visitor.page.fill(
        "textarea[name=body]",
        "<b>bold</b><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    )
    visitor.press("#comments form button")

    assert visitor.page.inner_text("#comments li b") == "bold"
    assert visitor.page.get_attribute("#comments li a", "href") == "about:invalid#stopped"
    assert visitor.page.locator("#comments li script, #comments li [onerror]").count() == 0
    assert "owned" not in visitor.page.title()


def test_an_author_writes_previews_attaches_edits_and_deletes(visitor: Visitor) -> None:
    visitor.sign_in("mara", "sourdough")
    assert "Welcome back, mara" in visitor.text
    visitor.go("/write")
    visitor.page.fill("input[name=title]", "A `{{ 7 * 7 }}` title </script>")
    visitor.page.fill("textarea[name=body]", "Body of the post")
    with visitor.page.expect_popup() as opened:
        visitor.page.click("text=Preview")
    opened.value.wait_for_load_state("load")
    assert "{{ 7 * 7 }}" in opened.value.inner_text("article h1")
    opened.value.close()
    visitor.press("text=Publish")
    assert "Body of the post" in visitor.text

    files = {"name": "../../a b.php.png", "mimeType": "image/png", "buffer": picture()}
    visitor.page.set_input_files("input[name=file]", files)
    visitor.press("text=Attach")
    assert visitor.page.inner_text("a.file") == "a_b_php.png"
    with visitor.page.expect_response("**/download/*") as answered:
        visitor.page.evaluate("fetch(document.querySelector('a.file').href)")
    assert b"alert" not in answered.value.body()

    visitor.page.set_input_files(
        "input[name=file]", {"name": "a.png", "mimeType": "image/png", "buffer": b"<?php x ?>"}
    )
    visitor.press("text=Attach")
    assert "The content is not what the file's name says." in visitor.text

    visitor.press("text=Edit")
    visitor.page.fill("textarea[name=body]", "Another body")
    visitor.press("text=Publish")
    assert "Another body" in visitor.text
    visitor.page.on("dialog", lambda dialog: dialog.accept())
    visitor.press("#delete button")
    assert "The post is gone." in visitor.text


def test_a_user_changes_the_profile_and_the_picture_and_logs_out(visitor: Visitor) -> None:
    visitor.sign_in("tobias", "lighthouse")
    visitor.go("/account")
    visitor.page.fill("textarea[name=bio]", "It's <me>; -- really")
    visitor.press("text=Save")
    assert visitor.page.input_value("textarea[name=bio]") == "It's <me>; -- really"

    visitor.page.set_input_files(
        "input[name=avatar]", {"name": "me.png", "mimeType": "image/png", "buffer": picture()}
    )
    visitor.press("text=Upload")
    assert visitor.page.evaluate("document.querySelector('h1 img.face').naturalWidth") == 40
    visitor.press("text=Log out")
    assert "Register" in visitor.text


def test_the_admin_promotes_deletes_and_backs_up(visitor: Visitor) -> None:
    visitor.sign_in("admin", PASSWORD)
    visitor.go("/admin/?sort=mail")
    assert "mara@bench-notes.example" in visitor.text
    comments = visitor.page.locator("input[name=id]").count()
    visitor.page.check("input[name=id] >> nth=0")
    visitor.press("main button:text('Delete')")
    assert visitor.page.locator("input[name=id]").count() == comments - 1

    with visitor.page.expect_download() as started:
        visitor.page.click("text=Download everything")
    backup = Path(started.value.path()).read_bytes()
    visitor.page.set_input_files(
        "input[name=backup]", {"name": "b.json", "mimeType": "application/json", "buffer": backup}
    )
    visitor.press("text=Restore")
    assert "The backup is restored." in visitor.text


def test_the_theme_changes_and_comes_back(visitor: Visitor) -> None:
    visitor.go("/post/2")
    visitor.press("text=Dark")

    assert visitor.page.url.endswith("/post/2")
    assert visitor.page.get_attribute("html", "data-theme") == "dark"


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Return a client that trusts the certificate."""
    with httpx.Client(base_url=url, verify=False, trust_env=False, timeout=20) as one:
        yield one


def test_what_was_open_in_the_soft_blog_is_closed(client: httpx.Client) -> None:
    assert client.get("/search", params={"q": "x' UNION SELECT 1 --"}).status_code == 200
    assert client.get("/", params={"sort": "(SELECT 1)"}).status_code == 200
    assert client.get("/login", params={"next": "//evil.example"}).status_code == 200
    assert client.get("/download", params={"name": "../../wsgi.py"}).status_code == 404
    assert client.get("/post/1/delete").status_code == 405
    assert client.get("/admin/promote/2").status_code == 405
    assert client.post("/admin/backup", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403
    assert (
        client.post("/login", data={"username": "mara"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 403
    )
    assert client.get("/theme/dark", params={"back": "//evil.example"}).headers["location"] == "/"
    assert "password" not in client.get("/api/users/mara").json()
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    origin = client.get("/api/posts", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in origin.headers
