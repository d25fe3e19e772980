"""What is read of an app of each API and admin library is what its booted url_map holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project

APPS = Path(__file__).parent / "route_apps"
DUMP = """
import json, sys
module = __import__(sys.argv[1])
rules = module.create_app().url_map.iter_rules()
print(json.dumps([[r.rule, sorted(r.methods - {"HEAD", "OPTIONS"}), r.endpoint] for r in rules]))
"""
OWN_PAGES = ("static", "admin.static", "api-docs.", "openapi.", "api.root", "api.specs", "restx_doc")
"""Pages that a library serves for itself."""


def booted(name: str) -> set[tuple[str, str, str]]:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DUMP, name], cwd=APPS, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    rules = json.loads(run.stdout.splitlines()[-1])
    return {(rule, ",".join(verbs), name) for rule, verbs, name in rules if not name.startswith(OWN_PAGES)}


def seen(folder: Path, name: str) -> set[tuple[str, str, str]]:
    (folder / "app.py").write_text((APPS / f"{name}.py").read_text())
    routes = Project(walk(folder)).routes.routes
    return {
        (one.rule, ",".join(sorted(set(one.methods) - {"HEAD", "OPTIONS"})), one.endpoint) for one in routes
    }


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("smorest_pets", "flask_smorest"),
        ("apiflask_pets", "apiflask"),
        ("admin_views", "flask_admin"),
        ("restx_pets", "flask_restx"),
    ],
)
def test_the_routes_of_a_library_are_those_of_the_booted_app(tmp_path: Path, name: str, library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")

    assert seen(tmp_path, name) == booted(name)


def test_the_routes_of_an_appbuilder_are_those_that_its_url_map_held(tmp_path: Path) -> None:
    """Flask-AppBuilder 5.3 was booted apart from the tests: its requirements do not go with theirs."""
    found = {f"{rule} {methods} {endpoint}" for rule, methods, endpoint in seen(tmp_path, "builder_views")}

    assert found == set((APPS / "builder_views.txt").read_text().splitlines())
