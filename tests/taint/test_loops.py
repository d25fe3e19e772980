"""A loop that looks at each letter of a text says something of the text, where no other letter comes past it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint.flows import every

HOLD = {
    "raises": "for c in x:\n    if not (c.isalnum() or c == '_'):\n        abort(400)",
    "raises early": "for c in x:\n    if c not in OPEN:\n        raise ValueError(x)",
    "returns": "for c in x:\n    if c not in OPEN:\n        return ''",
    "goes on": "for c in x:\n    if c.isalpha():\n        continue\n    if c == '-':\n        continue\n    abort(400)",
    "two tests": "for c in x:\n    if not c.isascii():\n        abort(400)\n    if not c.isalnum():\n        abort(400)",
    "counts": "n = 0\nfor c in x:\n    n += 1\n    if not c.isdigit():\n        abort(400)",
    "with else": "for c in x:\n    if not c.isalnum():\n        break\nelse:\n    os.system('ls ' + x)\nreturn ''",
}
PASS = {
    "one letter": "for c in x:\n    if c == ';':\n        abort(400)",
    "stops": "for c in x:\n    if not c.isalnum():\n        abort(400)\n    break",
    "leaves out": "for c in x:\n    if not c.isalnum():\n        continue\n    print(c)",
    "another text": "for c in request.args['y']:\n    if not c.isalnum():\n        abort(400)",
    "becomes another": "for c in x:\n    x = x + ';'\n    if not c.isalnum():\n        abort(400)",
    "a part": "for c in x[1:]:\n    if not c.isalnum():\n        abort(400)",
    "one way past": "for c in x:\n    if request.args:\n        continue\n    if not c.isalnum():\n        abort(400)",
    "is caught": "for c in x:\n    try:\n        if not c.isalnum():\n            raise ValueError(x)\n    except ValueError:\n        pass",
    "is caught, too": "for c in x:\n    try:\n        if not c.isalnum():\n            abort(400)\n    except Exception:\n        pass",
    "is caught by name": "for c in x:\n    try:\n        if not c.isalnum():\n            abort(400)\n    except Exception as e:\n        print(e)",
    "is caught outside": "try:\n    for c in x:\n        if not c.isalnum():\n            abort(400)\nexcept Exception:\n    pass",
    "a quote": "for c in x:\n    if c not in OPEN and c != ';':\n        abort(400)",
    "another letter": "d = x\nfor c in x:\n    for d in 'abc':\n        if not d.isalnum():\n            abort(400)",
    "the letter changes": "for c in x:\n    c = 'a'\n    if not c.isalnum():\n        abort(400)",
    "too late": "for c in x:\n    os.system('ls ' + x)\n    if not c.isalnum():\n        abort(400)\nreturn ''",
}


def harmed(folder: Path, body: str) -> bool:
    lines = "\n".join(f"    {line}" for line in [*body.splitlines(), "os.system('ls ' + x)", "return ''"])
    code = f"import os\nfrom flask import Flask, abort, request\napp = Flask(__name__)\nOPEN = 'abc-'\n@app.get('/<x>')\ndef view(x):\n{lines}\n"
    (folder / "app.py").write_text(code, encoding="utf-8")
    return "command" in every(Project(walk(folder))).by_kind


@pytest.mark.parametrize("how", HOLD)
def test_every_letter_was_looked_at_when_a_loop_ends(tmp_path: Path, how: str) -> None:
    assert not harmed(tmp_path, HOLD[how])


@pytest.mark.parametrize("how", PASS)
def test_a_loop_that_letters_come_past_says_nothing(tmp_path: Path, how: str) -> None:
    assert harmed(tmp_path, PASS[how])
