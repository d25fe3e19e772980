"""Every way to register a route is seen, with its whole URL, its methods and its view."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.code import Code
from stopper.source.files import walk
from stopper.source.routes import Routes, read, run
from stopper.source.routes_interest import Interest
from stopper.source.routes_native import Registrar


def routes(folder: Path, **files: str) -> Routes:
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read(Code.of(walk(folder)))


APP = "from flask import Flask, Blueprint\nfrom flask.views import MethodView, View\napp = Flask(__name__)\n"
VIEW = "def f():\n    return ''\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "@app.route('/a/<int:n>', methods=['POST', 'get'])\ndef f(n): ...",
            ("/a/<int:n>", "GET,POST", "f", "f"),
        ),
        ("@app.post('/a')\ndef f(): ...", ("/a", "POST", "f", "f")),
        (VIEW + "app.add_url_rule('/a', 'e', f)", ("/a", "GET", "e", "f")),
        (VIEW + "app.add_url_rule('/a', view_func=login_required(f))", ("/a", "GET", "f", "f")),
        (VIEW + "for url in ['/a']:\n    app.add_url_rule(url, view_func=f)", ("/a", "GET", "f", "f")),
        (
            VIEW + "T = {'/a': f}\nfor url, view in T.items():\n    app.route(url)(view)",
            ("/a", "GET", "f", "f"),
        ),
        (
            "class V(View):\n    methods = ['PUT']\napp.add_url_rule('/a', view_func=V.as_view('v'))",
            ("/a", "PUT", "v", "V"),
        ),
        (
            (
                "class B(MethodView):\n    def get(self): ...\nclass V(B):\n    def post(self): ...\n"
                "app.add_url_rule('/a', view_func=V.as_view('v'))"
            ),
            ("/a", "GET,POST", "v", "V"),
        ),
        (
            "bp = Blueprint('b', __name__, url_prefix='/p')\n@bp.route('/a')\ndef f(): ...\napp.register_blueprint(bp)",
            ("/p/a", "GET", "b.f", "f"),
        ),
        (
            (
                "o, i = Blueprint('o', __name__, url_prefix='/o'), Blueprint('i', __name__)\n@i.get('/a')\ndef f(): ...\n"
                "o.register_blueprint(i, url_prefix='/i')\napp.register_blueprint(o)"
            ),
            ("/o/i/a", "GET", "o.i.f", "f"),
        ),
        (
            (
                "def make():\n    bp = Blueprint('b', __name__)\n    @bp.route('/a')\n    def f(): ...\n    return bp\n"
                "app.register_blueprint(make(), url_prefix='/p')"
            ),
            ("/p/a", "GET", "b.f", "make.f"),
        ),
        (
            (
                "from flask_restful import Api, Resource\nclass R(Resource):\n    def get(self): ...\n"
                "api = Api(app, prefix='/v1')\napi.add_resource(R, '/a')"
            ),
            ("/v1/a", "GET", "r", "R"),
        ),
        (
            (
                "from flask_restx import Api, Namespace, Resource\nns = Namespace('n', path='/n')\n@ns.route('/a')\nclass R(Resource):\n"
                "    def get(self): ...\napi = Api(app)\napi.add_namespace(ns)"
            ),
            ("/n/a", "GET", "n_r", "R"),
        ),
        (
            (
                "from flask_admin import Admin, BaseView, expose\nclass V(BaseView):\n    @expose('/x')\n    def x(self): ...\n"
                "Admin(app).add_view(V(name='v'))"
            ),
            ("/admin/v/x", "GET", "v.x", "V.x"),
        ),
        (
            "class Svc:\n    def __init__(self, app):\n        self.bp = Blueprint('s', __name__, url_prefix='/s')\n        self.app = app\n"
            "    def add(self, view, *urls):\n        for url in urls:\n            self.bp.add_url_rule(url, view_func=view)\n"
            "    def done(self):\n        self.app.register_blueprint(self.bp)\n"
            + VIEW
            + "s = Svc(app)\ns.add(f, '/a')\ns.done()",
            ("/s/a", "GET", "s.f", "f"),
        ),
        ("if app.config['X']:\n    @app.route('/a')\n    def f(): ...", ("/a", "GET", "f", "f")),
        (
            "@app.endpoint('e')\ndef f(): ...\nfrom werkzeug.routing import Rule\napp.url_map.add(Rule('/a', endpoint='e'))",
            ("/a", "GET", "e", "f"),
        ),
        (
            (
                "from flask_classful import FlaskView\nclass TeaView(FlaskView):\n    def brew(self): ...\n"
                "TeaView.register(app)"
            ),
            ("/tea/brew/", "GET", "TeaView:brew", "TeaView.brew"),
        ),
    ],
)
def test_a_route_is_seen(tmp_path: Path, code: str, expected: tuple[str, ...]) -> None:
    found = [
        (one.rule, ",".join(one.methods), one.endpoint, one.view.qualname)
        for one in routes(tmp_path, app=f"{APP}{code}\n").routes
        if one.view
    ]
    assert found == [expected]


def test_arithmetic_that_fails_ends_nothing(tmp_path: Path) -> None:
    found = routes(tmp_path, app=f"{APP}parts = 0\nshare = 100 % parts\n@app.route('/a')\ndef f(): ...\n")

    assert [one.rule for one in found.routes if one.view] == ["/a"]


def test_a_factory_registers_the_blueprints_of_other_modules(tmp_path: Path) -> None:
    found = routes(
        tmp_path,
        **{
            "blog/__init__": "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    from . import a\n"
            "    for module in (a,):\n        app.register_blueprint(module.bp, url_prefix='/p')\n    return app\n",
            "blog/a": "from flask import Blueprint\nbp = Blueprint('a', __name__)\n@bp.route('/x')\n@login_required\ndef x():\n    return ''\n",
        },
    )
    route = found.routes[0]
    assert (route.rule, route.guarded_by, route.blueprint, route.location.path) == (
        "/p/x",
        ("login_required",),
        "a",
        "blog/a.py",
    )
    assert found.at("blog/a.py", 6) is route
    assert found.at("blog/a.py", 1) is None


def test_a_function_knows_the_routes_that_reach_it(tmp_path: Path) -> None:
    found = routes(
        tmp_path,
        app=f"{APP}def low(): ...\ndef mid(): low()\n@app.route('/a')\ndef f(): mid()\ndef alone(): ...\n",
    )
    scopes = {scope.name: scope for module in found.code.modules for scope in module.scopes}
    assert [one.rule for one in found.reaching(scopes["low"])] == ["/a"]
    assert found.reaching(scopes["alone"]) == []


def test_hooks_are_seen_with_what_they_are_for(tmp_path: Path) -> None:
    code = (
        "bp = Blueprint('b', __name__)\n@bp.before_request\ndef one(): ...\n@app.errorhandler(404)\ndef two(e): ...\n"
        "@app.template_filter('x')\ndef three(v): ...\napp.after_request(one)\n"
    )
    hooks = {
        (one.kind, one.view.name, one.blueprint, one.argument)
        for one in routes(tmp_path, app=APP + code).hooks
    }
    assert hooks == {
        ("before_request", "one", "b", None),
        ("errorhandler", "two", "", 404),
        ("template_filter", "three", "", "x"),
        ("after_request", "one", "", None),
    }


def test_what_is_no_route_is_none(tmp_path: Path) -> None:
    code = "from bottle import route\n@route('/a')\ndef f(): ...\n@cache.get('/b')\ndef g(): ...\n"
    assert routes(tmp_path, app=code).routes == ()


WRAPPING = """
from functools import wraps
def checked(view):
    @wraps(view)
    def inner(*args):
        return view(*args)
    return inner
