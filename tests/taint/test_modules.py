"""Who reads a variable of a module rests on that variable alone, and what is done when the code is defined comes first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows, rounds
from stopper.taint.engine import Engine
from stopper.taint.flows import Flows, every

KEPT = {
    "settings.py": "limits = {}\ndef put(value):\n    limits['root'] = value\n",
    "shop.py": (
        "import os, settings\nkept = settings.limits.get('root')\nplain = os.environ.get('HOME', '/')\n"
        "def home():\n    return plain\n"
    ),
    "app.py": (
        "import settings, shop\nfrom flask import Flask, request\napp = Flask(__name__)\n"
        "@app.post('/set')\ndef change():\n    settings.put(request.form['root'])\n    return ''\n"
        "@app.get('/uses')\ndef uses():\n    return open(shop.kept).read()\n"
        "@app.get('/other')\ndef other():\n    return open(shop.home() + '/notes').read()\n"
    ),
}
AGAIN = {
    "shop.py": "import base\nkept = base.kept\nplain = base.plain\ndef home():\n    return plain\n",
    "base.py": KEPT["shop.py"],
}
"""The same by way of a second module."""
CIRCLE = {
    "shop.py": "import base\nsuffix = '.txt'\nkept = base.kept\nplain = base.plain\ndef home():\n    return plain\n",
    "base.py": f"import shop\n{KEPT['shop.py']}named = shop.suffix\n",
}
TABLE = {
    "app.py": (
        "import os\nfrom flask import Flask, request\napp = Flask(__name__)\nhandlers = {}\n"
        "def handler(name):\n    def keep(function):\n        handlers[name] = function\n        return function\n    return keep\n"
        "@app.get('/')\ndef show():\n    return handlers[request.args['name']](request.args['q'])\n"
        "@handler('run')\ndef run(text):\n    os.system(text)\n"
    ),
}


def solved(
    folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[Counter[str], Flows]:
    """Return how often each root is solved by itself, and the flows."""
    names: Counter[str] = Counter()
    solve = rounds.solved

    def noted(engine: Engine, root: flows.Root) -> object:
        names[root.scope.name] += 1
        return solve(engine, root)

    monkeypatch.setattr(rounds, "solved", noted)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return names, every(Project(walk(folder)))


@pytest.mark.parametrize(
    "more", [{}, AGAIN, CIRCLE], ids=["one module", "two modules", "a circle of modules"]
)
def test_who_reads_another_variable_of_a_module_is_not_solved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    names, found = solved(tmp_path, KEPT | more, monkeypatch)

    assert [flow.function for flow in found.by_kind["path"]] == ["uses"]
    assert names["uses"] == 2
    assert names["other"] == 1


def test_what_is_done_when_the_code_is_defined_is_known_to_who_is_called_by_flask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, found = solved(tmp_path, TABLE, monkeypatch)

    assert [flow.function for flow in found.by_kind["command"]] == ["show"]
    assert names["show"] == 1
