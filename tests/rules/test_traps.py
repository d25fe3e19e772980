"""Each trap of the popular stack that source code shows is a rule: an app that falls into it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import asked

TALISMAN = "from flask import Flask\nfrom flask_talisman import Talisman\napp = Flask(__name__)\n"
LIMITER = "from flask import Flask, request\nfrom flask_limiter import Limiter\nfrom flask_limiter.util import get_remote_address\napp = Flask(__name__)\n"
CSRF = "from flask import Flask, request, session\nfrom flask_wtf import CSRFProtect\napp = Flask(__name__)\napp.secret_key = open('k').read()\n"
LIMITED = LIMITER + "limiter = Limiter(get_remote_address, app=app"

TRAPS = {
    1: ("redirect-follows-host", TALISMAN + "Talisman(app)\n"),
    3: ("forwarded-proto-trusted", TALISMAN + "Talisman(app)\n"),
    4: ("debug-enabled", TALISMAN + "Talisman(app)\napp.config['DEBUG'] = True\n"),
    5: ("talisman-overrides", TALISMAN + "app.config['SESSION_COOKIE_SAMESITE'] = 'Strict'\nTalisman(app)\n"),
    6: ("csp-nonce-unused", TALISMAN + "Talisman(app, content_security_policy={'default-src': \"'self'\"}, content_security_policy_nonce_in=['script-src'])\n"),
    7: ("csp-misspelt", TALISMAN + "Talisman(app, content_security_policy={'default-src': 'self'})\n"),
    8: ("talisman-weakened", TALISMAN + "Talisman(app, referrer_policy=None)\n"),
    9: ("talisman-shared-views", TALISMAN + "t = Talisman(app)\nTalisman(Flask('b'))\n@app.get('/')\n@t(frame_options='DENY')\ndef f(): ...\n"),
    10: ("remember-cookie-secure", TALISMAN + "from flask_login import LoginManager\nTalisman(app)\nLoginManager(app)\n"),
    11: ("csp-incomplete", TALISMAN + "Talisman(app)\n"),
    12: (
        "secure-wsgi-middleware",
        ("from flask import Flask\nfrom secure.middleware import SecureWSGIMiddleware\napp = Flask(__name__)\n"
        "app.wsgi_app = SecureWSGIMiddleware(app.wsgi_app)\n"),
    ),
    14: ("limit-above-route", LIMITED + ")\n@limiter.limit('5/minute')\n@app.get('/')\ndef f(): ...\n"),
    15: ("limit-misses-errors", LIMITED + ")\n"),
    16: ("limit-string-invalid", LIMITED + ")\n@app.get('/')\n@limiter.limit('5 per minit')\ndef f(): ...\n"),
    17: ("limit-key-empty", LIMITER + "limiter = Limiter(lambda: request.headers.get('X-Key', ''), app=app)\n"),
    18: ("limit-replaces-default", LIMITED + ", default_limits=['200 per day'])\n@app.get('/')\n@limiter.limit('5 per minute')\ndef f(): ...\n"),
    19: ("limit-memory-storage", LIMITED + ")\n"),
    20: ("limit-fixed-window", LIMITED + ")\n"),
    21: ("limit-storage-fails-open", LIMITED + ", storage_uri='redis://db', swallow_errors=True)\n"),
    22: ("limit-key-remote-addr", LIMITED + ")\n"),
    23: ("limit-without-retry-after", LIMITED + ")\n"),
    24: ("limiter-after-talisman", LIMITER + "from flask_talisman import Talisman\nTalisman(app)\nLimiter(get_remote_address, app=app)\n"),
    25: ("limiter-on-two-apps", LIMITER + "l = Limiter(get_remote_address)\nl.init_app(app)\nl.init_app(Flask('b'))\n"),
    26: ("csrf-key-rotation", CSRF + "CSRFProtect(app)\napp.config['SECRET_KEY_FALLBACKS'] = ['old']\n"),
    27: ("csrf-needs-referrer", CSRF + "CSRFProtect(app)\n@app.after_request\ndef f(r):\n    r.headers['Referrer-Policy'] = 'no-referrer'\n    return r\n"),
    28: ("request-size-unlimited", CSRF + "@app.post('/')\ndef f(): return request.files['a'].filename\n"),
    30: ("session-survives-login", CSRF + "@app.post('/')\ndef f():\n    session['user_id'] = 1\n    return ''\n"),
    31: ("upload-by-extension", CSRF + "from flask_wtf.file import FileAllowed\ncheck = FileAllowed(['png'])\n"),
    32: ("secret-key-weak", "from flask import Flask\napp = Flask(__name__)\napp.secret_key = 'changeme'\n"),
    33: ("trusted-hosts-missing", "from flask import Flask, url_for\napp = Flask(__name__)\n@app.get('/')\ndef f(): return url_for('f', _external=True)\n"),
    36: ("sanitiser-allows-remote", "from flask import Flask\nimport nh3\napp = Flask(__name__)\ndef f(x): return nh3.clean(x)\n"),
    37: (
        "image-not-rewritten",
        ("from flask import Flask, request\nfrom PIL import Image\napp = Flask(__name__)\n@app.post('/')\ndef f():\n"
        "    Image.open(request.files['a'].stream).verify()\n    request.files['a'].save('/x')\n    return ''\n"),
    ),
}  # fmt: skip
"""The number of each trap, the rule that tells it, and an app that falls into it."""


@pytest.mark.parametrize("number", TRAPS)
def test_an_app_that_falls_into_a_trap_is_told(number: int, tmp_path: Path) -> None:
    slug, text = TRAPS[number]
    (tmp_path / "app.py").write_text(text)

    assert asked(tmp_path, slug)


def test_an_exemption_that_another_view_of_the_name_shares_is_told(tmp_path: Path) -> None:
    """Trap 29."""
    view = "def {name}():\n    @app.post('/{name}')\n{mark}    def save():\n        session['a'] = request.form['a']\n        return ''\n"
    made = (
        view.format(name="one", mark="    @csrf.exempt\n")
        + view.format(name="two", mark="")
        + "one()\ntwo()\n"
    )
    (tmp_path / "app.py").write_text(f"{CSRF}csrf = CSRFProtect(app)\n{made}")

    assert asked(tmp_path, "csrf-exempt-shared-name")


def test_a_template_that_jinja_does_not_escape_is_told(tmp_path: Path) -> None:
    """Trap 34."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html.j2").write_text("<p>{{ q }}</p>")
    view = "@app.get('/')\ndef f(): return render_template('page.html.j2', q=request.args['q'])\n"
    (tmp_path / "app.py").write_text(
        f"from flask import Flask, render_template, request\napp = Flask(__name__)\n{view}"
    )

    assert asked(tmp_path, "template-unescaped-extension")


def test_a_line_of_dotenv_that_is_lost_is_told(tmp_path: Path) -> None:
    """Trap 35."""
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / ".env").write_text("MAIL_PASSWORD=winter #night\n")

    assert asked(tmp_path, "dotenv-line-lost")


def test_a_check_of_dependencies_that_passes_without_looking_is_told(tmp_path: Path) -> None:
    """Trap 38."""
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "Makefile").write_text("audit:\n\tpip-audit -r requirements.txt\n")

    assert asked(tmp_path, "audit-not-strict")
