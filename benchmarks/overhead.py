"""Measure what the guard adds to a request, beside Talisman, Limiter and CSRFProtect on the same app.

    python benchmarks/overhead.py [--rounds N] [--requests N] [--profile PATH] [--write]

One process, one small app in three dresses: bare, with the three libraries (Talisman with a nonce, Limiter in memory, CSRFProtect), and
with the whole guard (headers with a nonce policy, limits in memory, CSRF, hosts, cookies, sessions, body bounds). They take turns,
request by request path, so that a busy machine is busy for all of them; CPU time is counted, and the median of the rounds is
shown. A request is the call of the WSGI application, as a server makes it. `--write` writes benchmarks/overhead.md.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import logging
import pstats
import statistics
import sys
import time
from collections.abc import Callable

from flask import Flask, render_template, request, session
from jinja2 import DictLoader
from pages import circumstances, write_page
from werkzeug.test import EnvironBuilder

from stopper import Stopper

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
PAGE = """<!doctype html><html><head><title>Shop</title><script {nonce} src="/static/a.js"></script></head>
<body><ul>{{% for item in items %}}<li>{{{{ item }}}}</li>{{% endfor %}}</ul></body></html>"""
FORM = """<!doctype html><html><body><form method="post">{token}
<input name="title"><button>Send, {{{{ user }}}}</button></form><script {nonce}>1</script></body></html>"""
BROWSER = {
    "Host": "shop.example",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en",
    "Accept-Encoding": "gzip, deflate, br",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Referer": "https://shop.example/",
    "Origin": "https://shop.example",
}
TOKEN = '<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">'
PATHS = ("json", "template", "form", "form-with-token", "post")
"""The paths that are measured; all are GET but the last. A user who is logged in asks for the forms and posts one. A form that the guard
looks after needs no token; one that has it anyway, for old browsers, is measured as well."""


def application(*, nonce: str = "", needed: str = "", offered: str = "") -> Flask:
    """Return the app that is dressed: a JSON view, a page, a form and what takes it."""
    app = Flask("shop")
    app.config.update(SECRET_KEY=KEY)
    pages = {"page.html": PAGE.format(nonce=nonce)}
    pages |= {
        "form.html": FORM.format(nonce=nonce, token=needed),
        "token.html": FORM.format(nonce=nonce, token=offered),
    }
    items = [f"item {number}" for number in range(20)]
    app.add_url_rule("/json", "json", lambda: {"items": items})
    app.jinja_loader = DictLoader(pages)  # type: ignore[misc]
    app.add_url_rule("/template", "template", lambda: render_template("page.html", items=items))
    app.add_url_rule("/in", "in", enter)
    app.add_url_rule(
        "/form-with-token", "token", lambda: render_template("token.html", user=session["user_id"])
    )
    app.add_url_rule("/form", "form", lambda: render_template("form.html", user=session["user_id"]))
    app.add_url_rule(
        "/post",
        "post",
        lambda: {"title": request.form["title"], "user": session["user_id"]},
        methods=["POST"],
    )
    return app


def enter() -> str:
    """Log in."""
    session["user_id"] = 1
    return "in"


def bare() -> Flask:
    """Return the app as it is."""
    return application()


def libraries() -> Flask:
    """Return the app with the checklist's libraries, as their documentation sets them up."""
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    from flask_talisman import Talisman
    from flask_wtf.csrf import CSRFProtect

    app = application(nonce='nonce="{{ csp_nonce() }}"', needed=TOKEN, offered=TOKEN)
    policy = {"default-src": "'self'", "script-src": "'self'", "object-src": "'none'"}
    Talisman(app, content_security_policy=policy, content_security_policy_nonce_in=["script-src"])
    Limiter(get_remote_address, app=app, default_limits=["1000000000 per minute"], storage_uri="memory://")
    CSRFProtect(app)
    return app


