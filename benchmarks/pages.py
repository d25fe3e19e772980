"""Where a benchmark's figures are kept: a page beside it, and for some a table in the README."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def publish(script: str, text: str) -> None:
    """Write what a benchmark found to its page, and between its marks in the README."""
    page = Path(script).with_suffix(".md")
    page.write_text(text, encoding="utf-8")
    mark = page.stem
    head, start, rest = README.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    _, end, tail = rest.partition(f"<!-- /{mark} -->")
    README.write_text(f"{head}{start}\n{text}\n{end}{tail}", encoding="utf-8")


def write_page(script: str, title: str, doc: str | None, text: str) -> None:
    """Write a benchmark's page: its title, how it measures and what it found."""
    page = f"# {title}\n\n{(doc or '').strip()}\n\n{text}\n"
    Path(script).with_suffix(".md").write_text(page, encoding="utf-8")


def circumstances(*packages: str) -> str:
    """Say when and on what something is measured, beside which versions, and how busy the machine is with other work."""
    today = dt.datetime.now(dt.UTC).date()
    load = os.getloadavg()[0]
    versions = "".join(f"; {name} {version(name)}" for name in packages)
    return (
        f"Measured on {today} with Python {platform.python_version()} on {os.cpu_count()} processors "
        f"under a load of {load:.1f}{versions}."
    )
