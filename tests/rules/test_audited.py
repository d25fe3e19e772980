"""A dangerous call with a value of unknown origin is told of with low confidence, and what the author wrote, set up or checked is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import found

from stopper.finding import Confidence

APP = "import os, pickle, shutil, subprocess, sys\nfrom flask import Flask, current_app\n\napp = Flask(__name__)\n\n"


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run([sys.executable, '-m', name])",
        "subprocess.run([shutil.which('convert'), name])",
        "subprocess.run([current_app.config['CONVERTER'], name])",
        "subprocess.run([os.path.join(os.path.dirname(__file__), 'bin', 'convert'), name])",
        "subprocess.run([{'image': 'convert'}[name], 'x'])",
        "subprocess.run(['convert', name])",
        "subprocess.run(['env', '-c', name])",
        "os.execlp('convert', 'convert', name)",
    ],
)
def test_a_program_that_the_author_chose_is_left_alone(tmp_path: Path, line: str) -> None:
    assert not found(tmp_path, "computed-program", f"{APP}def run(name):\n    {line}\n")
    assert not found(tmp_path, "shell-command", f"{APP}def run(name):\n    {line}\n")


@pytest.mark.parametrize(
    ("slug", "line"),
    [
        ("computed-program", "subprocess.run([name, 'x'])"),
        ("computed-program", "subprocess.run(name.split())"),
        ("computed-program", "os.spawnlp(os.P_WAIT, name)"),
        ("computed-program", "os.posix_spawn(name, [name], os.environ)"),
        ("shell-command", "os.spawnl(os.P_WAIT, '/bin/sh', 'sh', '-c', name)"),
        ("shell-command", "subprocess.run(['/bin/bash', '-ec', 'ls ' + name])"),
        ("shell-command", "getattr(os, 'popen')('ls ' + name)"),
        ("computed-code", "exec(name)"),
        ("unpickled-data", "pickle.loads(name)"),
    ],
)
def test_what_comes_from_nowhere_is_told_with_low_confidence(tmp_path: Path, slug: str, line: str) -> None:
    told = found(tmp_path, slug, f"{APP}def run(name):\n    {line}\n")

    assert [one.confidence for one in told] == [Confidence.LOW]
    assert "where that comes from is not seen here" in told[0].message


@pytest.mark.parametrize(
    "use",
    [
        "def other():\n    run('ls')\n",
        "import threading\nthreading.Thread(target=run, args=('ls',)).start()\n",
    ],
)
def test_what_the_project_itself_calls_or_hands_over_is_left_to_the_flows(tmp_path: Path, use: str) -> None:
    assert not found(tmp_path, "shell-command", f"{APP}def run(name):\n    os.system(name)\n\n{use}")


def test_what_is_typed_in_is_told_of_in_a_function_that_is_called_too(tmp_path: Path) -> None:
    text = f"{APP}def main():\n    name = input('which? ')\n    os.system('rm ' + name)\n\nmain()\n"

    assert [one.location.line for one in found(tmp_path, "shell-command", text)] == [8]


def test_a_function_under_another_name_is_the_same_function(tmp_path: Path) -> None:
    text = f"{APP}start = os.system\n\ndef run(name):\n    start(name)\n"

    assert [one.location.line for one in found(tmp_path, "shell-command", text)] == [9]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("token = hashlib.md5((name + str(time.time())).encode()).hexdigest()", "secrets.token_urlsafe(32)"),
        ("kept = hashlib.md5(reset_token.encode()).hexdigest()", "hashlib.sha256(token).hexdigest()"),
    ],
)
def test_a_token_is_drawn_and_not_hashed_from_what_is_known(tmp_path: Path, line: str, advice: str) -> None:
    text = f"import hashlib, time\nfrom flask import Flask\n\napp = Flask(__name__)\n\ndef give(name, reset_token):\n    {line}\n"

    assert [one.remedy for one in found(tmp_path, "weak-password-hash", text)] == [advice]


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("return render_template('mail.txt', name=1)", 1),
        ("return render_template('mail' + '.txt', name=1)", 1),
        ("return render_template('%s.txt' % kind, name=1)", 1),
        ("return render_template('mail.html', name=1)", 0),
        ("return render_template(kind, name=1)", 0),
        ("return render_template('mail.txt')", 0),
        ("body = render_template('mail.txt', name=1)", 0),
    ],
)
def test_a_template_that_is_not_here_is_judged_by_its_name(tmp_path: Path, line: str, times: int) -> None:
    text = f"from flask import Flask, render_template\n\napp = Flask(__name__)\n\n@app.get('/<kind>')\ndef show(kind):\n    {line}\n"

    assert len(found(tmp_path, "template-unescaped-extension", text)) == times


def test_a_method_that_only_a_framework_can_call_is_called_by_nothing_here(tmp_path: Path) -> None:
    text = f"{APP}from jobs import Job\n\nclass Clean(Job):\n    def get(self, message):\n        os.system('rm ' + message.get('name'))\n"

    assert [one.confidence for one in found(tmp_path, "shell-command", text)] == [Confidence.LOW]
    assert not found(tmp_path, "shell-command", f"{text}\nClean().get({{}})\n")


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("return globals()[name]", 1),
        ("return globals()['on_' + name]", 0),
        ("return globals().get('on_' + name)", 0),
    ],
)
def test_a_name_that_begins_with_words_of_the_author_is_narrow(tmp_path: Path, line: str, times: int) -> None:
    assert len(found(tmp_path, "computed-code", f"{APP}def act(name):\n    {line}\n")) == times


def test_what_a_parameter_may_be_is_not_what_it_is_in_one_branch(tmp_path: Path) -> None:
    text = f"""{APP}import ssl

class Connection:
    def __init__(self, reqs="required"):
        if reqs is None:
            reqs = ssl.CERT_NONE
        self.reqs = reqs

    def connect(self):
        context = ssl.create_default_context()
        context.verify_mode = self.reqs
        return context
"""
    assert not found(tmp_path, "certificate-verification-off", text)
    assert found(tmp_path, "certificate-verification-off", text.replace("= self.reqs", "= ssl.CERT_NONE"))


def test_a_digest_that_is_named_after_its_algorithm_is_a_label(tmp_path: Path) -> None:
    text = f"{APP}import hashlib\n\nclass Script:\n    def load(self, script):\n        self.sha = hashlib.sha1(script).hexdigest()\n"

    assert not found(tmp_path, "broken-hash", text)