def guarded() -> Flask:
    """Return the app with the whole guard; limits so wide that none is reached."""
    wide = "1000000000 per minute"
    app = application(offered=TOKEN)
    app.config["TRUSTED_HOSTS"] = ["shop.example"]
    Stopper(app, limits_default=wide, limits_refusals=wide, limits_login=wide)
    return app


DRESSES: dict[str, Callable[[], Flask]] = {"bare": bare, "libraries": libraries, "stopper": guarded}


class Caller:
    """Send the same request to one app again and again."""

    def __init__(self, app: Flask, path: str) -> None:
        self.app = app
        headers, body = dict(BROWSER), None
        if path not in {"json", "template"}:
            headers["Cookie"], token = self._opened(app)
            body = {"title": "a title", "csrf_token": token} if path == "post" else None
        method = "POST" if body else "GET"
        builder = EnvironBuilder(
            f"/{path}", "https://shop.example/", method=method, headers=headers, data=body
        )
        self.environ = builder.get_environ()
        self.body = self.environ["wsgi.input"].read()
        self.environ["REMOTE_ADDR"] = "203.0.113.9"

    def __call__(self) -> None:
        """Send one request and read its answer."""
        environ = {**self.environ, "wsgi.input": io.BytesIO(self.body)}
        status = ""

        def start(line: str, headers: object, exc_info: object = None) -> None:
            nonlocal status
            del headers, exc_info
            status = line

        answered = self.app.wsgi_app(environ, start)
        text = b"".join(answered)
        close = getattr(answered, "close", None)
        if close is not None:
            close()
        assert status == "200 OK", text

    @staticmethod
    def _opened(app: Flask) -> tuple[str, str]:
        """Return the cookie of a user who logged in, and the token of a form that they opened."""
        client = app.test_client()
        client.get("/in", base_url="https://shop.example/")
        text = client.get(
            "/form-with-token", base_url="https://shop.example/", headers={"Referer": BROWSER["Referer"]}
        ).text
        token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
        name = app.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name, "shop.example")
        assert cookie is not None
        return f"{name}={cookie.value}", token


def measure(rounds: int, requests: int) -> dict[str, dict[str, float]]:
    """Return the CPU time of a request in microseconds, by path and dress."""
    apps = {name: make() for name, make in DRESSES.items()}
    found: dict[str, dict[str, float]] = {}
    for path in PATHS:
        callers = {name: Caller(app, path) for name, app in apps.items()}
        times: dict[str, list[float]] = {name: [] for name in apps}
        for caller in callers.values():
            for _ in range(50):
                caller()
        for _ in range(rounds):
            for name, caller in callers.items():
                begin = time.process_time()
                for _ in range(requests):
                    caller()
                times[name].append((time.process_time() - begin) / requests * 1e6)
        found[path] = {name: statistics.median(values) for name, values in times.items()}
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| path | bare | three libraries | Stopper | Stopper / bare | added cost, Stopper / libraries |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for path, one in found.items():
        added = (one["stopper"] - one["bare"]) / (one["libraries"] - one["bare"])
        cells = [f"{one[name]:.0f} µs" for name in DRESSES]
        lines.append(f"| {path} | {' | '.join(cells)} | {one['stopper'] / one['bare']:.2f} | {added:.2f} |")
    return "\n".join(lines)


def profile(path: str, requests: int) -> None:
    """Print where the guard spends its time on one path."""
    caller = Caller(guarded(), path)
    caller()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(requests):
        caller()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumtime").print_stats(45)


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description="Measure what the guard adds to a request.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--profile", choices=PATHS, help="print a profile of the guard on one path")
    parser.add_argument("--write", action="store_true", help="write benchmarks/overhead.md")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.profile:
        profile(options.profile, options.requests * 10)
        return
    measured = circumstances("flask", "flask-talisman", "flask-limiter", "flask-wtf")
    found = table(measure(options.rounds, options.requests))
    text = f"{found}\n\nCPU time of a request, median of {options.rounds} rounds. {measured}"
    print(text)
    if options.write:
        write_page(__file__, "What the guard adds to a request", __doc__, text)


if __name__ == "__main__":
    sys.exit(main())
