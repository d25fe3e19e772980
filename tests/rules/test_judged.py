"""What was reported of applications in use and was no hole is not reported again; its dangerous neighbour is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import found

RESET = """\
from flask import Flask, request
from models import User

app = Flask(__name__)


@app.post("/reset-password")
def reset_password():
    user = {user}
    user.set_password(request.form["password"])
    return "", 204
"""
ETAG = """\
import hashlib

from flask import Flask, current_app

app = Flask(__name__)


def {name}(day):
    return hashlib.md5((current_app.config["SECRET_KEY"] + day).encode()).hexdigest()
"""


LOGIN = """\
from flask import Flask, current_app, session

app = Flask(__name__)


def enter(user):
    {renew}
    session.permanent = True


@app.post("/login")
def login():
    session["user_id"] = 1
    enter(1)
    return "", 204
"""


@pytest.mark.parametrize(
    ("user", "times"),
    [
        ("User.verify_token(token)", 0),
        ("User.verify_hash(hash, salt='reset')", 0),
        ("serializer.loads(token, max_age=600)", 0),
        ("signer.loads(request.args['key'], max_age=600)", 0),
        ('User.check_password(request.form["old"]) and User.verify_token(token)', 1),
        ("User.one().verify_totp(token)", 1),
        ('User.by_code(request.form["code"])', 1),
    ],
)
def test_a_reset_that_asks_for_a_signed_token_needs_no_limit(tmp_path: Path, user: str, times: int) -> None:
    assert len(found(tmp_path, "login-without-limit", RESET.replace("{user}", user))) == times


@pytest.mark.parametrize(("name", "times"), [("session_token", 1), ("build_etag", 0), ("cache_key", 0)])
def test_a_hash_that_labels_content_is_no_token(tmp_path: Path, name: str, times: int) -> None:
    assert len(found(tmp_path, "weak-password-hash", ETAG.replace("{name}", name))) == times


@pytest.mark.parametrize(
    ("renew", "times"),
    [
        ("current_app.session_interface.regenerate(session)", 0),
        ("session.clear()", 0),
        ("session.modified = True", 1),
    ],
)
def test_a_login_may_have_a_function_of_the_project_renew_the_session(
    tmp_path: Path, renew: str, times: int
) -> None:
    assert len(found(tmp_path, "session-survives-login", LOGIN.replace("{renew}", renew))) == times


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (
            "import requests\ndef rates():\n    return requests.get('https://rates.bench.net').json()\n",
            "medium",
        ),
        ("import requests\nprint(requests.get('https://rates.bench.net').json())\n", "low"),
        (
            "import requests\ndef rates():\n    return requests.get('https://rates.bench.net').json()\nif __name__ == '__main__':\n    rates()\n",
            "low",
        ),
    ],
)
def test_a_request_that_is_made_once_holds_no_worker(tmp_path: Path, text: str, confidence: str) -> None:
    assert [one.confidence for one in found(tmp_path, "request-without-timeout", text)] == [confidence]


HEAD = """\
import os
import click
import jinja2
from flask import Flask, current_app, redirect, render_template, request, session
app = Flask(__name__)
"""
CELL = """\
import csv
@app.post("/")
def keep():
    cell = request.form["name"]
    if cell{hole}:
        cell = "'" + cell
    csv.writer(open("names.csv", "w")).writerow([cell])
    return ""
