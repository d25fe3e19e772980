"""The sentry stops a request whose input reaches a file, a shell, a pickle or an address that it may not; nothing else."""

from __future__ import annotations

import base64
import os
import pickle
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events, reaches
from stopper.guard.inputs import Inputs

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


class Evil:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("true",)


class Plain:
    """What an app may keep in a pickle of its own."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the folder of an app with one file to show, beside a file that is none of its business."""
    (tmp_path / "app" / "files").mkdir(parents=True)
    (tmp_path / "app" / "files" / "a.txt").write_text("shown")
    (tmp_path / "app" / "settings.py").write_text("SECRET = 1")
    (tmp_path / "app" / ".env").write_text("SECRET=1")
    return tmp_path / "app"


def build(site: Path, **said: Any) -> Flask:
    app = Flask("sentry", root_path=str(site), instance_path=str(site / "instance"))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    stopper = Stopper(app, csrf="off", **{"sentry": "enforce", **said})
    files = site / "files"

    @app.get("/open")
    def opened() -> str:
        return (files / request.args["name"]).read_text()

    @app.get("/normal")
    def normal() -> str:
        return Path(os.path.normpath(files / request.args["name"])).read_text()

    @app.get("/own")
    def own() -> str:
        return Path("/etc/hostname").read_text() + (site / "settings.py").read_text() + request.args["name"]

    @app.get("/system")
    def system() -> str:
        return str(os.system(f"true {request.args['name']}"))

    @app.get("/quoted")
    def quoted() -> str:
        return subprocess.run(
            f"echo {shlex.quote(request.args['name'])}",
            shell=True,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    @app.get("/shell")
    def shell() -> str:
        return subprocess.run(
            f"echo {request.args['name']}", shell=True, capture_output=True, text=True, check=True
        ).stdout

    @app.get("/list")
    def listed() -> str:
        return subprocess.run(
            ["echo", request.args["name"]], capture_output=True, text=True, check=True
        ).stdout

    @app.get("/program")
    def program() -> str:
        return subprocess.run([request.args["name"]], capture_output=True, text=True, check=True).stdout

    @app.post("/pickle")
    def unpickled() -> str:
        return type(pickle.loads(request.get_data())).__name__

    @app.get("/kept")
    def kept() -> str:
        return type(pickle.loads(KEPT)).__name__

    @app.get("/fetch")
    def fetch() -> str:
        with urllib.request.urlopen(request.args["url"], timeout=5) as answer:
            return answer.read().decode()

    @app.get("/backend")
    def backend() -> str:
        with socket.create_connection(("127.0.0.1", int(request.args["port"])), timeout=5):
            return "connected"

    @app.get("/console")
    @stopper.exempt("sentry")
    def console() -> str:
        return (files / request.args["name"]).read_text()

    return app


KEPT = pickle.dumps(Plain())


@pytest.fixture
def client(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    return build(site).test_client()


@pytest.mark.parametrize(
    "name",
    [
        "../../../../../../../../../../etc/passwd",
        "/etc/passwd",
        "../settings.py",
        "../.env",
        "..//settings.py",
        "./../.env",
    ],
)
@pytest.mark.parametrize("view", ["/open", "/normal"])
def test_a_file_that_a_request_may_not_name_is_not_opened(client: Client, view: str, name: str) -> None:
    assert client.get(view, query_string={"name": name}).status_code == 403


def test_a_file_that_it_may_name_and_one_that_it_does_not_name_are(client: Client) -> None:
    assert client.get("/open?name=a.txt").text == "shown"
    assert client.get("/normal?name=a.txt").text == "shown"
    assert client.get("/own?name=ice").status_code == 200
    assert client.get("/own?name=set").status_code == 200
    assert client.get("/own?name=hostname").status_code == 200
    assert client.get("/list?name=echo").text == "echo\n"


def test_a_folder_can_be_allowed(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "b.txt").write_text("media")
    said = {"name": str(tmp_path / "media" / "b.txt")}

    assert build(site).test_client().get("/open", query_string=said).status_code == 403
    assert (
        build(site, sentry_folders=[str(tmp_path / "media")])
        .test_client()
        .get("/open", query_string=said)
        .text
        == "media"
    )
    with pytest.raises(ConfigurationError, match="whole path"):
        build(site, sentry_folders=["media"])


def test_a_route_can_be_exempt(client: Client) -> None:
    assert client.get("/console", query_string={"name": "../settings.py"}).text == "SECRET = 1"


@pytest.mark.parametrize(
    "name", ["; id", "$(id)", "a && id", "`id`", "a | id", "a\nid", "a > /tmp/x", "'; id; '"]
)
def test_a_shell_gets_no_code(client: Client, name: str) -> None:
    assert client.get("/system", query_string={"name": name}).status_code == 403
    assert client.get("/shell", query_string={"name": name}).status_code == 403


@pytest.mark.parametrize("name", ["photo.jpg", "a-b_c", "7"])
def test_a_shell_gets_a_word(client: Client, name: str) -> None:
    assert client.get("/shell", query_string={"name": name}).text == f"{name}\n"


@pytest.mark.parametrize("name", ["a b", "$(id)", "; id", 'say "x"'])
def test_what_is_quoted_or_an_argument_of_its_own_is_no_code(client: Client, name: str) -> None:
    assert client.get("/quoted", query_string={"name": name}).text == f"{name}\n"
    assert client.get("/list", query_string={"name": name}).text == f"{name}\n"


def test_a_request_does_not_choose_the_program(client: Client) -> None:
    assert client.get("/program?name=/usr/bin/id").status_code == 403
    assert client.get("/program?name=id").status_code == 403


def test_a_pickle_that_runs_something_is_stopped_and_one_of_the_apps_own_is_not(client: Client) -> None:
    assert client.post("/pickle", data=pickle.dumps(Evil())).status_code == 403
    assert client.post("/pickle", data=pickle.dumps(Evil(), protocol=0)).status_code == 403
    assert client.post("/pickle", data=KEPT).status_code == 403
    assert client.post("/pickle", data=pickle.dumps([1])).text == "list"
    assert client.get("/kept").text == "Plain"


class Listener:
    """A server on the loopback that answers every request in the same way."""

    def __init__(self, answer: bytes, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_server((host, 0))
        self.port = self._socket.getsockname()[1]
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            with one:
                one.settimeout(2)
                try:
                    if one.recv(1000):
                        one.sendall(self._answer)
                except OSError:
                    continue

    def close(self) -> None:
        """End the server."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def inside() -> Iterator[Listener]:
    listener = Listener(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\ninside")
    yield listener
    listener.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0"]
)
def test_an_internal_address_is_not_reached_whatever_it_is_called(
    client: Client, inside: Listener, host: str
) -> None:
    assert client.get("/fetch", query_string={"url": f"http://{host}:{inside.port}/"}).status_code == 403


def test_an_internal_host_can_be_allowed_and_the_apps_own_connections_are_its_own(
    site: Path, inside: Listener
) -> None:
    client = build(site, sentry_hosts=["127.0.0.1"]).test_client()

    assert client.get("/fetch", query_string={"url": f"http://127.0.0.1:{inside.port}/"}).text == "inside"
    assert client.get("/backend", query_string={"port": inside.port}).text == "connected"
    assert build(site).test_client().get("/backend", query_string={"port": inside.port}).text == "connected"


def test_a_redirect_into_the_own_network_is_not_followed(
    site: Path, inside: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = "127.0.0.2"  # stands for a host of the open internet
    monkeypatch.setattr(
        reaches, "is_private", lambda host, real=reaches.is_private: host != outside and real(host)
    )
    target = f"http://127.0.0.1:{inside.port}/"
    answer = f"HTTP/1.0 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    listener = Listener(answer.encode(), outside)
    client = build(site).test_client()
    try:
        assert (
            client.get("/fetch", query_string={"url": f"http://{outside}:{listener.port}/"}).status_code
            == 403
        )
    finally:
        listener.close()


def test_report_lets_through_and_tells(site: Path, tmp_path: Path) -> None:
    told: list[events.Event] = []
    app = build(site, sentry="report")
    events.reported.connect(lambda _, event: told.append(event), app, weak=False)

    assert app.test_client().get("/open", query_string={"name": "../settings.py"}).text == "SECRET = 1"
    assert {(event.guard, event.facts["reached"]) for event in told} == {("sentry", "file")}


def test_it_is_off_unless_it_is_asked_for(site: Path) -> None:
    app = Flask("unasked", root_path=str(site))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    Stopper(app)

    @app.get("/open")
    def opened() -> str:
        return (site / "files" / request.args["name"]).read_text()

    assert app.test_client().get("/open", query_string={"name": "../settings.py"}).text == "SECRET = 1"


def test_without_it_no_hook_is_put_in() -> None:
    code = (
        "import sys\nadded = []\nsys.addaudithook = added.append\n"
        "from flask import Flask\nfrom stopper import Stopper\n"
        "app = Flask('a'); app.config.update(TESTING=True, SECRET_KEY='x' * 40); Stopper(app)\nprint(len(added))\n"
        "app = Flask('b'); app.config.update(TESTING=True, SECRET_KEY='x' * 40); Stopper(app, sentry='enforce')\nprint(len(added))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == ["0", "1"]


def test_an_event_outside_of_a_request_costs_next_to_nothing(client: Client) -> None:
    assert client.get("/open?name=a.txt").status_code == 200
    begun = time.process_time()
    for _ in range(10_000):
        sys.audit("open", "/etc/passwd", "r", 0)

    assert time.process_time() - begun < 0.5


@given(st.text(max_size=40), st.text(max_size=40), st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_nothing_makes_it_raise(path: str, value: str, encoded: bytes) -> None:
    inputs = Inputs([("args x", value), ("args y", base64.b64encode(encoded).decode())])

    reaches.leaves_folders(path.replace("\0", ""), inputs, [Path("/srv")])
    reaches.becomes_shell_code(path + value, inputs)
    reaches.gives_shell_code(None, [path or "x", value], inputs)
    reaches.names_program(path, inputs)
    reaches.names_host(path, inputs)
    reaches.is_private(path)
    reaches.unpickles_code(path, value, inputs)
