"""Who guesses passwords is locked out, and learns nothing of which accounts there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, flash, jsonify, make_response, redirect, request, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.guards import NAMES

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
PEOPLE = {"ann": "right", "bob": "also right"}
Build = Callable[..., tuple[Flask, Stopper]]


def page() -> Any:
    """Sign in as most apps do: the form again, or a redirect with a session."""
    name, word = request.form.get("username", ""), request.form.get("password", "")
    if PEOPLE.get(name.strip().lower()) != word:
        return "<form>bad</form>"
    session["user_id"] = name
    return redirect("/")


@pytest.fixture
def build() -> Build:
    def made(view: Callable[[], Any] = page, rule: str = "/login", **more: object) -> tuple[Flask, Stopper]:
        app = Flask("doors")
        app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
        quiet = {
            name: "off"
            for name in ("https", "hosts", "limits", "csrf", "sessions", "cookies")
            if name in NAMES
        }
        stopper = Stopper(app, **{**quiet, **more})
        app.add_url_rule(rule, "enter", view, methods=["GET", "POST"])
        app.add_url_rule("/", "index", lambda: "index")
        return app, stopper

    return made


def attempt(
    app: Flask | Client,
    name: str = "ann",
    word: str = "guess",
    address: str = "192.0.2.1",
    path: str = "/login",
    **more: Any,
) -> TestResponse:
    client = app if isinstance(app, Client) else app.test_client()
    sent = more or {"data": {"username": name, "password": word}}
    return client.post(path, environ_base={"REMOTE_ADDR": address}, **sent)


def guesses(app: Flask, count: int, **more: Any) -> list[int]:
    return [attempt(app, **more).status_code for _ in range(count)]


def test_after_five_guesses_an_address_is_locked_out_of_an_account(build: Build) -> None:
    app, _ = build()

    assert guesses(app, 7) == [200] * 5 + [429] * 2
    assert attempt(app, word="right").status_code == 429, "with the right password as well"
    assert attempt(app, "bob", "also right").status_code == 302, "another account"
    assert attempt(app, word="right", address="192.0.2.2").status_code == 302, "another address"


def test_who_signs_in_starts_anew(build: Build) -> None:
    app, _ = build()

    for _ in range(4):
        assert guesses(app, 4) == [200] * 4
        assert attempt(app, word="right").status_code == 302


def test_an_account_under_another_spelling_is_the_same_account(build: Build) -> None:
    app, _ = build()

    assert [
        attempt(app, name).status_code
        for name in ("ann", "Ann", " ANN ", "\uff41\uff4e\uff4e", "ann\t", "aNn")
    ] == [200] * 5 + [429]


def test_an_account_that_does_not_exist_is_answered_as_one_that_does(build: Build) -> None:
    def seen(name: str) -> list[tuple[int, list[tuple[str, str]], str]]:
        app, _ = build()
        answers = [attempt(app, name) for _ in range(7)]
        varying = {"content-security-policy", "retry-after"}
        return [
            (one.status_code, [(k, v) for k, v in one.headers if k.lower() not in varying], one.text)
            for one in answers
        ]

    assert seen("ann") == seen("nobody")


def test_the_answer_does_not_say_who_is_locked_out(build: Build) -> None:
    app, _ = build()
    guesses(app, 5)

    refused = attempt(app)

    assert refused.status_code == 429
    assert "ann" not in refused.text.lower()
    assert 1 <= int(refused.headers["Retry-After"]) <= 900


def test_an_address_that_tries_many_accounts_is_locked_out(build: Build) -> None:
    app, _ = build(lockout_address="10 per hour")

    codes = [attempt(app, f"user{number}").status_code for number in range(12)]

    assert codes == [200] * 10 + [429] * 2
    assert attempt(app, "ann", "right").status_code == 429


def test_who_owns_an_account_cannot_wipe_out_guesses_at_others(build: Build) -> None:
    app, _ = build(lockout_address="10 per hour")

    codes = []
    for number in range(12):
        codes.append(attempt(app, f"user{number}").status_code)
        attempt(app, "bob", "also right")

    assert codes == [200] * 10 + [429] * 2


def test_an_account_that_many_addresses_try_is_locked_but_not_for_its_owner(build: Build) -> None:
    app, _ = build(lockout_account="10 per hour")
    home = "198.51.100.7"
    assert attempt(app, word="right", address=home).status_code == 302

    codes = [attempt(app, address=f"203.0.113.{number}").status_code for number in range(12)]

    assert codes == [200] * 10 + [429] * 2
    assert attempt(app, word="right", address="203.0.113.99").status_code == 429
    assert attempt(app, word="right", address=home).status_code == 302, "an address it has signed in from"


def test_guesses_sent_at_the_same_moment_are_counted(build: Build) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    inside = Barrier(5)

    def slow() -> str:
        inside.wait(20)
        return "bad"

    app, _ = build(slow)
    with ThreadPoolExecutor(12) as pool:
        codes = sorted(
            one.result(30) for one in [pool.submit(lambda: attempt(app).status_code) for _ in range(12)]
        )

    assert codes == [200] * 5 + [429] * 7


def api() -> Any:
    fields = request.get_json()
    if PEOPLE.get(fields.get("email")) != fields.get("password"):
        return jsonify(error="bad"), 401
    return jsonify(token="t")


def back() -> Any:
    if PEOPLE.get(request.form["username"]) != request.form["password"]:
        flash("bad")
        return redirect("/login")
    session["who"] = 1
    return redirect("/")


def cookie() -> Any:
    if PEOPLE.get(request.form["username"]) != request.form["password"]:
        session["attempts"] = session.get("attempts", 0) + 1
        return "bad"
    answer = make_response(redirect("/"))
    answer.set_cookie("token", "t")
    return answer


@pytest.mark.parametrize("view", [api, back, cookie])
def test_success_and_failure_are_seen_in_the_answers_that_apps_give(
    build: Build, view: Callable[[], Any]
) -> None:
    app, _ = build(view)

    def sent(word: str) -> dict[str, Any]:
        return (
            {"json": {"email": "ann", "password": word}}
            if view is api
            else {"data": {"username": "ann", "password": word}}
        )

    for _ in range(3):
        assert {attempt(app, **sent("no")).status_code for _ in range(4)} <= {200, 302, 401}
        assert attempt(app, **sent("right")).status_code in {200, 302}
    assert [attempt(app, **sent("no")).status_code for _ in range(6)][-1] == 429


def by_email() -> Any:
    if PEOPLE.get(request.values.get("email", "")) != request.form.get("password"):
        return "bad"
    session["user_id"] = 1
    return redirect("/")


@pytest.mark.parametrize("where", ["form", "query", "prefixed"])
def test_a_decoy_in_another_field_does_not_hide_the_account(build: Build, where: str) -> None:
    app, _ = build(by_email)

    def sent(number: int) -> int:
        form = {"username": f"decoy{number}", "form-password": "guess", "password": "guess"}
        path = "/login"
        if where == "query":
            path = "/login?email=ann"
        else:
            form["email" if where == "form" else "login-email"] = "ann"
        return attempt(app, path=path, data=form).status_code

    assert [sent(number) for number in range(7)] == [200] * 5 + [429] * 2


def test_signing_in_with_a_strangers_name_in_another_field_wipes_out_nothing(build: Build) -> None:
    app, _ = build(by_email)

    def own(number: int) -> int:
        return attempt(app, data={"email": "bob", "password": "also right", "username": "ann"}).status_code

    def guess(number: int) -> int:
        return attempt(app, data={"username": "ann", "password": "guess"}).status_code

    codes = [code for number in range(4) for code in (guess(number), own(number))]

    assert codes[:5] == [200, 302, 200, 302, 200]
    assert codes[5:] == [429] * 3


@pytest.mark.parametrize("padding", [0, 70_000])
@pytest.mark.parametrize("kind", ["form", "json", "multipart"])
def test_padding_does_not_hide_the_account(build: Build, kind: str, padding: int) -> None:
    def view() -> Any:
        return "bad", 401

    app, _ = build(view)
    fields = {"pad": "x" * padding, "username": "ann", "password": "guess"}
    sent: dict[str, Any] = {"json": fields} if kind == "json" else {"data": fields}
    sent |= {"content_type": "multipart/form-data"} if kind == "multipart" else {}

    assert [attempt(app, **sent).status_code for _ in range(6)] == [401] * 5 + [429]


def test_an_account_behind_a_thousand_fields_is_refused(build: Build) -> None:
    app, _ = build()
    fields = {f"field{number}": "x" for number in range(1001)}

    assert attempt(app, data={**fields, "username": "ann", "password": "right"}).status_code == 413


def test_a_cookie_on_the_page_of_a_failure_is_no_success(build: Build) -> None:
    def tracked() -> Any:
        answer = make_response("<form>bad</form>")
        answer.set_cookie("visitor", "1")
        session["seen"] = session.get("seen", 0) + 1
        return answer

    app, _ = build(tracked)

    assert guesses(app, 6) == [200] * 5 + [429]


def test_a_failure_of_the_server_is_nobodys(build: Build) -> None:
    def broken() -> Any:
        return "broken", 500

    app, _ = build(broken, lockout_address="2 per hour")

    assert [attempt(app, f"user{number}").status_code for number in range(4)] == [500] * 4


def test_a_view_is_locked_by_decorator_with_its_own_words(build: Build) -> None:
    app, stopper = build()

    @app.post("/vault")
    @stopper.lockout("holder", failures="2 per hour", failed=lambda status: status == 202)
    def vault() -> Any:
        return "no", 202

    codes = [
        attempt(app, path="/vault", data={"holder": "ann", "x": str(number)}).status_code
        for number in range(4)
    ]

    assert codes == [202, 202, 429, 429]


def test_a_route_can_be_left_alone(build: Build) -> None:
    app, _ = build(routes={"/login": {"exempt": ["lockout"]}})

    assert guesses(app, 9) == [200] * 9


def test_who_is_signed_in_changes_a_profile_as_often_as_they_like(build: Build) -> None:
    app, _ = build(limits="enforce", limits_login=None)

    @app.post("/profile")
    def profile() -> str:
        return f"<p>changed {bool(request.form['password'])}</p>"

    client = app.test_client()
    assert attempt(client, word="right").status_code == 302
    assert [attempt(client, path="/profile").status_code for _ in range(9)] == [200] * 9
    assert guesses(app, 8, path="/profile") == [200] * 5 + [429] * 3, "who is not may be guessing"


def test_mistakes_in_registering_are_no_guesses(build: Build) -> None:
    app, _ = build(limits="enforce", limits_login=None)
    app.add_url_rule(
        "/register", "register", lambda: f"<p>{request.form['password']}: too short</p>", methods=["POST"]
    )

    assert guesses(app, 9, path="/register") == [200] * 9


def test_a_view_still_reads_the_whole_body(build: Build) -> None:
    def raw() -> str:
        return request.get_data(as_text=True)

    app, _ = build(raw)

    assert (
        attempt(app, data="username=ann&password=x", content_type="application/x-www-form-urlencoded").text
        == "username=ann&password=x"
    )
    assert (
        attempt(app, data='{"username": "ann"}', content_type="application/json").text
        == '{"username": "ann"}'
    )


def test_events_tell_of_the_lock_and_not_of_names_or_passwords(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = build()
    seen: list[Any] = []

    def note(_: Any, event: Any) -> None:
        seen.append(event)

    with events.locked.connected_to(note, sender=app):
        guesses(app, 6, name="ann-typed-hunter2")

    assert len(seen) == 1
    assert seen[0].facts["client"] == "192.0.2.1"
    assert "hunter2" not in caplog.text
    assert "guess" not in caplog.text


def test_in_report_mode_nobody_is_locked_out(build: Build) -> None:
    app, _ = build(lockout="report")

    assert guesses(app, 8) == [200] * 8
    assert attempt(app, word="right").status_code == 302


def test_under_test_nobody_is_locked_out(build: Build) -> None:
    app, _ = build()
    app.config["TESTING"] = True

    assert guesses(app, 8) == [200] * 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"lockout_pair": "5 per minuet"},
        {"lockout_account": "5 per minute; 10 per hour"},
        {"routes": {"/login": {"lockout": 5}}},
        {"routes": {"/login": {"lockout": {"acount": "x"}}}},
    ],
)
def test_a_setting_with_a_typo_is_an_error_at_start_up(build: Build, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        build(**wrong)


def test_a_decorator_with_a_typo_is_an_error_where_it_stands() -> None:
    with pytest.raises(ConfigurationError, match=r"stopper\.lockout"):
        Stopper().lockout("name", failures="often")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
            "",
        ]
    ),
    body=st.binary(max_size=300)
    | st.sampled_from(
        [b'{"username": {"a": 1}}', b"[" * 5000, b"null", b'{"username": "\\ud800"}', b"username=%ff%00"]
    ),
    address=st.text(max_size=30),
)
def test_nothing_a_client_sends_makes_a_500(build: Build, kind: str, body: bytes, address: str) -> None:
    app, _ = build(lambda: "in")

    sent = app.test_client().post(
        "/login", data=body, content_type=kind, environ_base={"REMOTE_ADDR": address}
    )

    assert sent.status_code < 500
    assert isinstance(sent, Response)