"""
PAIRS = {
    "a wrapper that is called after a header sets it": (
        "security-headers-missing",
        'import guard\napp.wsgi_app = guard.{hole}(app.wsgi_app)\nHEADERS = ("Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy")\n',
        "Compression",
        "ContentSecurityPolicy",
    ),
    "JSON that only its own pages can send": (
        "csrf-missing",
        '@app.post("/name")\ndef name():\n    session["name"] = {hole}\n    return ""\n',
        'request.form["name"]',
        'request.get_json()["name"]',
    ),
    "an answer of the identity provider": (
        "csrf-missing",
        '@app.post("/{hole}")\ndef name():\n    session["name"] = request.form["name"]\n    return ""\n',
        "name",
        "saml/consume",
    ),
    "a code that a log line is formatted of": (
        "secret-in-log",
        (
            '@app.post("/code")\ndef code():\n    otp_code = codes.of(session["user"])\n'
            '    app.logger.info("wrong code, {} was sent".format({hole}))\n    return ""\n'
        ),
        "otp_code",
        "len(otp_code)",
    ),
    "an exempt view that reads nothing of a form": (
        "csrf-exempt",
        (
            "from flask_wtf import CSRFProtect\ncsrf = CSRFProtect(app)\n"
            '@app.route("/address", methods=["GET", "POST"])\n@csrf.exempt\ndef address():\n    return request.{hole}\n'
        ),
        'form["name"]',
        'environ.get("HTTP_X_REAL_IP", request.remote_addr)',
    ),
    "an exempt answer of the identity provider": (
        "csrf-exempt",
        (
            "from flask_wtf import CSRFProtect\ncsrf = CSRFProtect(app)\n"
            '@app.post("/{hole}")\n@csrf.exempt\ndef come():\n    session["name"] = request.form["name"]\n    return ""\n'
        ),
        "name",
        "saml/authorized",
    ),
    "a key that something is found by in the session": (
        "hardcoded-password",
        'CAPTCHA_SESSION_{hole} = "captcha_image"\n',
        "SECRET",
        "KEY",
    ),
    "a code of a form that a log line is formatted of": (
        "secret-in-log",
        '@app.post("/code")\ndef code():\n    app.logger.info("in with {}".format(request.form["{hole}"]))\n    return ""\n',
        "token",
        "topic",
    ),
    "a cell whose first letter is asked": (
        "csv-injection",
        CELL,
        '[0] in ("=", "-")',
        '[0] in ("=", "+", "-", "@")',
    ),
    "a cell whose beginning is asked": (
        "csv-injection",
        CELL,
        '.startswith("=")',
        '.startswith(("=", "+", "-", "@"))',
    ),
    "a method that no form has": (
        "csrf-missing",
        '@app.{hole}("/name")\ndef name():\n    session["name"] = request.form["name"]\n    return ""\n',
        "post",
        "put",
    ),
    "a login that only hands over": (
        "login-without-limit",
        'from sso import provider\n@app.route("/login", methods=["GET", "POST"])\ndef login():\n    """Post a form, or ask."""\n    return {hole}\n',
        'provider.enter(request.form["password"])',
        "provider.start()",
    ),
    "a code that is compared with a secret of the same form": (
        "login-without-limit",
        'import pyotp\n@app.post("/verify-2fa")\ndef verify():\n    return str(pyotp.TOTP({hole}).verify(request.form["code"]))\n',
        'session["secret"]',
        'request.form["otp_secret"]',
    ),
    "a cookie that scripts have to read": (
        "cookie-without-flags",
        '@app.get("/")\ndef index():\n    answer = redirect("/")\n    answer.set_cookie("{hole}", "1", secure=True, samesite="Lax")\n    return answer\n',
        "session_token",
        "XSRF-TOKEN",
    ),
    "a function of the project that is called set_cookie": (
        "cookie-without-flags",
        "def index(answer, jar, cookie):\n    {hole}\n",
        'answer.set_cookie("auth", "1")',
        'set_cookie({"auth": 1}); jar.set_cookie(cookie)',
    ),
    "templates that make no page": (
        "jinja-autoescape-disabled",
        'ENV = jinja2.Environment(loader=jinja2.FileSystemLoader("units"))\nUNIT = ENV.get_template("{hole}")\n',
        "unit",
        "cloud.json",
    ),
    "a resource's name on a fixed host": (
        "server-side-request-forgery",
        'import requests\n@app.get("/{hole}")\ndef show(name):\n    return requests.get("https://api.example.com/v1/" + name + "/info", timeout=5).json()\n',
        "<path:name>",
        "<name>",
    ),
    "a view that sends to its own path": (
        "open-redirect",
        '@app.{hole}\ndef again():\n    return redirect(request.path + "?again")\n',
        "before_request",
        'get("/")',
    ),
    "a row that is saved": (
        "path-traversal",
        'class Note(Row):\n    def __init__(self, name):\n        self.name = name\n@app.post("/")\ndef keep():\n    batch.save({hole})\n    return ""\n',
        'os.path.join("notes", request.form["name"])',
        'Note(os.path.join("notes", request.form["name"]))',
    ),
}


@pytest.mark.parametrize("title", PAIRS)
def test_what_was_reported_wrongly_is_quiet_and_its_neighbour_is_not(tmp_path: Path, title: str) -> None:
    slug, text, hole, safe = PAIRS[title]
    (tmp_path / "hole").mkdir()
    (tmp_path / "safe").mkdir()

    assert len(found(tmp_path / "hole", slug, HEAD + text.replace("{hole}", hole))) == 1
    assert found(tmp_path / "safe", slug, HEAD + text.replace("{hole}", safe)) == []


LOCKED = """\
from flask import Flask, session
import accounts

app = Flask(__name__)


def enter(name, password):
    return accounts.verify_user(name, password)


@app.post("/login")
def login():
    session["user"] = enter(request.form["name"], request.form["password"])
    return "", 204
"""
ACCOUNTS = """\
class TooManyAttemptsError(Exception):
    pass


def verify_user(name, password):
    user = User.named(name)
    {hole}
    return user
"""


@pytest.mark.parametrize(
    ("line", "times"),
    [("if user.waits(): raise TooManyAttemptsError(name)", 0), ("if user.waits(): user.warn()", 1)],
)
def test_a_login_whose_wrong_tries_are_counted_needs_no_other_limit(
    tmp_path: Path, line: str, times: int
) -> None:
    accounts = ("accounts.py", ACCOUNTS.replace("{hole}", line))

    assert len(found(tmp_path, "login-without-limit", LOCKED, accounts)) == times


BASIC = """\
from flask import Flask, jsonify
from flask_httpauth import HTTPBasicAuth
from flask_limiter import Limiter
from models import User