"""


def test_a_view_in_a_wrapper_of_the_project_goes_by_its_own_name(tmp_path: Path) -> None:
    line = "app.add_url_rule('/a', view_func=checked(f))\n"
    (route,) = routes(tmp_path, app=APP + WRAPPING + VIEW + line).routes
    assert (route.rule, route.endpoint, route.view and route.view.name) == ("/a", "f", "f")


def test_a_view_does_not_run_because_it_is_wrapped(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"{APP}{WRAPPING}@app.route('/a')\n@checked\n{VIEW}")
    code = Code.of(walk(tmp_path))
    (view,) = (scope for scope in code.modules[0].scopes if scope.name == "f")
    assert id(view.node) not in run(list(code.modules), code.names).entered


LONG = "a = 1; b = 2; c = 3; d = 4"


def followed(folder: Path, **files: str) -> set[str]:
    """Return the names of the functions that are followed whatever they are called with."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    code = Code.of(walk(folder))
    interest = Interest(code.modules, code.names)
    return {scope.qualname for scope in interest.functions if id(scope.node) in interest.hot}


@pytest.mark.parametrize(
    "body",
    [
        "return request.endpoint",
        "return [str(rule) for rule in current_app.url_map.iter_rules()]",
        "return seen.add(request.path)",
    ],
)
def test_a_view_that_registers_nothing_is_not_followed(tmp_path: Path, body: str) -> None:
    code = f"{APP}@app.route('/a')\ndef index():\n    {body}\ndef other():\n    index()\n"
    assert followed(tmp_path, app=code) == set()


