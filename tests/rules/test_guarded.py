"""The rules know Stopper's own guard: silent where it closes a thing, plain where it is off, reports or leaves a view alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.rules.asking import RULES, asked, found

from stopper.app.booted import Booted
from stopper.finding import Cleared, Confidence, Finding, Severity
from stopper.guard.guards import GUARDS
from stopper.guard.guards import NAMES as GUARD_NAMES
from stopper.rules._guarded import NAMES, WITHOUT_MODE

HEAD = "import os\nfrom flask import Flask, request, session, redirect, url_for, render_template\nfrom stopper import Stopper\n"


@dataclass(frozen=True)
class Family:
    """A rule, the guard that closes it, and an app that breaks it."""

    rule: str
    guard: str
    views: str
    files: tuple[tuple[str, str], ...] = ()


LOGIN = (
    "@app.post('/login')\ndef login():\n    session['user_id'] = request.form['name']\n    return 'hello'\n"
)
PAGE = "@app.get('/page')\ndef page():\n    return render_template('page.html', link=request.args['link'])\n"
FAMILIES = [
    Family("security-headers-missing", "headers", LOGIN),
    Family("security-headers-missing", "csp", LOGIN),
    Family("session-cookie-secure", "cookies", LOGIN),
    Family("session-cookie-samesite", "cookies", LOGIN),
    Family("remember-cookie-secure", "cookies", "import flask_login\n"),
    Family(
        "cookie-without-flags",
        "cookies",
        "@app.get('/theme')\ndef theme():\n    answer = redirect('/')\n"
        "    answer.set_cookie('login_token', 'x')\n    return answer\n",
    ),
    Family("csrf-missing", "csrf", LOGIN),
    Family("login-without-limit", "limits", LOGIN),
    Family("session-survives-login", "sessions", LOGIN),
    Family("trusted-hosts-missing", "hosts", "def link():\n    return url_for('login', _external=True)\n"),
    Family(
        "redirect-follows-host",
        "hosts",
        "from flask_talisman import Talisman\nTalisman(app, force_https=True)\n",
    ),
    Family("request-size-unlimited", "body", "def upload():\n    return request.files['file']\n"),
    Family(
        "secret-key-missing", "secrets", 'app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY")\n' + LOGIN
    ),
    Family(
        "template-javascript-url",
        "xss",
        PAGE,
        (("templates/page.html", '<p><a href="{{ link }}">there</a></p>\n'),),
    ),
    Family(
        "template-unquoted-attribute",
        "xss",
        PAGE,
        (("templates/page.html", "<p title={{ link }}>there</p>\n"),),
    ),
    Family(
        "template-event-handler",
        "xss",
        PAGE,
        (("templates/page.html", "<p onclick=\"go('{{ link }}')\">there</p>\n"),),
    ),
    Family(
        "template-unescaped-extension",
        "xss",
        PAGE.replace("page.html", "page.j2"),
        (("templates/page.j2", "<p>{{ link }}</p>\n"),),
    ),
]
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda one: f"{one.rule} {one.guard}")


def in_family(folder: Path, family: Family, guard: str) -> list[Finding]:
    """Return what the rule of a family finds where the guard is made as a line says."""
    return found(folder, family.rule, f"{HEAD}app = Flask(__name__)\n{guard}\n{family.views}", *family.files)


def test_the_rules_know_every_guard_by_its_name() -> None:
    assert set(GUARD_NAMES) == NAMES
    assert {one.name for one in GUARDS if not one.switch} - {"sentry"} == WITHOUT_MODE


@each_family
def test_without_a_guard_the_rule_speaks_as_ever(family: Family, tmp_path: Path) -> None:
    text = HEAD.replace("from stopper import Stopper\n", "") + f"app = Flask(__name__)\n{family.views}"
    findings = found(tmp_path, family.rule, text, *family.files)

    assert findings
    assert not any("Stopper's" in one.message for one in findings)


@each_family
@pytest.mark.parametrize("guard", ["stopper = Stopper(app)", "stopper = Stopper()\nstopper.init_app(app)"])
def test_a_guard_in_force_keeps_the_rule_silent(family: Family, guard: str, tmp_path: Path) -> None:
    assert in_family(tmp_path, family, guard) == []


@each_family
@pytest.mark.parametrize(("mode", "said"), [("off", "is off"), ("report", "only reports")])
def test_a_guard_that_is_off_or_reports_is_named_in_the_finding(
    family: Family, mode: str, said: str, tmp_path: Path
) -> None:
    (finding, *_) = in_family(tmp_path, family, f'Stopper(app, {family.guard}="{mode}")')

    assert f"Stopper's {family.guard} guard {said}" in finding.message
    assert finding.evidence[0].message == finding.message


@each_family
def test_what_cannot_be_read_makes_the_finding_doubtful(family: Family, tmp_path: Path) -> None:
    findings = in_family(
        tmp_path, family, f"def make(**given):\n    Stopper(app, {family.guard}=given['mode'])\n"
    )

    assert findings
    assert {one.confidence for one in findings} == {Confidence.LOW}


@pytest.mark.parametrize(
    ("setting", "silent"),
    [
        ('app.config["STOPPER_MODE"] = "report"', False),
        ('app.config["STOPPER_MODE"] = "off"', False),
        ('app.config["STOPPER_CSRF"] = "off"', False),
        ('app.config["STOPPER_MODE"] = os.environ.get("STOPPER_MODE", "enforce")', True),
        ('app.config["STOPPER_MODE"] = "report"\napp.config["STOPPER_CSRF"] = "enforce"', True),
        ('app.config["STOPPER_MODE"] = "off"\napp.config["STOPPER_CSRF"] = "enforce"', False),
        ('app.config["STOPPER_LIMITS"] = "off"', True),
        ('if app.debug:\n    app.config["STOPPER_MODE"] = "report"', True),
    ],
)
def test_settings_in_the_configuration_count(setting: str, silent: bool, tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\n{setting}\nStopper(app)\n{LOGIN}"

    assert (found(tmp_path, "csrf-missing", text) == []) is silent


def test_a_keyword_wins_over_the_configuration(tmp_path: Path) -> None:
    text = f'{HEAD}app = Flask(__name__)\napp.config["STOPPER_CSRF"] = "off"\nStopper(app, csrf="enforce")\n{LOGIN}'

    assert found(tmp_path, "csrf-missing", text) == []


def test_a_variable_of_the_environment_counts_where_nothing_else_says(tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\nStopper(app)\n{LOGIN}"

    assert found(tmp_path, "csrf-missing", text, (".env", "STOPPER_CSRF=off\n"))


@pytest.mark.parametrize(
    "guard",
    [
        "stopper = Stopper()",
        "if app.debug:\n    Stopper(app)",
        'if __name__ == "__main__":\n    Stopper(app)\n    app.run()',
    ],
)
def test_a_guard_that_production_does_not_have_closes_nothing(guard: str, tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\n{guard}\n{LOGIN}"

    assert [one.confidence for one in found(tmp_path / "1", "csrf-missing", text)] == [Confidence.MEDIUM]
    assert found(tmp_path / "2", "guard-not-enforcing", text)


def test_a_guard_that_may_be_used_in_a_loop_makes_doubt(tmp_path: Path) -> None:
    guard = "stopper = Stopper()\nfor one in EXTENSIONS:\n    one.init_app(app)"
    (finding,) = found(tmp_path, "csrf-missing", f"{HEAD}app = Flask(__name__)\n{guard}\n{LOGIN}")

    assert finding.confidence is Confidence.LOW


def test_of_two_apps_only_the_one_that_is_given_to_the_guard_is_guarded(tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\nadmin = Flask('admin')\nStopper(app)\n{LOGIN}"
    (finding,) = found(tmp_path, "security-headers-missing", text)

    assert finding.location.line == 5


@pytest.mark.parametrize(
    "exemption",
    [
        '@app.post("/login")\n@stopper.exempt("limits", "csrf")\n{view}',
        '@stopper.exempt("csrf", "limits")\n@app.post("/login")\n{view}',
        '@app.post("/login")\n{view}stopper.exempt("limits", "csrf")(login)\n',
    ],
)
def test_an_exempt_view_is_told_of(exemption: str, tmp_path: Path) -> None:
    view = "def login():\n    return 'hello'\n"
    text = f"{HEAD}app = Flask(__name__)\nstopper = Stopper(app)\n{exemption.format(view=view)}"
    (limit,) = found(tmp_path / "1", "login-without-limit", text)
    (csrf,) = found(tmp_path / "2", "csrf-exempt", text)

    assert "exempt from Stopper's limits guard" in limit.message
    assert "accepts the forms of any site" in csrf.message


def test_an_exemption_from_another_guard_says_nothing_of_csrf(tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\nstopper = Stopper(app)\n@app.post('/x')\n@stopper.exempt('body')\ndef x():\n    return ''\n"

    assert found(tmp_path, "csrf-exempt", text) == []


@pytest.mark.parametrize("pattern", ["/log*", "login"])
def test_routes_that_the_setting_exempts_are_told_of(pattern: str, tmp_path: Path) -> None:
    routes = f'app.config["STOPPER_ROUTES"] = {{"{pattern}": {{"exempt": ["limits"]}}}}\n'
    (finding,) = found(
        tmp_path, "login-without-limit", f"{HEAD}app = Flask(__name__)\n{routes}Stopper(app)\n{LOGIN}"
    )

    assert "exempt from Stopper's limits guard" in finding.message


def test_a_blueprint_may_be_exempt_as_a_whole(tmp_path: Path) -> None:
    text = (
        f"{HEAD}from flask import Blueprint\nstopper = Stopper()\nbp = Blueprint('auth', __name__)\n"
        "@bp.post('/login')\ndef login():\n    return 'hello'\n"
        "stopper.exempt('limits')(bp)\napp = Flask(__name__)\nstopper.init_app(app)\napp.register_blueprint(bp)\n"
    )
    (finding,) = found(tmp_path, "login-without-limit", text)

    assert "exempt from Stopper's limits guard" in finding.message


def test_a_view_that_goes_without_headers_is_named(tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\nstopper = Stopper(app)\n@app.get('/x')\n@stopper.exempt('csp')\ndef x():\n    return ''\n"
    (finding,) = found(tmp_path, "security-headers-missing", text)

    assert finding.route is not None
    assert finding.route.rule == "/x"


@pytest.mark.parametrize(
    ("rule", "setting", "views"),
    [
        ("request-size-unlimited", "body_bytes=None", "def upload():\n    return request.files['file']\n"),
        ("login-without-limit", "limits_login=None", LOGIN),
        ("security-headers-missing", "referrer_policy=None", LOGIN),
    ],
)
def test_a_setting_that_takes_a_part_of_a_guard_away_opens_that_part(
    rule: str, setting: str, views: str, tmp_path: Path
) -> None:
    assert found(tmp_path, rule, f"{HEAD}app = Flask(__name__)\nStopper(app, {setting})\n{views}")


def test_what_the_app_says_itself_of_its_cookies_stays_its_own(tmp_path: Path) -> None:
    text = (
        f'{HEAD}app = Flask(__name__)\napp.config["SESSION_COOKIE_SAMESITE"] = "None"\nStopper(app)\n{LOGIN}'
    )

    assert found(tmp_path, "session-cookie-samesite", text)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("app.jinja_env.autoescape = False\nStopper(app)", False),
        ("Stopper(app)\napp.jinja_env.autoescape = False", True),
        ("app.jinja_env.autoescape = False\nStopper(app, xss='off')", True),
        ("import jinja2\nmails = jinja2.Environment()\nStopper(app)", True),
    ],
)
def test_the_guard_escapes_what_was_switched_off_before_it_and_in_the_apps_own_environment(
    lines: str, told: bool, tmp_path: Path
) -> None:
    text = f"{HEAD}app = Flask(__name__)\n{lines}\n"

    assert bool(found(tmp_path, "jinja-autoescape-disabled", text)) is told


@pytest.mark.parametrize(
    ("mark", "confidences"),
    [("", [Confidence.MEDIUM]), ("@stopper.upload('images')\n", [])],
)
def test_a_view_that_says_what_it_accepts_has_its_images_made_anew(
    mark: str, confidences: list[Confidence], tmp_path: Path
) -> None:
    text = (
        f"{HEAD}from PIL import Image\napp = Flask(__name__)\nstopper = Stopper(app)\n@app.post('/x')\n{mark}def x():\n"
        "    file = request.files['file']\n    Image.open(file.stream).verify()\n    file.save('x')\n    return ''\n"
    )

    assert [one.confidence for one in found(tmp_path, "image-not-rewritten", text)] == confidences


@pytest.mark.parametrize(
    ("guard", "severity"),
    [
        ("", Severity.CRITICAL),
        ('Stopper(app, sql="off")', Severity.CRITICAL),
        ("Stopper(app)", Severity.HIGH),
    ],
)
def test_an_injection_stays_a_finding_one_severity_lower(
    guard: str, severity: Severity, tmp_path: Path
) -> None:
    view = "import sqlite3\n@app.get('/q')\ndef q():\n    return str(sqlite3.connect('x').execute('SELECT ' + request.args['q']))\n"
    (finding,) = found(tmp_path, "sql-injection", f"{HEAD}app = Flask(__name__)\n{guard}\n{view}")

    assert finding.severity is severity
    assert ("second line" in finding.message) is (severity is Severity.HIGH)


def test_the_sentry_counts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    view = "import os\n@app.get('/q')\ndef q():\n    return str(os.system(request.args['q']))\n"
    (plain,) = found(
        tmp_path / "1", "command-injection", f"{HEAD}app = Flask(__name__)\nStopper(app)\n{view}"
    )
    (held,) = found(
        tmp_path / "2",
        "command-injection",
        f'{HEAD}app = Flask(__name__)\nStopper(app, sentry="enforce")\n{view}',
    )

    assert (plain.severity, held.severity) == (Severity.CRITICAL, Severity.HIGH)


def test_two_reads_of_an_http_error_tell_nothing_of_the_inside(tmp_path: Path) -> None:
    text = (
        f"{HEAD}app = Flask(__name__)\n@app.errorhandler(Exception)\ndef told(error):\n"
        "    return {'error': error.description}, error.code\n"
    )

    assert found(tmp_path / "1", "error-details-exposed", text) == []
    assert found(tmp_path / "2", "error-details-exposed", text.replace("error.description", "str(error)"))


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ('Stopper(app, mode="report")', "STOPPER_MODE = 'report'"),
        ('app.config["STOPPER_MODE"] = "off"\nStopper(app)', "STOPPER_MODE = 'off'"),
        ('Stopper(app, csp="report")', "STOPPER_CSP = 'report'"),
        ("Stopper(app, proxies=3)", "believes 3 proxies"),
    ],
)
def test_a_guard_that_does_not_stop_is_told_of_where_it_is_written(
    guard: str, said: str, tmp_path: Path
) -> None:
    (finding,) = found(tmp_path, "guard-not-enforcing", f"{HEAD}app = Flask(__name__)\n{guard}\n")

    assert said in finding.message
    assert finding.location.line == 5


def test_a_proxy_in_the_tree_must_be_counted(tmp_path: Path) -> None:
    nginx = ("nginx.conf", "server { location / { proxy_pass http://app:8000; } }\n")
    text = f"{HEAD}app = Flask(__name__)\n"

    assert found(tmp_path / "1", "guard-not-enforcing", f"{text}Stopper(app)\n", nginx)
    assert found(tmp_path / "2", "guard-not-enforcing", f"{text}Stopper(app, proxies=1)\n", nginx) == []


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("Stopper(app)", False),
        ("Stopper(app, csp_policy={'img-src': ['https://img.example']})", False),
        ("Stopper(app, csp_policy={'script-src': \"'self' 'unsafe-inline'\"})", True),
        ("Stopper(app, csp='off', csp_policy={'script-src': \"'self' 'unsafe-inline'\"})", False),
        ("Stopper(app).csp(script_src=\"'unsafe-inline'\")", True),
        (
            "stopper = Stopper(app)\n@app.get('/x')\n@stopper.csp(script_src=\"'unsafe-inline'\")\ndef x():\n    return ''",
            True,
        ),
    ],
)
def test_the_policy_that_the_guard_is_given_is_judged_as_any_other(
    guard: str, told: bool, tmp_path: Path
) -> None:
    text = f"{HEAD}app = Flask(__name__)\n{guard}\n"

    assert bool(found(tmp_path / "1", "csp-unsafe-inline", text)) is told
    assert found(tmp_path / "2", "csp-misspelt", text) == []
    assert found(tmp_path / "3", "csp-incomplete", text) == []


def test_a_short_hsts_of_the_guard_is_told_of(tmp_path: Path) -> None:
    text = f"{HEAD}app = Flask(__name__)\nStopper(app, hsts_seconds=%d)\n"

    assert found(tmp_path / "1", "hsts-weak", text % 300)
    assert found(tmp_path / "2", "hsts-weak", text % 63072000) == []


def booted(in_force: str) -> Booted:
    """Return an app whose gate says which guards stop what they see."""
    gate = {"class": "stopper.guard.gate.Gate", "state": {"in_force": in_force}}
    config = {"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_SAMESITE": None, "SECRET_KEY": "x"}
    return Booted(
        "app", "3.13", "3.1", False, False, config, (), (), {"stopper": gate}, "", "Gate", {}, (), ()
    )  # fmt: skip


@pytest.mark.parametrize("slug", ["csrf-missing", "session-cookie-secure", "session-cookie-samesite"])
def test_a_booted_app_tells_which_guards_are_in_force(slug: str) -> None:
    on = list(RULES[slug].app(booted("csrf cookies")))
    off = list(RULES[slug].app(booted("headers")))

    assert [type(one) for one in on] == [Cleared]
    assert not any(isinstance(one, Cleared) for one in off)


def test_the_gate_of_a_real_app_names_the_guards_that_stop() -> None:
    from flask import Flask

    from stopper import Stopper

    app = Flask(__name__)
    Stopper(app, csrf="report", limits="off")
    names = app.extensions["stopper"].in_force.split()

    assert "cookies" in names
    assert not {"csrf", "limits", "sentry"} & set(names)


def test_the_guarded_example_has_nothing_left_but_true_remarks() -> None:
    blog = Path(__file__).parents[2] / "examples" / "guarded-blog"
    told = {one.rule for one in asked(blog, *RULES) if one.confidence is not Confidence.LOW}

    assert told <= {"server-side-request-forgery", "unhashed-requirement"}


FACTORY = (
    ("shop/__init__.py", "from .factory import create_app\n"),
    ("shop/extensions.py", "from stopper import Stopper\nstopper = Stopper()\n"),
    (
        "shop/config.py",
        (
            "class Config:\n    STOPPER_PROXIES = 1\n\n\nclass DevelopmentConfig(Config):\n    STOPPER_MODE = 'report'\n\n\n"
            "class ProductionConfig(Config):\n    {mode}\n\n\nCONFIGS = {'production': ProductionConfig, 'development': DevelopmentConfig}\n"
        ),
    ),
    (
        "shop/factory.py",
        (
            "from flask import Flask\nfrom .config import CONFIGS\nfrom .extensions import stopper\nfrom .views import bp\n\n\n"
            "def register_extensions(app):\n    stopper.init_app(app)\n\n\n"
            "def create_app(name='production'):\n    app = Flask(__name__)\n"
            "    app.config.from_object({load})\n"
            "    register_extensions(app)\n    app.register_blueprint(bp)\n    return app\n"
        ),
    ),
    (
        "shop/views.py",
        (
            "from flask import Blueprint, session\nfrom flask.views import MethodView\nfrom .extensions import stopper\n"
            "bp = Blueprint('auth', __name__)\n\n\nclass Login(MethodView):\n    {decorators}\n"
            "    def post(self):\n        session.clear()\n        session['user_id'] = 1\n        return ''\n\n\n"
            "bp.add_url_rule('/login', view_func=Login.as_view('login'))\n"
        ),
    ),
)


def factory(mode: str, decorators: str, load: str = "CONFIGS[name]") -> list[tuple[str, str]]:
    """Return the files of a project whose guard, settings, views and factory stand in modules of their own."""
    given = {"{mode}": mode, "{decorators}": decorators, "{load}": load}
    files = []
    for name, text in FACTORY:
        for mark, instead in given.items():
            text = text.replace(mark, instead)  # noqa: PLW2901 - one mark after the other
        files.append((name, text))
    return files


@pytest.mark.parametrize(
    ("mode", "decorators", "told"),
    [
        ("pass", "pass", ""),
        ("STOPPER_MODE = 'report'", "pass", "only reports"),
        ("STOPPER_LIMITS = 'off'", "pass", "is off"),
        ("pass", "decorators = [stopper.exempt('limits')]", "exempt"),
        ("pass", "@stopper.exempt('limits')", "exempt"),
    ],
)
def test_a_guard_in_a_factory_is_followed_through_the_modules(
    mode: str, decorators: str, told: str, tmp_path: Path
) -> None:
    files = factory(mode, decorators)
    findings = found(
        tmp_path, "login-without-limit", "from shop import create_app\napp = create_app()\n", *files
    )

    assert [told in one.message for one in findings] == ([True] if told else [])


def test_a_mode_in_configuration_that_cannot_be_followed_makes_doubt(tmp_path: Path) -> None:
    load = "f'shop.config.{name.title()}Config'"
    (finding,) = found(tmp_path, "login-without-limit", "", *factory("STOPPER_LIMITS = 'off'", "pass", load))

    assert finding.confidence is Confidence.LOW
