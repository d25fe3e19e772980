"""Flows, and the models they are found with."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.errors import ModelError
from stopper.finding import Confidence
from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import builtin, checks, models
from stopper.taint.flows import every, flows_into

APP = """
import os
from flask import Flask, request
app = Flask(__name__)

@app.get("/ping")
def ping():
    host = request.args["host"]
    os.system("ping " + host)
    return "done"
"""


def project(folder: Path, **files: str) -> Project:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return Project(walk(folder))


def test_a_flow_tells_every_hop_from_source_to_sink(tmp_path: Path) -> None:
    (flow,) = flows_into(project(tmp_path, app=APP), "command")

    assert flow.source == "request.args['host']"
    assert [step.note for step in flow.steps] == [
        "request.args['host'] is read", "assigned to host", "joined into a string", "reaches system()",
    ]  # fmt: skip
    assert (flow.sink.path, flow.sink.line, flow.function) == ("app.py", 9, "ping")
    assert flow.confidence is Confidence.HIGH
    assert flow.steps[0].code == 'host = request.args["host"]'


def test_a_flow_crosses_into_another_module(tmp_path: Path) -> None:
    helper = "import os\n\ndef run(line):\n    os.system(line)\n"
    view = APP.replace("import os", "from helper import run").replace("os.system(", "run(")

    (flow,) = flows_into(project(tmp_path, app=view, helper=helper), "command")

    assert flow.sink.path == "helper.py"
    assert (flow.place.path, flow.path, flow.function) == ("app.py", "app.py", "ping")
    assert {step.location.path for step in flow.steps} == {"app.py", "helper.py"}


def test_flows_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    twice = APP.replace('    return "done"', '    os.system(host)\n    return "done"')

    lines = [flow.sink.line for flow in flows_into(project(tmp_path, app=twice), "command")]

    assert lines == sorted(lines)
    assert len(lines) == 2


def test_tests_of_the_application_are_no_entry(tmp_path: Path) -> None:
    assert flows_into(project(tmp_path, test_app=APP), "command") == []


def test_a_function_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stopper.taint.propagate.MAX_STEPS", 3)

    (skipped,) = every(project(tmp_path, app=APP)).skipped

    assert skipped.what == "app.py ping()"
    assert "too large" in skipped.reason


def test_a_function_that_cannot_be_followed_is_told_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        APP
        + """

@app.get("/odd")
def odd():
    os.system("ls " + request.args["a"])
    return dict(request.args)
"""
    )
    monkeypatch.setitem(builtin._SPECIAL, "dict", lambda *_: {}["a"])

    found = every(project(tmp_path, app=code))

    assert [flow.sink.line for flow in found.by_kind["command"]] == [9]
    (skipped,) = found.skipped
    assert skipped.what == "app.py odd()"
    assert skipped.reason == "following app.odd failed: KeyError: 'a'; please report it"


def test_a_view_of_a_class_is_an_entry(tmp_path: Path) -> None:
    code = """
import os
from flask import Flask
from flask.views import MethodView
app = Flask(__name__)

class Ping(MethodView):
    def get(self, host):
        os.system("ping " + host)
        return "done"

app.add_url_rule("/ping/<host>", view_func=Ping.as_view("ping"))
"""
    (flow,) = flows_into(project(tmp_path, app=code), "command")

    assert flow.source == "the URL's <host>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[sink]]\nnames = ["f"]\nkind = "sqll"\n', "x.toml:3: there is no kind 'sqll'"),
        ('[[sinks]]\nnames = ["f"]\n', "x.toml:1: there is no table 'sinks'"),
        ('[[source]]\nname = ["f"]\n', "x.toml:2: there is no key 'name'"),
        ("[[source]\n", "x.toml: "),
    ],
)
def test_a_model_that_is_wrong_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ModelError) as refused:
        models.read("x.toml", text)

    assert str(refused.value).startswith(told)


def test_every_check_that_a_model_names_exists() -> None:
    named = {entry.check for entry in models.load().tables["sink"].every()}

    assert named - {""} <= checks.NAMES


def test_every_kind_has_a_sink() -> None:
    assert {entry.kind for entry in models.load().tables["sink"].every()} == models.KINDS


@pytest.mark.parametrize(
    ("given", "confidences"),
    [
        ("200, {'X-Mark': '1'}", ["high"]),
        ("200, kept()", ["medium"]),
        ("200, {'Content-Type': 'application/json'}", []),
    ],
)
def test_an_answer_whose_headers_are_not_known_may_be_no_page(
    tmp_path: Path, given: str, confidences: list[str]
) -> None:
    code = f"""
import json
from elsewhere import kept
from flask import Flask, make_response, request
app = Flask(__name__)

@app.get("/")
def index():
    return make_response(json.dumps({{"name": request.args["name"]}}), {given})
"""
    assert [flow.confidence for flow in flows_into(project(tmp_path, app=code), "html")] == confidences


@pytest.mark.parametrize(("calls", "confidence"), [(2, "medium"), (12, "low")])
def test_what_requests_share_is_less_sure_the_longer_its_way(
    tmp_path: Path, calls: int, confidence: str
) -> None:
    handed_on = "\n".join(f"def pass_{at}(url):\n    pass_{at + 1}(url)\n" for at in range(calls))
    code = f"""
from flask import Flask, redirect, request
app = Flask(__name__)
target = "/"

{handed_on}
def pass_{calls}(url):
    global target
    target = url

@app.post("/settings")
def settings():
    pass_0(request.form["url"])
    return ""

@app.get("/go")
def go():
    return redirect(target)
"""
    (flow,) = flows_into(project(tmp_path, app=code), "redirect")

    assert flow.confidence == confidence
