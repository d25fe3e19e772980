"""Where the guard and a library meet on one app, both work, or the start-up error says what to take away."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, redirect, render_template_string, request, session
from flask_admin import Admin
from flask_limiter import Limiter
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user
from flask_restx import Api, Resource
from flask_seasurf import SeaSurf
from flask_socketio import SocketIO
from flask_talisman import Talisman
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import Client
from wtforms import StringField

from stopper import Stopper
from stopper.guard.coexist import find
from stopper.guard.csp import ENFORCED

Make = Callable[..., Flask]
Https = Callable[[Flask], Client]
KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
BROWSER = {"Sec-Fetch-Site": "same-origin", "Referer": "https://localhost/", "Origin": "https://localhost"}


def guarded(before: Callable[[Flask], object], *, first: bool, **settings: object) -> Flask:
    """Return an app in production with a library that was put on before or after the guard."""
    app = Flask("both")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
    if first:
        before(app)
    Stopper(app, **settings)
    if not first:
        before(app)
    app.add_url_rule("/", "index", lambda: render_template_string("<script>1</script>{{ csrf_token() }}"))
    app.add_url_rule("/send", "send", lambda: "sent", methods=["POST"])
    return app


def policies(response: Response) -> list[str]:
    """Return the policies of an answer."""
    return response.headers.getlist(ENFORCED)


@pytest.mark.parametrize("first", [True, False])
def test_talisman_s_headers_are_sent_once_and_its_redirect_is_ours(https: Https, first: bool) -> None:
    client = https(guarded(Talisman, first=first))

    answer = client.get("/")

    assert policies(answer) == ["default-src 'self'; object-src 'none'"]
    for name in ("X-Frame-Options", "X-Content-Type-Options", "Strict-Transport-Security", "Referrer-Policy"):
        assert len(answer.headers.getlist(name)) == 1, name
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert client.get("/", base_url="http://localhost").status_code == 308
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("first", [True, False])
def test_a_policy_that_talisman_would_hide_is_an_error_with_the_line_to_write(
    https: Https, caplog: pytest.LogCaptureFixture, first: bool
) -> None:
    app = guarded(Talisman, first=first, csp_policy={"img-src": "*"})

    assert https(app).get("/").status_code == 503
    assert "Talisman(app, content_security_policy=None)" in caplog.text


def test_talisman_without_a_policy_leaves_it_to_the_guard(https: Https) -> None:
    answer = https(guarded(lambda app: Talisman(app, content_security_policy=None), first=True)).get("/")

    assert len(policies(answer)) == 1
    assert re.search(r"'nonce-([^']+)'", policies(answer)[0]).group(1) in answer.text


@pytest.mark.parametrize("first", [True, False])
def test_a_form_of_flask_wtf_is_taken_once_and_a_forged_one_by_nobody(https: Https, first: bool) -> None:
    app = guarded(CSRFProtect, first=first)

    class Form(FlaskForm):
        title = StringField()

    app.add_url_rule("/form", "form", lambda: str(Form().validate_on_submit()), methods=["POST"])
    client = https(app)
    token = client.get("/").text.partition("</script>")[2]

    assert client.post("/form", data={"title": "a", "csrf_token": token}, headers=BROWSER).text == "True"
    assert (
        client.post(
            "/form", data={"title": "a", "csrf_token": token}, headers={"Referer": "https://localhost/"}
        ).text
        == "True"
    )
    assert (
        client.post("/form", data={"title": "a"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )


@pytest.mark.parametrize("first", [True, False])
def test_a_form_of_seasurf_is_taken(https: Https, first: bool) -> None:
    client = https(guarded(SeaSurf, first=first))
    token = client.get("/").text.partition("</script>")[2]

    sent = {"_csrf_token": token}
    assert client.post("/send", data=sent, headers=BROWSER).text == "sent"
    assert client.post("/send", data=sent, headers={"Referer": "https://localhost/"}).text == "sent"
    assert client.post("/send", data={}, headers=BROWSER).status_code == 403


@pytest.mark.parametrize("first", [True, False])
def test_limits_of_limiter_hold_as_they_are_written(https: Https, first: bool) -> None:
    def limiter(app: Flask) -> None:
        Limiter(
            lambda: request.remote_addr or "",
            app=app,
            default_limits=["3 per minute"],
            storage_uri="memory://",
        )

    client = https(guarded(limiter, first=first))

    assert [client.get("/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]


@pytest.mark.parametrize("first", [True, False])
def test_users_of_flask_login_come_in_stay_and_leave(https: Https, first: bool) -> None:
    class User(UserMixin):
        id = "7"

    def login(app: Flask) -> None:
        LoginManager(app).user_loader(lambda _: User())

    app = guarded(login, first=first)
    app.get("/in", endpoint="enter")(lambda: login_user(User(), remember=True) and redirect("/"))
    app.get("/me", endpoint="me")(login_required(lambda: str(current_user.id)))
    app.get("/logout", endpoint="logout")(lambda: logout_user() and redirect("/"))
    client = https(app)

    assert client.get("/me").status_code == 401
    client.get("/in")
    assert client.get("/me").text == "7"
    client.get("/logout")
    assert client.get("/me").status_code == 401


def scripts_without_nonce(text: str) -> list[str]:
    """Return the script and style tags of a page that a policy would stop."""
    return [tag for tag in re.findall(r"<(?:script|style)\b[^>]*>", text) if "nonce=" not in tag]


def test_pages_of_flask_admin_and_swagger_carry_the_nonce(https: Https) -> None:
    def pages(app: Flask) -> None:
        Admin(app)
        api = Api(app, doc="/docs", prefix="/api")

        @api.route("/things")
        class Things(Resource):
            def get(self) -> list[str]:
                return ["a"]

    app = guarded(pages, first=True)
    client = https(app)

    for path in ("/admin/", "/docs"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<script" in answer.text
        assert scripts_without_nonce(answer.text) == []
        assert "'strict-dynamic'" in answer.headers[ENFORCED]
    assert client.get("/api/things").json == ["a"]
    assert client.get("/api/nothing").status_code == 404


@pytest.mark.parametrize("first", [True, False])
def test_socket_io_is_reached(https: Https, first: bool) -> None:
    app = guarded(lambda app: SocketIO(app, async_mode="threading"), first=first)
    client = https(app)

    opened = client.get("/socket.io/?EIO=4&transport=polling")

    assert opened.status_code == 200
    assert opened.text.startswith("0{")
    assert client.get("/").headers["X-Content-Type-Options"] == "nosniff"


def test_every_library_is_found_and_nothing_where_there_is_none() -> None:
    app = Flask("all")
    app.secret_key = KEY
    for library in (Talisman, CSRFProtect, SeaSurf, LoginManager, Admin, SocketIO):
        library(app)
    Limiter(lambda: "", app=app, storage_uri="memory://")

    assert set(find(app)) == {
        *(
            "Flask-Talisman",
            "Flask-WTF",
            "Flask-SeaSurf",
            "Flask-Login",
            "Flask-Admin",
            "Flask-SocketIO",
            "Flask-Limiter",
        ),
    }
    assert find(Flask("none")) == {}


def test_a_session_of_the_app_s_own_kind_is_left_alone(make: Make, https: Https) -> None:
    from flask.sessions import SecureCookieSessionInterface

    class Own(SecureCookieSessionInterface):
        salt = "own"

    app = make()
    app.session_interface = Own()
    app.get("/in")(lambda: session.update(user_id=1) or "x")
    https(app).get("/in")

    assert isinstance(app.session_interface, Own)
