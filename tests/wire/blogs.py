"""The example blogs as the world gets them: gunicorn over TLS on loopback, and a second one that answers plain HTTP."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.guard.conftest import KEY
from tests.loopback import certificate, free_port, listening, wait_for

from stopper.deploying import Deployment, configuration
from stopper.guard.shared import LAYOUT
from stopper.guard.shared import folder as shared_folder

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "wool-lantern-40"
"""The admin's password in the guarded blog; the soft one has its own."""


@dataclass(frozen=True)
class Blog:
    """A copy of a blog that is being served."""

    home: Path
    """The folder of its source."""
    https: int
    http: int
    ca: Path
    """The authority of its certificate."""

    @property
    def url(self) -> str:
        """Return the address of its first page."""
        return f"https://localhost:{self.https}/"


@contextlib.contextmanager
def served(
    name: str, folder: Path, more: Mapping[str, str] | None = None, *, wsgi: str | None = None
) -> Iterator[Blog]:
    """Serve a copy of an example as in production, until the block ends.

    Args:
        name: The example's folder.
        folder: Where the copy, the certificate and the logs may stand.
        more: Further variables of its environment.
        wsgi: What stands in its wsgi.py instead.
    """
    blog = Blog(folder / name, free_port(), free_port(), folder / "ca.pem")
    folder.mkdir(parents=True, exist_ok=True)
    certificate(folder, days=90)
    shutil.copytree(EXAMPLES / name, blog.home, ignore=shutil.ignore_patterns("instance", "__pycache__"))
    if wsgi is not None:
        (blog.home / "wsgi.py").write_text(wsgi, encoding="utf-8")
    environ = environment(blog, more or {})
    assert _run(blog, environ, "flask", "--app", "blog", "init-db").wait(60) == 0, log(blog)
    usual = ["--workers", "1", "--threads", "4", "--graceful-timeout", "2", "wsgi:app"]
    servers = [
        _run(blog, environ, "gunicorn", *_tls(blog), "--bind", f"127.0.0.1:{blog.https}", *usual),
        _run(blog, environ, "gunicorn", "--bind", f"127.0.0.1:{blog.http}", *usual),
    ]
    try:
        for port in (blog.https, blog.http):
            assert wait_for(lambda port=port: listening(port)), f"{name} is not served: {log(blog)}"  # type: ignore[misc]
        yield blog
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(20)
        (shared_folder() / f"{environ['STOPPER_STORAGE_NAME']}.{LAYOUT}").unlink(missing_ok=True)


def environment(blog: Blog, more: Mapping[str, str]) -> dict[str, str]:
    """Return what a blog is served with: nothing of the shell's own that Flask or the guard would read."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("FLASK_", "MAIL_", "STOPPER_"))
    }
    soft = {} if blog.home.name == "blog" else {"SECRET_KEY": KEY, "ADMIN_PASSWORD": PASSWORD}
    guard = {
        "STOPPER_HTTPS_PORT": str(blog.https),
        "STOPPER_STORAGE_NAME": f"blogs-{os.getpid()}-{blog.https}",
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **soft, **guard, **more}


def _tls(blog: Blog) -> list[str]:
    """Return gunicorn's options for TLS: its defaults for the soft blog, what `stopper deploy gunicorn` prints for the guarded one."""
    folder = blog.home.parent
    if blog.home.name == "blog":
        return ["--certfile", str(folder / "srv.pem"), "--keyfile", str(folder / "srv.key")]
    deployment = Deployment("localhost", certs=folder)
    deployment.chain.parent.mkdir(parents=True)
    shutil.copy(folder / "srv.pem", deployment.chain)
    shutil.copy(folder / "srv.key", deployment.key)
    (folder / "gunicorn.conf.py").write_text(configuration("gunicorn", deployment), encoding="utf-8")
    return ["--config", str(folder / "gunicorn.conf.py")]


def log(blog: Blog) -> str:
    """Return what the servers of a blog wrote so far."""
    return (blog.home.parent / "log").read_text(encoding="utf-8", errors="replace")


def _run(blog: Blog, environ: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
    with (blog.home.parent / "log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=blog.home,
            env=dict(environ),
            stdout=output,
            stderr=output,
        )
