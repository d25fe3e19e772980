"""What servers on loopback need: a free port, a certificate of nobody's authority, and somebody who waits until they answer."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE = 30.0
"""How long a server may take to answer its first request, in seconds."""

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_AUTHORITY = (
    *("-addext", "basicConstraints=critical,CA:TRUE"),
    *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
)


def free_port() -> int:
    """Return a port of the loopback on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(ready: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Tell whether something came true within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return True
        time.sleep(0.05)
    return ready()


def listening(port: int) -> bool:
    """Tell whether something accepts connections on a port."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def certificate(folder: Path, days: int = 2) -> None:
    """Make an authority (ca.pem) and a certificate for localhost (srv.pem, srv.key) in a folder; skip the test without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (folder / "srv.ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
    )
    life = ("-days", str(days))
    _openssl(
        folder,
        "req",
        "-x509",
        *_KEY,
        *_AUTHORITY,
        *life,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=test",
    )
    _openssl(folder, "req", *_KEY, "-keyout", "srv.key", "-out", "srv.csr", "-subj", "/CN=localhost")
    signed = ("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    _openssl(folder, *signed, *life, "-extfile", "srv.ext", "-out", "srv.pem")


def nginx_configuration(folder: Path, servers: str) -> str:
    """Return the whole configuration of an nginx that writes nothing outside of a folder, so that anybody may start it."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main = f"pid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
    return f"{main}http {{\naccess_log off;\n{temporary}{servers}\n}}\n"


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
