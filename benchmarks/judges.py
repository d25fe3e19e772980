"""Ask judges from outside what they find in the example blog as it is and in its guarded twin, served by gunicorn over TLS on loopback.

    python benchmarks/judges.py [--node FOLDER] [--write]

FOLDER holds node_modules of `npm install --ignore-scripts @mdn/mdn-http-observatory csp_evaluator`; sqlmap and hydra are taken from PATH.
A judge that is not there is "not run". sqlmap judges the guard alone: the soft blog with its concatenated SQL left as it is, once bare and
once behind a guard whose limits, lockout, CSRF check and redirect are off, so that nothing but the guard of SQL stands in its way. hydra
has sixty passwords, the admin's among them; it meets the guarded blog twice, as it is and with the CSRF check off, since it cannot send
tokens. `--write` writes benchmarks/judges.md.
"""

from __future__ import annotations

import argparse
import importlib
import re
import shutil
import ssl
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from pages import write_page
from servers import INFO_OR_BELOW, evaluated, observatory

from stopper.wire.observatory import score
from stopper.wire.site import Site
from stopper.wire.survey import Plan, survey

sys.path.insert(0, str(Path(__file__).parents[1]))
blogs = importlib.import_module("tests.wire.blogs")
sql_judges = importlib.import_module("tests.guard.test_sql_judges")
guessing = importlib.import_module("tests.guard.test_guessing")

NOT_RUN = "not run"
FOUND = 302
"""The status of an answer to a right password."""
SOFT_PASSWORD = "admin"


@dataclass(frozen=True)
class Verdicts:
    """What one judge says of both blogs."""

    judge: str
    asked: str
    soft: str
    guarded: str

    def __str__(self) -> str:
        return f"| {self.judge} | {self.asked} | {self.soft} | {self.guarded} |"


@dataclass(frozen=True)
class Bench:
    """What the judges need."""

    folder: Path
    node: Path | None

    def site(self, name: str) -> tuple[str, str, list[str] | None]:
        """Return what `--url` says of a blog, what the Observatory says, and what the evaluator says above INFO."""
        with blogs.served(name, self.folder / f"site-{name}") as blog:
            began = time.process_time()
            site = survey(Plan(blog.url, blog.http, blog.ca))
            spent = time.process_time() - began
            said = observatory(self.node, self.folder, (blog.http, blog.https), blog.ca)
            policy = site.pages[0].header("content-security-policy") or ""
            weak = evaluated(self.node, self.folder, policy)
        letter = f"{said['grade']}, {said['score']} points" if said else NOT_RUN
        above = None if weak is None else [one for one in weak if one.severity not in INFO_OR_BELOW]
        return (
            _own(site, spent),
            letter,
            None if above is None else [f"{one.severity} {one}" for one in above],
        )


def headers(bench: Bench) -> list[Verdicts]:
    """Return what the judges of a first page say: ours, the Observatory, the evaluator."""
    soft, guarded = bench.site("blog"), bench.site("guarded-blog")
    return [
        Verdicts("MDN HTTP Observatory", "the first page, its redirects, cookies", soft[1], guarded[1]),
        Verdicts(
            "Google's CSP Evaluator",
            "the first page's policy, above INFO",
            _listed(soft[2]),
            _listed(guarded[2]),
        ),
        Verdicts("`stopper audit --url`", "up to twelve pages; score", soft[0], guarded[0]),
    ]


def _own(site: Site, spent: float) -> str:
    said = score(site)
    cost = f"{site.requests} requests, {site.seconds:.1f} s by the clock, {spent:.1f} s of CPU"
    return f"{said.letter}, {said.points} points ({cost})" if said else f"no score ({cost})"


def _listed(found: list[str] | None) -> str:
    if found is None:
        return NOT_RUN
    return "; ".join(dict.fromkeys(found)) or "nothing"


def injections(bench: Bench) -> list[Verdicts]:
    """Return in which parameters sqlmap finds an injection, at level 3 and risk 3."""
    asked = f"sqlmap, {len(sql_judges.TARGETS)} addresses, `--level 3 --risk 3`"
    if shutil.which("sqlmap") is None:
        return [Verdicts("sqlmap", asked, NOT_RUN, NOT_RUN)]

    def verdict(guarded: str) -> str:
        folder = bench.folder / f"sqlmap-{guarded}"
        environ = {"BLOG": str(folder / "blog"), "GUARDED": guarded}
        with blogs.served("blog", folder, environ, wsgi=sql_judges.SOFT_BLOG) as blog:
            url = f"https://127.0.0.1:{blog.https}"
            httpx.get(f"{url}/search?q=flask", verify=context(blog.ca), trust_env=False).raise_for_status()
            found = {name: sql_judges.sqlmap(url, folder, name) for name in sql_judges.TARGETS}
        told = [f"{name}: {', '.join(sorted(set(given)))}" for name, given in found.items() if given]
        return "; ".join(told) or "no injection"

    return [Verdicts("sqlmap", asked.removeprefix("sqlmap, "), verdict("no"), verdict("yes"))]


def passwords(bench: Bench) -> list[Verdicts]:
    """Return whether hydra gets the admin's password."""
    asked = "the login, sixty passwords"
    if shutil.which("hydra") is None:
        return [Verdicts("hydra", asked, NOT_RUN, NOT_RUN)]

    def verdict(name: str, right: str, label: str, environ: dict[str, str]) -> str:
        folder = bench.folder / f"hydra-{label}"
        with blogs.served(name, folder, environ) as blog:
            if not lets_in(blog.https, blog.ca, right):
                return "not judged: the right password does not open it"
            found = guessing.found(folder, blog.https, right, "https-post-form")
        return f"got it: `{'`, `'.join(found)}`" if found else "did not get it"

    soft = partial(verdict, "blog", SOFT_PASSWORD)
    guarded = partial(verdict, "guarded-blog", blogs.PASSWORD)
    return [
        Verdicts("hydra", asked, soft("soft", {}), guarded("whole", {})),
        Verdicts(
            "hydra", f"{asked}; CSRF check off", "as above", guarded("no-csrf", {"STOPPER_CSRF": "off"})
        ),
    ]


def context(ca: Path) -> ssl.SSLContext:
    """Return what trusts an authority of our own."""
    return ssl.create_default_context(cafile=str(ca))


def lets_in(port: int, ca: Path, password: str) -> bool:
    """Tell whether a browser gets in with the right password: a login that lets nobody in would pass every guesser."""
    own = f"https://127.0.0.1:{port}"
    with httpx.Client(base_url=own, verify=context(ca), trust_env=False, timeout=30) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
        form = {"username": "admin", "password": password, "csrf_token": token[1] if token else ""}
        headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
        return browser.post("/login", data=form, headers=headers).status_code == FOUND


def main() -> int:
    """Ask every judge and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--node", type=Path)
    parser.add_argument("--write", action="store_true", help="write benchmarks/judges.md")
    given = parser.parse_args()
    rows = ["| judge | what it is asked | the blog as it is | the guarded blog |", "|---|---|---|---|"]
    print("\n".join(rows))
    with tempfile.TemporaryDirectory(prefix="stopper-judges-") as name:
        bench = Bench(Path(name), given.node.resolve() if given.node else None)
        for ask in (headers, injections, passwords):
            for verdicts in ask(bench):
                rows.append(str(verdicts))
                print(rows[-1], flush=True)
    if given.write:
        write_page(__file__, "What judges from outside find", __doc__, "\n".join(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
