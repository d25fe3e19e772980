"""Settings are found wherever they are written, and told apart by environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.code import Code
from stopper.source.files import walk
from stopper.source.settings import Settings, read

HEAD = "import os\nfrom flask import Flask\n"


def settings(folder: Path, **files: str) -> Settings:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tree = walk(folder)
    return read(tree, Code.of(tree))


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ('app.config["SECRET_KEY"] = "x"', "app.config[]"),
        ('app.config.update(SECRET_KEY="x")', "update"),
        ('app.config.update({"SECRET_KEY": "x"})', "update"),
        ('app.config.from_mapping(SECRET_KEY="x")', "from_mapping"),
        ('app.config.setdefault("SECRET_KEY", "x")', "setdefault"),
        ('app.secret_key = "x"', "attribute"),
        ('class C:\n    SECRET_KEY = "x"\napp.config.from_object(C)', "from_object"),
        ('class C:\n    SECRET_KEY = "x"\napp.config.from_object(C())', "from_object"),
        (
            'class B:\n    SECRET_KEY = "x"\nclass C(B):\n    pass\napp.config.from_object("app.C")',
            "from_object",
        ),
        ('SECRET_KEY = "x"\napp.config.from_object(__name__)', "from_object"),
    ],
)
def test_a_value_given_in_code_is_read(tmp_path: Path, line: str, how: str) -> None:
    found = settings(tmp_path, app_dot_py=f"{HEAD}app = Flask(__name__)\n{line}\n").in_production(
        "SECRET_KEY"
    )
    assert [(one.value.constant, one.how) for one in found] == [("x", how)]


def test_the_classes_of_a_dict_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    config = (
        "class Base:\n    A = 1\n    DEBUG = False\nclass One(Base):\n    DEBUG = True\nclass Two(Base):\n    B = 2\n"
        'config = {"development": One, "production": Two}\n'
    )
    app = f"{HEAD}from config import config\ndef create_app(name):\n    app = Flask(__name__)\n    app.config.from_object(config[name])\n    return app\n"
    found = settings(tmp_path, app_dot_py=app, config_dot_py=config)
    assert [one.environment for one in found.of("A")] == ["any"]
    assert {(one.environment, one.value.constant) for one in found.of("DEBUG")} == {
        ("development", True),
        ("production", False),
    }
    assert [one.value.constant for one in found.in_production("DEBUG")] == [False]
    assert not found.unreadable


def test_a_parameter_is_followed_to_its_default(tmp_path: Path) -> None:
    app = f"{HEAD}class Config:\n    A = 1\ndef create_app(c=Config):\n    app = Flask(__name__)\n    app.config.from_object(c)\n"
    assert settings(tmp_path, app_dot_py=app).is_set("A")


def test_a_branch_for_debugging_does_not_hold_in_production(tmp_path: Path) -> None:
    app = f'{HEAD}app = Flask(__name__)\nif app.debug:\n    app.config["A"] = 1\nelse:\n    app.config["A"] = 2\n'
    found = settings(tmp_path, app_dot_py=app)
    assert [one.value.constant for one in found.in_production("A")] == [2]
    assert len(found.of("A")) == 2


def test_a_later_line_of_the_function_wins(tmp_path: Path) -> None:
    app = f'{HEAD}app = Flask(__name__)\napp.config["A"] = 1\napp.config["A"] = 2\n'
    assert [one.value.constant for one in settings(tmp_path, app_dot_py=app).in_production("A")] == [2]


@pytest.mark.parametrize(
    "line",
    ['app.config.from_envvar("X")', 'app.config.from_pyfile("gone.cfg")', "app.config.from_object(what)"],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, line: str) -> None:
    assert settings(tmp_path, app_dot_py=f"{HEAD}app = Flask(__name__)\n{line}\n").unreadable


def test_a_python_file_that_is_loaded_is_read(tmp_path: Path) -> None:
    app = f'{HEAD}app = Flask(__name__)\napp.config.from_pyfile("s.cfg")\n'
    assert settings(tmp_path, app_dot_py=app, s_dot_cfg="A = 3\n").in_production("A")[0].value.constant == 3


def test_settings_gathered_before_there_is_an_app_are_read(tmp_path: Path) -> None:
    app = (
        f"{HEAD}from flask import Config\n"
        "def gathered():\n    config = Config('/')\n    config.from_object('defaults')\n    config['B'] = 4\n    return config\n"
        "app = Flask(__name__)\napp.config.update(gathered())\n"
    )
    found = settings(tmp_path, app_dot_py=app, defaults_dot_py="A = 3\n")

    assert [found.in_production(key)[0].value.constant for key in "AB"] == [3, 4]


def test_an_environment_file_gives_what_the_code_reads(tmp_path: Path) -> None:
    app = f'{HEAD}app = Flask(__name__)\napp.config["SECRET_KEY"] = os.environ["KEY"]\n'
    compose = "services:\n  web:\n    environment:\n      KEY: bench\n      OTHER: 1\n    ports: []\n"
    found = settings(
        tmp_path, app_dot_py=app, **{"docker-compose_dot_yml": compose, "_dot_flaskenv": "FLASK_DEBUG=1\n"}
    )
    assert [one.value.constant for one in found.in_production("SECRET_KEY") if one.value.known] == ["bench"]
    assert found.in_production("DEBUG")[0].value.constant == "1"
    assert {one.name for one in found.variables} == {"KEY", "OTHER", "FLASK_DEBUG"}


@pytest.mark.parametrize(
    ("name", "text", "program", "workers", "bind"),
    [
        ("Procfile", "web: gunicorn -w 4 --bind=0.0.0.0:80 wsgi:app\n", "gunicorn", 4, "0.0.0.0:80"),
        ("Dockerfile", 'FROM python\nCMD ["flask", "run", "--host", "0.0.0.0"]\n', "flask", None, "0.0.0.0"),
        (
            "app.service",
            "ExecStart=/usr/bin/waitress-serve --listen=*:80 a:b\n",
            "waitress-serve",
            None,
            "*:80",
        ),
        ("uwsgi.ini", "[uwsgi]\nprocesses = 3\nhttp = :80\n", "uwsgi", 3, ":80"),
        ("gunicorn.conf.py", 'workers = 2\nbind = ":80"\n', "gunicorn", 2, ":80"),
    ],
)
def test_a_start_command_is_read(
    tmp_path: Path, name: str, text: str, program: str, workers: int | None, bind: str
) -> None:
    (tmp_path / name).write_text(text)
    command = settings(tmp_path).commands[0]
    assert (command.program, command.workers, command.bind) == (program, workers, bind)


def test_a_web_server_file_tells_its_headers(tmp_path: Path) -> None:
    text = 'server {\n listen 443 ssl;\n server_name a.example;\n add_header X-A "b; c" always;\n proxy_set_header Host $host;\n}\n'
    proxy = settings(tmp_path, nginx_dot_conf=text).proxies[0]
    assert [(name, value) for name, value, _ in proxy.headers] == [("X-A", "b; c")]
    assert (proxy.kind, proxy.server_names, proxy.listens_tls) == ("nginx", ("a.example",), True)
