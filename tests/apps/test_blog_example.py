"""The example blog runs on a real server and does what a blog does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.loopback import free_port, listening, wait_for

BLOG = Path(__file__).parents[2] / "examples" / "blog"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(24)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a copy of the blog with a fresh database, and give its address."""
    home = tmp_path_factory.mktemp("site")
    copy = home / "blog"
    shutil.copytree(BLOG, copy, ignore=shutil.ignore_patterns("instance", "__pycache__", ".env"))
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "MAIL_"))}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1", "FLASK_SKIP_DOTENV": "1", "ADMIN_PASSWORD": "admin"}
    python = [sys.executable, "-m"]
    subprocess.run(
        [*python, "flask", "--app", "blog", "init-db"], cwd=copy, env=environ, check=True, timeout=60
    )

    port = free_port()
    log = home / "server.log"
    serve = [*python, "waitress", f"--listen=127.0.0.1:{port}", "--call", "blog:create_app"]
    with (
        log.open("wb") as out,
        subprocess.Popen(serve, cwd=copy, env=environ, stdout=out, stderr=out) as server,
    ):
        try:
            if (
                not wait_for(lambda: listening(port) or server.poll() is not None)
                or server.poll() is not None
            ):
                pytest.fail(f"the blog does not answer:\n{log.read_text()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
def visitor(site: str) -> Iterator[httpx.Client]:
    """Open a browser that nobody has logged in with."""
    with httpx.Client(base_url=site, follow_redirects=True, timeout=20, trust_env=False) as client:
        yield client


def log_in(client: httpx.Client, username: str, password: str) -> httpx.Response:
    """Fill the login form."""
    return client.post("/login", data={"username": username, "password": password})


def write_post(client: httpx.Client, title: str) -> str:
    """Publish a post and return its address."""
    answer = client.post("/write", data={"title": title, "body": "First.\n\nSecond.", "tags": "test"})
    assert answer.status_code == 200
    return answer.url.path


@pytest.fixture
def mara(visitor: httpx.Client) -> httpx.Client:
    """Open a browser that mara has logged in with."""
    assert "Welcome back" in log_in(visitor, "mara", "sourdough").text
    return visitor


def test_the_front_page_lists_the_posts(visitor: httpx.Client) -> None:
    page = visitor.get("/").text
    assert "Before your Flask app meets the internet" in page
    assert "Why I went back to SQLite" in page


def test_the_front_page_sorts_by_title(visitor: httpx.Client) -> None:
    page = visitor.get("/", params={"sort": "title", "order": "asc"}).text
    assert page.index("A sourdough timer") < page.index("Templates are functions") < page.index("Why I went")


def test_an_article_without_comments_invites_the_first(visitor: httpx.Client) -> None:
    page = visitor.get("/post/4").text
    assert "Comments (0)" in page
    assert "No comments yet. Be the first!" in page
    assert "Leave a Comment" in page


def test_an_article_shows_its_lists_and_its_code(visitor: httpx.Client) -> None:
    assert "<li>Let Jinja escape. Every <code>safe</code> is" in visitor.get("/post/4").text
    assert "<pre>    hours" in visitor.get("/post/3").text


def test_a_new_visitor_registers_logs_in_and_comments(visitor: httpx.Client) -> None:
    account = {"username": "ines", "email": "ines@example.org", "password": "a long afternoon"}
    assert "Your account is ready" in visitor.post("/register", data=account).text
    assert "Welcome back, <strong>ines</strong>" in log_in(visitor, "ines", "a long afternoon").text

    page = visitor.post("/post/1/comment", data={"website": "", "body": "I counted: two macros."}).text
    assert "Comments (1)" in page
    assert "I counted: two macros." in page


def test_a_wrong_password_opens_nothing(visitor: httpx.Client) -> None:
    assert "That is not the password." in log_in(visitor, "mara", "rye").text
    assert visitor.get("/write").url.path == "/login"


def test_after_login_the_visitor_goes_on_to_where_they_wanted_to_be(visitor: httpx.Client) -> None:
    form = visitor.get("/write").url
    answer = visitor.post(str(form), data={"username": "mara", "password": "sourdough"})
    assert answer.url.path == "/write"


def test_the_remember_me_cookie_outlives_the_session(visitor: httpx.Client) -> None:
    visitor.post("/login", data={"username": "mara", "password": "sourdough", "remember": "on"})
    visitor.cookies.delete("bench")
    assert visitor.get("/account").url.path == "/account"


def test_logging_out_ends_the_session(mara: httpx.Client) -> None:
    mara.get("/logout")
    assert mara.get("/account").url.path == "/login"


def test_a_search_finds_posts_by_their_words(visitor: httpx.Client) -> None:
    page = visitor.get("/search", params={"q": "dough"}).text
    assert "1 found for <em>dough</em>" in page
    assert "A sourdough timer" in page
    assert "Why I went back to SQLite" not in page


def test_an_author_writes_previews_edits_and_deletes_a_post(mara: httpx.Client) -> None:
    assert "<h1>Almost</h1>" in mara.post("/preview", data={"title": "Almost", "body": "there"}).text
    path = write_post(mara, "A draft")
    edited = mara.post(f"{path}/edit", data={"title": "A final", "body": "Better.", "tags": ""}).text
    assert "<h1>A final</h1>" in edited
    assert "The post is gone." in mara.get(f"{path}/delete").text
    assert mara.get(path).status_code == 404


def test_nobody_edits_the_post_of_another(mara: httpx.Client) -> None:
    assert mara.get("/post/2/edit").status_code == 403


def test_an_attachment_comes_back_as_it_was_sent(mara: httpx.Client) -> None:
    path = write_post(mara, "With a file")
    page = mara.post(f"{path}/attach", files={"file": ("notes.txt", b"two loaves", "text/plain")}).text
    assert 'href="/download?name=notes.txt"' in page
    assert mara.get("/download", params={"name": "notes.txt"}).content == b"two loaves"


def test_a_picture_becomes_the_face_on_the_profile(mara: httpx.Client) -> None:
    page = mara.post("/avatar", files={"avatar": ("me.png", PICTURE, "image/png")}).text
    source = page.partition('src="/avatars/')[2].partition('"')[0]
    assert mara.get(f"/avatars/{source}").content == PICTURE
    refused = mara.post("/avatar", files={"avatar": ("me.html", b"<b>", "text/html")}).text
    assert "Please choose a picture." in refused


def test_a_profile_is_saved(mara: httpx.Client) -> None:
    form = {"email": "mara@example.org", "website": "https://mara.example/", "bio": "Rye, mostly."}
    assert "Your profile is saved." in mara.post("/account", data=form).text
    assert "Rye, mostly." in mara.get("/author/mara").text


def test_a_page_of_this_site_is_imported_as_a_draft(mara: httpx.Client, site: str) -> None:
    draft = mara.post("/import", data={"url": f"{site}/post/2"}).text
    assert 'value="Why I went back to SQLite - Bench Notes"' in draft


def test_a_forgotten_password_is_answered_alike_for_everybody(visitor: httpx.Client) -> None:
    for address in ("tobias@bench-notes.example", "nobody@bench-notes.example"):
        assert "a link is on its way" in visitor.post("/forgot", data={"email": address}).text


def test_the_contact_form_takes_a_message(visitor: httpx.Client) -> None:
    message = {"email": "reader@example.org", "message": "Which flour?"}
    assert "your message is on its way" in visitor.post("/contact", data=message).text


def test_the_password_form_refuses_a_post_without_its_token(visitor: httpx.Client) -> None:
    log_in(visitor, "tobias", "lighthouse")
    page = visitor.get("/account/password").text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    form = {"old": "lighthouse", "new": "lighthouse keeper"}
    assert visitor.post("/account/password", data=form).status_code == 400
    assert visitor.post("/account/password", data=form | {"form_token": token}).url.path == "/login"
    assert "Welcome back" in log_in(visitor, "tobias", "lighthouse keeper").text


def test_the_admin_sees_users_deletes_a_comment_and_restores_a_backup(visitor: httpx.Client) -> None:
    log_in(visitor, "admin", "admin")
    page = visitor.get("/admin/").text
    assert "tobias@bench-notes.example" in page
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    backup = visitor.get("/admin/backup").content

    assert "beside it" not in visitor.post("/admin/comments", data={"id": "3", "form_token": token}).text
    restored = visitor.post("/admin/restore", files={"backup": ("backup", backup)}).text
    assert "The backup is restored." in restored
    assert "beside it" in restored


def test_only_admins_see_the_admin_page(visitor: httpx.Client, mara: httpx.Client) -> None:
    assert mara.get("/admin/").status_code == 403
    mara.get("/logout")
    assert visitor.get("/admin/").status_code == 403


def test_the_api_lists_and_shows_posts(visitor: httpx.Client) -> None:
    listed = visitor.get("/api/posts", params={"ids": "2,3"}).json()
    assert [post["id"] for post in listed] == [3, 2]
    assert visitor.get("/api/posts/2").json()["title"] == "Why I went back to SQLite"


def test_the_api_changes_a_post_for_those_who_have_the_key(mara: httpx.Client) -> None:
    address = "/api" + write_post(mara, "From the phone").replace("post", "posts")
    change = {"title": "From the phone, again", "body": "They are."}
    assert mara.put(address, json=change).status_code == 401
    key = {"X-Api-Key": "bench-notes-phone-app"}
    assert mara.put(address, json=change, headers=key).json()["title"] == change["title"]


def test_the_theme_is_kept_in_a_cookie_and_leads_back_to_the_page(visitor: httpx.Client) -> None:
    answer = visitor.get("/theme/dark", params={"back": "/post/2"}, follow_redirects=False)
    assert answer.headers["location"] == "/post/2"
    assert answer.headers["set-cookie"].startswith("theme=dark;")
    abroad = visitor.get("/theme/dark", params={"back": "//elsewhere.example"}, follow_redirects=False)
    assert abroad.headers["location"] == "/"


def test_a_page_that_is_missing_says_so(visitor: httpx.Client) -> None:
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing at <code>/nowhere</code>" in answer.text
