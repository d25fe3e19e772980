"""Where a client's data comes in: every entry and every form beside its nearest safe neighbour."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.finding import Confidence
from stopper.source.files import walk
from stopper.source.project import Options, Project
from stopper.taint.flow import Flow
from stopper.taint.flows import every

HEAD = """
import os
from flask import Flask, abort, request, session
app = Flask(__name__)
"""


def flows(folder: Path, code: str, *, second_order: bool = True) -> list[Flow]:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(HEAD + code, encoding="utf-8")
    found = every(Project(walk(folder), Options(second_order=second_order))).by_kind
    return [flow for kind in ("command", "code", "html") for flow in found.get(kind, [])]


PAIRS = {
    "a converter of the project": (
        """
from werkzeug.routing import BaseConverter
class Unit(BaseConverter):
    regex = "REGEX"
app.url_map.converters["unit"] = Unit
@app.post("/<unit:name>")
def stop(name):
    os.system("stop " + name)
""",
        ("REGEX", "[^/]+", "[a-z]+"),
    ),
    "the parts of the URL by way of the request": (
        """
@app.get("/<TYPE:name>")
def show(name):
    os.system("show " + str(request.view_args["name"]))
""",
        ("TYPE", "string", "int"),
    ),
    "an event of Flask-SocketIO": (
        """
from flask_socketio import SocketIO
socketio = SocketIO(app)
@socketio.on("run")
def run(data):
    os.system(VALUE)
""",
        ("VALUE", 'data["name"]', '"ls"'),
    ),
    "a namespace of Flask-SocketIO": (
        """
from flask_socketio import Namespace
class Room(Namespace):
    def on_run(self, data):
        os.system(VALUE)
""",
        ("VALUE", "data", '"ls"'),
    ),
    "a socket of Flask-Sock": (
        """
from flask_sock import Sock
sock = Sock(app)
@sock.route("/echo")
def echo(ws):
    os.system(VALUE)
""",
        ("VALUE", "ws.receive()", "str(len(ws.receive()))"),
    ),
    "a session interface": (
        """
from flask.sessions import SessionInterface
class Own(SessionInterface):
    def open_session(self, app, request):
        os.system(VALUE)
""",
        ("VALUE", 'request.cookies.get("a")', "app.name"),
    ),
    "a handler of the project's exception": (
        """
class AppError(Exception):
    def __init__(self, message, code):
        self.message = message
        self.code = code
@app.get("/")
def index():
    raise AppError(request.args["q"], 400)
@app.errorhandler(AppError)
def handle(error):
    return f"<p>{VALUE}</p>"
""",
        ("VALUE", "error.message", "error.code"),
    ),
    "what abort says": (
        """
@app.get("/")
def index():
    abort(400, description=VALUE)
@app.errorhandler(400)
def handle(error):
    return "<p>" + error.description
""",
        ("VALUE", 'request.args["q"]', '"wrong"'),
    ),
    "a method of a view without verbs": (
        """
from flask.views import View
class Show(View):
    def dispatch_request(self, name):
        os.system("show " + VALUE)
app.add_url_rule("/<name>", view_func=Show.as_view("show"))
""",
        ("VALUE", "name", '"a"'),
    ),
    "a hook that sees the parts of the URL": (
        """
@app.url_value_preprocessor
def before(endpoint, values):
    os.system("log " + VALUE)
""",
        ("VALUE", 'values["lang"]', "endpoint"),
    ),
    "a task that runs later": (
        """
from celery import shared_task
@shared_task(bind=True)
def work(self, name, count):
    os.system("work " + VALUE)
@app.post("/")
def start():
    work.delay(request.form["name"], 3)
""",
        ("VALUE", "name", "str(count)"),
    ),
    "a field of a form": (
        """
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import AnyOf, DataRequired
class Choose(FlaskForm):
    name = StringField(validators=[VALIDATOR])
@app.post("/")
def choose():
    form = Choose()
    if form.validate_on_submit():
        os.system("use " + form.name.data)
""",
        ("VALIDATOR", "DataRequired()", 'AnyOf(["a", "b"])'),
    ),
    "a parser of Flask-RESTful": (
        """
from flask_restful import reqparse
parser = reqparse.RequestParser()
parser.add_argument("name", ARGUMENT)
@app.post("/")
def use():
    os.system("use " + str(parser.parse_args()["name"]))
""",
        ("ARGUMENT", "type=str", 'choices=("a", "b")'),
    ),
    "arguments of webargs": (
        """
from webargs import fields
from webargs.flaskparser import use_args
@app.get("/")
@use_args({"name": fields.TYPE()}, location="query")
def use(args):
    os.system("use " + str(args["name"]))
""",
        ("TYPE", "Str", "Int"),
    ),
    "keywords of webargs": (
        """
from webargs import fields
from webargs.flaskparser import use_kwargs
@app.get("/")
@use_kwargs({"name": fields.Str(VALID)}, location="query")
def use(name):
    os.system("use " + name)
""",
        ("VALID", "", 'validate=validate.OneOf(["a"])'),
    ),
    "arguments of Flask-Smorest": (
        """
from flask_smorest import Blueprint
from marshmallow import Schema, fields
blp = Blueprint("a", __name__)
class Query(Schema):
    name = fields.TYPE()
