"""What `stopper deploy` prints is read by the programs that it is for, and serves TLS as it should."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.loopback import PATIENCE, certificate, free_port, listening, nginx_configuration, wait_for

from stopper.cli.deploy import command
from stopper.deploying import KINDS, Deployment, configuration

DOMAIN = "localhost"


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    live = tmp_path / "certs" / "live" / DOMAIN
    live.mkdir(parents=True)
    certificate(live)
    shutil.copy(live / "srv.pem", live / "fullchain.pem")
    shutil.copy(live / "srv.key", live / "privkey.pem")
    return tmp_path / "certs"


def test_nginx_takes_it(certs: Path, tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    text = (
        configuration("nginx", Deployment(DOMAIN, certs=certs))
        .replace("listen 80", "listen 18080")
        .replace("listen [::]:80", "listen [::]:18080")
    )
    text = text.replace("443 ssl", "18443 ssl")
    (tmp_path / "nginx.conf").write_text(nginx_configuration(tmp_path, text))
    run = subprocess.run(
        [nginx, "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "[warn]" not in run.stderr.replace('the "user" directive', "")


def test_caddy_takes_it(certs: Path, tmp_path: Path) -> None:
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not installed")
    (tmp_path / "Caddyfile").write_text(configuration("caddy", Deployment(DOMAIN, certs=certs)))
    run = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", "Caddyfile"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr


def test_gunicorn_speaks_tls_as_mozillas_intermediate_profile_has_it(certs: Path, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "wsgi.py").write_text(
        "def app(environ, start):\n    start('200 OK', [('Content-Length', '2')])\n    return [b'hi']\n"
    )
    text = configuration("gunicorn", Deployment(DOMAIN, certs=certs)).replace(
        "0.0.0.0:443", f"127.0.0.1:{port}"
    )
    (tmp_path / "gunicorn.conf.py").write_text(text.replace("workers = 4", "workers = 1"))
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "wsgi:app"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        assert handshake(port, certs, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert handshake(port, certs, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises(ssl.SSLError):
            handshake(port, certs, ssl.TLSVersion.TLSv1_2, suites="AES128-SHA")
    finally:
        server.terminate()
        server.wait(10)


def handshake(port: int, certs: Path, version: ssl.TLSVersion, suites: str = "") -> str | None:
    context = ssl.create_default_context(cafile=str(certs / "live" / DOMAIN / "ca.pem"))
    context.minimum_version = context.maximum_version = version
    if suites:
        context.set_ciphers(suites)
    wait_for(lambda: listening(port))
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN) as secure,
    ):
        return secure.version()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_the_domain_and_leaves_no_gap(kind: str) -> None:
    run = CliRunner().invoke(command, [kind, "blog.example.org"])

    assert run.exit_code == 0
    assert "blog.example.org" in run.output or "blog-example-org" in run.output
    assert "${" not in run.output


@pytest.mark.parametrize(
    "words",
    [
        ["nginx", "a b"],
        ["nginx", "a;b"],
        ["nginx", "a.example\n"],
        ["nginx", "a" * 64 + ".example"],
        ["systemd", "a.example", "--user", "www-data\n"],
        ["systemd", "a.example", "--app", "x; rm -rf /"],
        ["nginx", "a.example", "--certs", "/a\nb"],
    ],
)
def test_what_would_break_a_configuration_is_refused(words: list[str]) -> None:
    run = CliRunner().invoke(command, words)

    assert run.exception is not None
    assert "host name" in str(run.exception) or "cannot hold it" in str(run.exception)