app = Flask(__name__)
limiter = Limiter(lambda: "one", app=app)
basic_auth = HTTPBasicAuth()


@basic_auth.verify_password
def verify_password(name, password):
    user = User.named(name)
    return user if user.check_password(password) else None


@app.post("/tokens")
{hole}
@basic_auth.login_required
def tokens():
    return jsonify(token=basic_auth.current_user().token())
"""


@pytest.mark.parametrize(("line", "times"), [('@limiter.limit("9/minute")', 0), ("", 1)])
def test_basic_authentication_is_a_login_in_each_request(tmp_path: Path, line: str, times: int) -> None:
    every = found(tmp_path, "login-without-limit", BASIC.replace("{hole}", line))

    assert [one.message[:30] for one in every] == ["/tokens: basic authentication "] * times


CODE = """\
import codes
from flask import Flask, request, session
from flask_login import login_user
from models import User, signer

app = Flask(__name__)


@app.post("/<token>/{name}")
def enter(token):
    user = {user}
    {check}login_user(user)
    return "", 204
"""


@pytest.mark.parametrize(
    ("name", "check", "times"),
    [("otpvalidation", 'if user.otp == request.form["otp"]: ', 1), ("reset", "", 0)],
)
def test_a_code_can_be_guessed_whatever_token_the_address_has(
    tmp_path: Path, name: str, check: str, times: int
) -> None:
    text = CODE.replace("{user}", "User.of(token)").replace("{check}", check).replace("{name}", name)

    assert len(found(tmp_path, "login-without-limit", text)) == times


def test_a_forgotten_password_has_mails_sent(tmp_path: Path) -> None:
    text = '@app.post("/forgot")\ndef forgot():\n    post.send(request.form["email"])\n    session["asked"] = 1\n    return ""\n'
    (finding,) = found(tmp_path, "login-without-limit", HEAD + text)

    assert finding.message.startswith("/forgot sends mail to whoever is named")


MOUNTED = """\
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = Flask(__name__)
shop = Flask("shop")


@shop.get("/")
def index():
    return ""


app.wsgi_app = DispatcherMiddleware({rest}, {"/shop": shop})
"""


@pytest.mark.parametrize(("rest", "lines"), [('Flask("rest")', [5]), ("app.wsgi_app", [4, 5])])
def test_an_app_that_only_mounts_others_answers_no_request(
    tmp_path: Path, rest: str, lines: list[int]
) -> None:
    every = found(tmp_path, "security-headers-missing", MOUNTED.replace("{rest}", rest))

    assert [one.location.line for one in every] == lines


def test_an_app_that_a_command_makes_answers_no_request(tmp_path: Path) -> None:
    text = 'def for_commands():\n    return Flask("commands")\n@app.get("/")\ndef index():\n    return ""\n'
    (finding,) = found(tmp_path, "security-headers-missing", HEAD + text)

    assert finding.location.line == 5


GLOBAL = """\
import version
from flask import Flask, render_template
app = Flask(__name__)
app.jinja_env.globals["release"] = version.__version__
@app.get("/")
def index():
    return render_template("index.html", notes=version.notes())
"""


@pytest.mark.parametrize(("name", "times"), [("release", 0), ("notes", 1)])
def test_what_templates_are_given_once_is_the_author_s(tmp_path: Path, name: str, times: int) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "index.html").write_text(f"<p>{{{{ {name}|safe }}}}</p>", encoding="utf-8")

    assert len(found(tmp_path, "template-safe-filter", GLOBAL)) == times


def test_an_identifier_in_a_handler_is_doubted_more(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    page = "{% for one in notes %}<a onclick=\"show('{{ one.identifier }}')\"></a><a onclick=\"show('{{ one.title }}')\"></a>{% endfor %}"
    (tmp_path / "templates" / "index.html").write_text(page, encoding="utf-8")

    sure = [finding.confidence for finding in found(tmp_path, "template-event-handler", GLOBAL)]

    assert sure == ["low", "medium"]


@pytest.mark.parametrize(("folder", "confidence"), [("live", "high"), ("development", "low")])
def test_a_secret_in_a_folder_for_development_is_doubted(
    tmp_path: Path, folder: str, confidence: str
) -> None:
    drawn = "SESSION_SECRET=6eeJKEyFYx863mELaYBULYxW0XuBZqtLThdJRA8st81e9xju9R\n"
    every = found(tmp_path, "hardcoded-password", HEAD, (f"config/{folder}/app.env", drawn))

    assert [one.confidence for one in every] == [confidence]


def test_a_client_that_names_the_key_of_the_session_is_told_so(tmp_path: Path) -> None:
    text = '@app.post("/open")\ndef open_project():\n    session[request.form["project"]] = True\n    return ""\n'
    (finding,) = found(tmp_path, "session-from-input", HEAD + text)

    assert "names the key of the session" in finding.message