@blp.route("/")
@blp.arguments(Query, location="query")
def use(args):
    os.system("use " + str(args["name"]))
app.register_blueprint(blp)
""",
        ("TYPE", "String", "Date"),
    ),
    "a schema of marshmallow": (
        """
from marshmallow import Schema, fields
class Query(Schema):
    name = fields.TYPE()
@app.post("/")
def use():
    os.system("use " + str(Query().load(request.get_json())["name"]))
""",
        ("TYPE", "String", "Boolean"),
    ),
    "a model of pydantic": (
        """
from pydantic import BaseModel
class Query(BaseModel):
    name: TYPE
@app.post("/")
def use():
    os.system("use " + str(Query.model_validate(request.get_json()).name))
""",
        ("TYPE", "str | None", "int | None"),
    ),
    "a model of pydantic with a pattern": (
        """
from typing import Annotated
from pydantic import BaseModel, StringConstraints
class Query(BaseModel):
    name: TYPE
@app.post("/")
def use():
    os.system("use " + Query(**request.get_json()).name)
""",
        ("TYPE", "str", 'Annotated[str, StringConstraints(pattern="^[a-z]+$")]'),
    ),
    "a model that a decorator validates": (
        """
from flask_pydantic import validate
from pydantic import BaseModel
class Query(BaseModel):
    name: TYPE
@app.get("/")
@validate()
def use(query: Query):
    os.system("use " + str(query.name))
""",
        ("TYPE", "str", "float"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", PAIRS)
def test_an_entry_and_its_safe_neighbour(tmp_path: Path, title: str) -> None:
    code, (place, hole, safe) = PAIRS[title]

    assert [flow.confidence for flow in flows(tmp_path / "hole", code.replace(place, hole))] == [
        Confidence.HIGH
    ]
    assert flows(tmp_path / "safe", code.replace(place, safe)) == []


LATER = {
    "the session": ('session["a"] = request.form["a"]', 'session["a"]', 'session["b"]'),
    "the session, asked": ('session.update(a=request.form["a"])', 'session.get("a", "")', 'session.get("b", "")'),
    "a file": (
        'open("a.txt", "w").write(request.form["a"])',
        'open("a.txt").read()',
        'open("b.txt").read()',
    ),
    "a path": (
        'pathlib.Path("a.txt").write_text(request.form["a"])',
        'pathlib.Path("a.txt").read_text()',
        'pathlib.Path("b.txt").read_text()',
    ),
    "a table": (
        'db.execute("INSERT INTO note (name, size) VALUES (?, ?)", (request.form["a"], 1))',
        'db.execute("SELECT name FROM note").fetchone()[0]',
        'str(db.execute("SELECT size FROM note").fetchone()[0])',
    ),
    "a table, updated": (
        'db.execute("UPDATE note SET name = ? WHERE id = ?", (request.form["a"], 1))',
        'db.execute("SELECT * FROM note").fetchall()[0]["name"]',
        'db.execute("SELECT * FROM other").fetchall()[0]["name"]',
    ),
    "a model": (
        'orm.session.add(Note(text=request.form["a"], size=1))',
        "Note.query.first().text",
        "str(Note.query.first().size)",
    ),
    "a model, changed": (
        'Note.query.get(1).text = request.form["a"]',
        "orm.session.execute(orm.select(Note)).scalars().first().text",
        "Note.query.get(1).title",
    ),
}  # fmt: skip
MODELS = """
import pathlib
import sqlite3
from flask_sqlalchemy import SQLAlchemy
db = sqlite3.connect("a.db")
orm = SQLAlchemy(app)
class Note(orm.Model):
    id = orm.Column(orm.Integer, primary_key=True)
    size = orm.Column(orm.Integer)
    title = orm.Column(orm.Text)
    text = orm.Column(orm.Text)
@app.post("/keep")
def keep():
    {keep}
    return ""
@app.get("/run")
def run():
    os.system("run " + {find})
    return ""
"""


@pytest.mark.parametrize("title", LATER)
def test_what_one_request_leaves_behind_another_finds(tmp_path: Path, title: str) -> None:
    keep, find, other = LATER[title]
    code = MODELS.format(keep=keep, find=find)

    assert [flow.confidence for flow in flows(tmp_path / "hole", code)] == [Confidence.LOW]
    assert flows(tmp_path / "other", MODELS.format(keep=keep, find=other)) == []
    assert flows(tmp_path / "off", code, second_order=False) == []


CIRCLES = {
    "a module and itself": {"app.py": "from app import run\n"},
    "two modules": {"app.py": "from other import run\n", "other.py": "from app import run\n"},
    "a package and itself": {"app.py": "from box import run\n", "box/__init__.py": "from box import run\n"},
}


@pytest.mark.parametrize("title", CIRCLES)
def test_names_imported_in_a_circle_stand_for_nothing(tmp_path: Path, title: str) -> None:
    view = 'made = run(app)\n@app.get("/")\ndef show():\n    made.go()\n    os.system(request.args["a"])\n'
    for name, text in CIRCLES[title].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + (HEAD + view if name == "app.py" else ""), encoding="utf-8")

    found = every(Project(walk(tmp_path))).by_kind

    assert [flow.sink_name for flow in found["command"]] == ["system()"]
