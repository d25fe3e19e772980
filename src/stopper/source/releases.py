"""The newest release of packages: a few known here, the others asked of the package index through pip."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from stopper.regex import regex

KNOWN = {
    "flask": "3.1.3",
    "werkzeug": "3.1.9",
    "jinja2": "3.1.6",
    "itsdangerous": "2.2.0",
    "markupsafe": "3.0.4",
    "flask-wtf": "1.3.0",
    "flask-limiter": "4.1.1",
    "python-dotenv": "1.2.4",
}
"""As the Python Package Index had them in November 2026; a newer one may be out."""

TIME_LIMIT = 20
"""Seconds that one question to the index may take."""

_FIRST_LINE = regex(r"^\S+ \(([^)]+)\)")


def ask_index(names: Iterable[str]) -> dict[str, str]:
    """Ask the index, through pip, for the newest release of each package; no answer, no entry.

    It goes on the network: call it only when the user allowed that.
    """
    from concurrent.futures import ThreadPoolExecutor  # late: it brings logging, and most runs ask nobody

    with ThreadPoolExecutor(max_workers=8) as pool:
        wanted = sorted(set(names))
        return {
            name: release for name, release in zip(wanted, pool.map(_newest, wanted), strict=True) if release
        }


def _newest(name: str) -> str:
    words = [
        sys.executable,
        "-m",
        "pip",
        "index",
        "versions",
        "--disable-pip-version-check",
        "--no-input",
        name,
    ]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)  # noqa: S603 -- a fixed command without a shell; the name is normalised
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = _FIRST_LINE.match(done.stdout)
    return match[1] if match else ""
