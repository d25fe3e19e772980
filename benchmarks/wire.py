"""Compare what `--url` says with MDN's Observatory, Google's CSP Evaluator and sslyze, on eight deployments of our own on loopback.

    python benchmarks/wire.py --node FOLDER --sslyze /path/to/sslyze [--write]

FOLDER holds node_modules of `npm install --ignore-scripts @mdn/mdn-http-observatory csp_evaluator`. A peer that is not given is "not run".
The Observatory's package 1.4.8 has algorithm 4, so ours is asked for that one too.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pages import write_page
from servers import MEDIUM_OR_ABOVE, Weak, evaluated, observatory

from stopper.csp import Weight, judge, parse
from stopper.deploying import Deployment, configuration
from stopper.policy import TLS_CURVES
from stopper.wire.observatory import score
from stopper.wire.site import Site
from stopper.wire.survey import Plan, survey

sys.path.insert(0, str(Path(__file__).parents[1]))
loopback = importlib.import_module("tests.loopback")

PLAIN = """from flask import Flask, session
app = Flask(__name__)
app.secret_key = "bench-bench-bench-bench"
{set_up}
@app.get("/")
def index():
    session["seen"] = 1
    return "<!doctype html><title>Blog</title><script src=/static/a.js></script><p>hello"
"""
GUARDED = """from stopper import Stopper
app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1"]
app.config["SECRET_KEY"] = "Zk3hT9vQw2Lr8mXc5bNf7sJd1pGyRaUe"
Stopper(app, https_port={port})
"""
APPS = {
    "plain Flask": "",
    "Talisman": "from flask_talisman import Talisman\nTalisman(app)\n",
    "secure": (
        "from secure import Secure\nheaders = Secure.with_default_headers().headers\n@app.after_request\ndef secured(response):\n"
        "    response.headers.update(headers)\n    return response\n"
    ),
    "guarded": GUARDED,
    "mis-set CSP": (
        "@app.after_request\ndef secured(response):\n    response.headers['Content-Security-Policy'] = "
        "\"default-src self; script-src 'unsafe-inline' https://cdn.jsdelivr.net http://a.example; image-src *\"\n    return response\n"
    ),
    "behind nginx": "from flask_talisman import Talisman\nTalisman(app, force_https=False)\n",
    "behind Caddy": "",
    "debug on": "",
}  # fmt: skip


@dataclass
class Deployed:
    """One deployment that answers."""

    name: str
    home: Path
    """The folder of its app."""
    certs: Path
    http: int = field(default_factory=loopback.free_port)
    https: int = field(default_factory=loopback.free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str) -> None:
        """Start one of its servers."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes.append(subprocess.Popen(words, cwd=self.home, **quiet))


def certified(certs: Path) -> Path:
    """Make a certificate for localhost where `stopper cert` would keep it; return the file of its authority."""
    one = Deployment("localhost", certs=certs)
    live = one.chain.parent
    live.mkdir(parents=True)
    loopback.certificate(live, days=30)
    (live / "srv.pem").rename(one.chain)
    (live / "srv.key").rename(one.key)
    return live / "ca.pem"


def waited(port: int) -> None:
    """Wait until a port answers."""
    if not loopback.wait_for(lambda: loopback.listening(port)):
        raise SystemExit(f"nothing answers at port {port}")


@contextlib.contextmanager
def deployed(name: str, set_up: str, folder: Path, certs: Path) -> Iterator[Deployed]:
    """Start one deployment and stop it afterwards."""
    one = Deployed(name, folder / name.replace(" ", "-"), certs)
    (one.home / "static").mkdir(parents=True)
    (one.home / "static" / "a.js").write_text("// a script\n")
    (one.home / "wsgi.py").write_text(PLAIN.format(set_up=set_up.replace("{port}", str(one.https))))
    try:
        start(one)
        for port in (one.http, one.https):
            waited(port)
        yield one
    finally:
        for process in one.processes:
            process.terminate()
        for process in one.processes:
            process.wait(15)


def start(one: Deployed) -> None:
    """Start the servers of a deployment: Flask's own, gunicorn behind a proxy, or gunicorn alone."""
    cert = Deployment("localhost", certs=one.certs)
    gunicorn = (sys.executable, "-m", "gunicorn", "-w", "1", "wsgi:app")
    if one.name == "debug on":
        flask = (sys.executable, "-m", "flask", "--app", "wsgi", "run", "--debug", "--no-reload", "--port")
        one.start(*flask, str(one.https), "--cert", str(cert.chain), "--key", str(cert.key))
        one.start(*flask, str(one.http))
    elif one.name.startswith("behind"):
        inner = loopback.free_port()
        one.start(*gunicorn, "-b", f"127.0.0.1:{inner}")
        waited(inner)
        what = Deployment("localhost", certs=one.certs, port=inner)
        (nginx if one.name == "behind nginx" else caddy)(one, what)
    else:
        tls = ("--certfile", str(cert.chain), "--keyfile", str(cert.key))
        one.start(*gunicorn, "-b", f"127.0.0.1:{one.https}", *tls)
        one.start(*gunicorn, "-b", f"127.0.0.1:{one.http}")


