"""The extension keeps Flask's rules for extensions, and a setting that is wrong is an error at start-up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.gate import UNSERVED

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
POLICY = "Referrer-Policy"

LOADED = """
import json, sys
import stopper
assert "stopper.guard" not in sys.modules and "flask" not in sys.modules
before = set(sys.modules)
stopper.Stopper
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] in
    {"stopper", "rich", "tree_sitter", "httpx", "sqlalchemy", "PIL", "cryptography", "redis"})))
"""


def guarded(**settings: object) -> Flask:
    """Return a guarded app under test."""
    app = Flask("guarded")
    app.config.update(TESTING=True, SECRET_KEY=KEY)
    Stopper(app, **settings)
    return app


def test_the_guard_loads_nothing_of_the_scanner() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = json.loads(done.stdout)

    own = {name.split(".")[1] for name in loaded if name.startswith("stopper.")}
    assert own <= {"guard", "policy", "errors"}
    assert [name for name in loaded if not name.startswith("stopper")] == []


def test_a_second_guard_on_an_app_is_an_error_that_says_so() -> None:
    app = guarded()

    with pytest.raises(ConfigurationError, match="guarded already: remove the second"):
        Stopper(app)


def test_two_apps_with_one_stopper_keep_apart() -> None:
    stopper = Stopper()
    answers = []
    for policy in ("no-referrer", "same-origin"):
        app = Flask("one")
        app.config.update(TESTING=True, STOPPER_REFERRER_POLICY=policy)
        stopper.init_app(app)
        answers.append(app.test_client().get("/").headers[POLICY])

    assert answers == ["no-referrer", "same-origin"]
    assert not any(isinstance(value, Flask) for value in vars(stopper).values())


def test_a_keyword_beats_the_config_which_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPPER_REFERRER_POLICY", "origin")
    monkeypatch.setenv("STOPPER_HSTS_SECONDS", "300")
    app = Flask("one")
    app.config.update(TESTING=True, STOPPER_REFERRER_POLICY="same-origin")
    Stopper(app, referrer_policy="no-referrer")

    headers = app.test_client().get("/", base_url="https://localhost").headers
    assert headers[POLICY] == "no-referrer"
    assert headers["Strict-Transport-Security"] == "max-age=300"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("STOPPER_REFERER_POLICY", "origin", "STOPPER_REFERRER_POLICY"),
        ("STOPPER_REFERRER_POLICY", "orign", "write no-referrer"),
        ("STOPPER_HSTS_SECONDS", -1, "at least 0"),
        ("STOPPER_HSTS_SECONDS", "a year", "write a whole number"),
        ("STOPPER_HSTS_SUBDOMAINS", "maybe", "True or False"),
        ("STOPPER_MODE", "loud", "'enforce' or 'report' or 'off'"),
        ("STOPPER_HEADERS", "loud", "'enforce' or 'report' or 'off'"),
        ("STOPPER_ROUTES", {"/x": {"exempt": ["headrs"]}}, "headrs"),
        ("STOPPER_ROUTES", {"/x": {"headers": {"Referrer-Policy": "x\r\ny"}}}, "printable"),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_to_write(key: str, value: object, told: str) -> None:
    app = Flask("one")
    app.config[key] = value

    with pytest.raises(ConfigurationError, match=told):
        Stopper(app)


def test_an_unknown_keyword_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'referrer_policy'"):
        Stopper(Flask("one"), referer_policy="origin")


@pytest.mark.parametrize("above", [True, False])
def test_a_decorator_holds_above_and_below_the_route(above: bool) -> None:
    stopper = Stopper()
    app = Flask("one")
    app.testing = True
    stopper.init_app(app)
    own = stopper.headers(referrer_policy="origin")

    def view() -> str:
        return "x"

    if above:
        own(app.get("/")(view))
    else:
        app.get("/")(own(view))

    assert app.test_client().get("/").headers[POLICY] == "origin"


def test_a_decorator_holds_inside_one_that_forgets_to_wrap() -> None:
    stopper = Stopper()
    app = Flask("one")
    app.testing = True
    stopper.init_app(app)

    def forgetful(function: Callable[[], str]) -> Callable[[], str]:
        def anonymous() -> str:
            return function()

        return anonymous

    app.get("/")(forgetful(stopper.headers(referrer_policy="origin")(lambda: "x")))

    assert app.test_client().get("/").headers[POLICY] == "origin"


def test_a_class_based_view_a_blueprint_and_a_path_have_policies_of_their_own() -> None:
    stopper = Stopper()
    app = Flask("one")
    app.config.update(TESTING=True, STOPPER_ROUTES={"/docs/*": {"headers": {POLICY: "unsafe-url"}}})
    stopper.init_app(app)
    blueprint = Blueprint("api", "api")
    stopper.headers(referrer_policy="same-origin")(blueprint)

    @stopper.headers(referrer_policy="origin")
    class View(MethodView):
        def get(self) -> str:
            return "x"

    app.add_url_rule("/class", view_func=View.as_view("class"))
    app.add_url_rule("/docs/<name>", "docs", lambda name: name)
    blueprint.add_url_rule("/blue", "blue", lambda: "x")
    app.register_blueprint(blueprint)
    client = app.test_client()

    assert [client.get(path).headers[POLICY] for path in ("/class", "/docs/a", "/blue")] == [
        "origin",
        "unsafe-url",
        "same-origin",
    ]


def test_a_mark_that_reaches_no_route_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stopper = Stopper()
    app = Flask("one")
    app.testing = True
    stopper.init_app(app)

    @stopper.headers(referrer_policy="origin")
    def nowhere() -> None: ...

    app.test_client().get("/")

    assert "nowhere reaches no route" in caplog.text


def test_a_setting_that_comes_too_late_is_told(caplog: pytest.LogCaptureFixture) -> None:
    app = guarded()
    app.config["STOPPER_REFERRER_POLICY"] = "origin"

    app.test_client().get("/")

    assert "STOPPER_REFERRER_POLICY was set after Stopper(app) had read it" in caplog.text


def test_off_takes_the_guard_out_of_the_app_altogether() -> None:
    app = guarded(mode="off")

    assert not app.before_request_funcs
    assert POLICY not in app.test_client().get("/").headers


def test_an_event_is_one_line_whatever_a_client_sends() -> None:
    event = events.Event("csrf", "refused", path="/a\r\nfake=1", facts={"origin": 'x" y=\x1b[31m'})

    assert event.line() == ('guard=csrf action=refused path="/a\\r\\nfake=1" origin="x\\" y=\\x1b[31m"')


def test_a_server_for_production_refuses_to_show_the_debugger(
    serve: Callable[..., object], http: object
) -> None:
    app = """
        import os
        os.environ.pop("SERVER_SOFTWARE", None)  # as under a server that does not tell before the first request
        from flask import Flask
        from stopper import Stopper
        app = Flask(__name__)
        app.debug = True
        Stopper(app)
    """
    server = serve(app)
    answer = http.get(server.url)

    assert answer.status_code == 503
    assert UNSERVED in answer.text
    assert "Debug mode shows the source" in server.log


STARTED = """
import time, flask
begin = time.process_time()
import stopper
app = flask.Flask("timed")
app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["localhost"])
stopper.Stopper(app)
for number in range(100):
    app.add_url_rule(f"/{number}", str(number), lambda: "x")
app.test_client().get("/1", base_url="https://localhost")
print(time.process_time() - begin)
"""


def test_the_guard_starts_in_a_moment() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=60, check=True
    )

    # Seconds of CPU, the first request of a hundred routes included; about 0.3 here.
    assert float(done.stdout) < 1.0