@pytest.mark.parametrize(
    "line",
    [
        "app.endpoint('x')(f)",
        "app.url_map.add(Rule('/a', endpoint='x'))",
        "app.add_url_rule('/a', view_func=f)",
        "@app.route('/a')\n    def inner(): ...",
    ],
)
def test_a_function_that_registers_is_followed_with_those_that_call_it(tmp_path: Path, line: str) -> None:
    code = (
        f"{APP}def setup():\n    {line}\ndef outer():\n    def middle():\n        setup()\n    middle()\n"
        "def os_setup(os):\n    from elsewhere import setup\n    setup()\n"
    )
    found = followed(tmp_path, app=code)
    assert {"setup", "outer", "outer.middle"} <= found
    assert "os_setup" not in found


def test_a_call_of_what_a_subclass_overrides_is_followed(tmp_path: Path) -> None:
    code = f"""{APP}
class Base:
    def run(self):
        {LONG}
        self.setup()
    def setup(self): ...
class Own(Base):
    def setup(self):
        {LONG}
        app.add_url_rule("/a", view_func=f)
{VIEW}
Own().run()
"""
    (route,) = routes(tmp_path, app=code).routes
    assert route.rule == "/a"


def test_a_call_on_something_unknown_is_followed_by_its_name(tmp_path: Path) -> None:
    code = f"""{APP}
class Own:
    def setup(self):
        {LONG}
        app.add_url_rule("/a", view_func=f)
def run(things):
    {LONG}
    for thing in things:
        thing.setup()
{VIEW}
run([Own()])
"""
    (route,) = routes(tmp_path, app=code).routes
    assert route.rule == "/a"


def test_a_property_that_registers_is_followed_from_where_it_is_read(tmp_path: Path) -> None:
    code = f"""{APP}
class Own:
    @property
    def pages(self):
        {LONG}
        bp = Blueprint("b", __name__)
        bp.add_url_rule("/a", view_func=f)
        return bp
def run(own):
    {LONG}
    app.register_blueprint(own.pages)
def start():
    {LONG}
    own = Own()
    own.pages
{VIEW}
run(Own())
"""
    (route,) = routes(tmp_path, app=code).routes
    assert route.rule == "/a"
    assert "start" in followed(tmp_path, app=code)


def test_a_chain_of_imports_of_any_length_is_followed(tmp_path: Path) -> None:
    length = 1200
    modules = {
        f"m{at}": f"from m{at + 1} import app\n\n@app.get('/{at}')\ndef view_{at}():\n    return ''\n"
        for at in range(length)
    }
    found = routes(tmp_path, **modules, **{f"m{length}": "from flask import Flask\napp = Flask(__name__)\n"})

    assert len(found.routes) == length
    assert found.skipped == ()


def test_a_function_whose_calls_nest_too_deeply_is_told_and_the_rest_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registrar, "enter", _too_deep)
    found = routes(
        tmp_path,
        app=f"{APP}\n@app.get('/')\n{VIEW}\ndef register(app):\n    app.add_url_rule('/x', view_func=f)\n",
    )

    assert [route.rule for route in found.routes] == ["/"]
    assert [one.what for one in found.skipped] == ["app.py register()"]


def _too_deep(*_: object) -> None:
    raise RecursionError