def moved(text: str, *changes: tuple[str, str]) -> str:
    """Return configuration with ports of the deployment's own; each text that changes must be in it.

    Raises:
        ValueError: One is not, so the servers would ask for ports that are not theirs.
    """
    for old, new in changes:
        if old not in text:
            raise ValueError(f"the configuration holds no {old!r}")
        text = text.replace(old, new)
    return text


def nginx(one: Deployed, what: Deployment) -> None:
    """Start nginx with what `stopper deploy` prints, on ports of its own."""
    text = moved(
        configuration("nginx", what),
        ("listen 80;", f"listen {one.http};"),
        ("listen 443 ssl;", f"listen {one.https} ssl;"),
        ("https://$host$request_uri", f"https://$host:{one.https}$request_uri"),
    )
    kept = [line for line in text.partition("# Whoever asks")[0].splitlines() if "[::]" not in line]
    home = one.home
    (home / "nginx.conf").write_text(loopback.nginx_configuration(home, "\n".join(kept)))
    words = ("-c", str(home / "nginx.conf"), "-p", str(home), "-g", "daemon off;")
    one.start(shutil.which("nginx") or "/usr/sbin/nginx", *words)


def caddy(one: Deployed, what: Deployment) -> None:
    """Start Caddy with what `stopper deploy` prints, on ports of its own."""
    text = moved(
        configuration("caddy", what),
        ("http://localhost {", f"http://localhost:{one.http} {{"),
        ("\nlocalhost {", f"\nlocalhost:{one.https} {{"),
        ("https://{host}{uri}", f"https://{{host}}:{one.https}{{uri}}"),
        ("{\n    servers", "{\n    admin off\n    auto_https off\n    servers"),
    )
    (one.home / "Caddyfile").write_text(text)
    one.start("caddy", "run", "--adapter", "caddyfile", "--config", str(one.home / "Caddyfile"))


def sslyze(command: Path | None, folder: Path, one: Deployed, ca: Path) -> str:
    """Return sslyze's verdict on Mozilla's intermediate profile."""
    if command is None:
        return "not run"
    words = [
        str(command),
        "--certinfo_ca_file",
        str(ca),
        "--json_out",
        str(folder / "sslyze.json"),
        f"localhost:{one.https}",
    ]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return "compliant"
    why = [
        line.strip(" *")
        for line in run.stdout.splitlines()
        if "*" in line and ":" in line and "should be" in line
    ]
    return f"not compliant ({'; '.join(why)[:160]})" if why else "not compliant"


def ours(site: Site) -> str:
    """Return our verdict on the same profile."""
    tls = site.tls
    fine = (
        tls is not None
        and set(tls.versions) <= {"TLS 1.2", "TLS 1.3"}
        and not tls.weak
        and tls.trusted
        and set(tls.curves) <= set(TLS_CURVES)
    )
    return "compliant" if fine else "not compliant"


def missed(policy: str, theirs: list[Weak]) -> list[str]:
    """Return what the evaluator reports and we do not."""
    found = judge(parse(policy))
    known = {(one.directive, one.source.strip("'").lower()) for one in found if one.weight >= Weight.LOW}
    return [str(one) for one in theirs if (one.directive, one.value.strip("'").lower()) not in known]


def main() -> int:
    """Run every deployment and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--node", type=Path)
    parser.add_argument("--sslyze", type=Path)
    parser.add_argument("--write", action="store_true", help="write benchmarks/wire.md")
    given = parser.parse_args()
    node = given.node.resolve() if given.node else None
    rows = [
        "| deployment | ours (algorithm 4) | Observatory | tests that differ | CSP Evaluator >= medium, missed by us | TLS: ours | sslyze | requests, seconds |"
    ]
    rows.append("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="stopper-wire-") as name:
        folder = Path(name)
        certs = folder / "certs"
        ca = certified(certs)
        for title, set_up in APPS.items():
            with deployed(title, set_up, folder, certs) as one:
                rows.append(row(one, node, given.sslyze, folder, ca))
                print(rows[-1], flush=True)
    table = "\n".join(rows)
    print(f"\n{table}")
    if given.write:
        write_page(__file__, "`--url` beside its judges", __doc__, table)
    return 0


def row(one: Deployed, node: Path | None, sslyze_command: Path | None, folder: Path, ca: Path) -> str:
    """Return the table's row for one deployment."""
    site = survey(Plan(f"https://localhost:{one.https}/", one.http, ca))
    said = score(site, algorithm=4)
    theirs = observatory(node, folder, (one.http, one.https), ca)
    policy = site.pages[0].header("content-security-policy") or "" if site.pages else ""
    said_of_it = evaluated(node, folder, policy)
    weak = None if said_of_it is None else [one for one in said_of_it if one.severity in MEDIUM_OR_ABOVE]
    own = {test.name: test.result for test in said.tests} if said else {}
    tests = theirs["tests"] if theirs else {}
    assert isinstance(tests, dict)
    differ = [
        f"{key}: {own.get(key, 'none')} / {value}" for key, value in tests.items() if own.get(key) != value
    ]
    cells = [
        one.name,
        f"{said.letter} {said.points}" if said else "no score",
        f"{theirs['grade']} {theirs['score']}" if theirs else "not run",
        "; ".join(differ) or ("none" if theirs else "not run"),
        "not run" if weak is None else f"{len(weak)}, {', '.join(missed(policy, weak)) or 'none'}",
        ours(site),
        sslyze(sslyze_command, folder, one, ca),
        f"{site.requests}, {site.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
