"""How git is asked: in a way that runs nothing of the project's, changes nothing and fetches nothing."""

from __future__ import annotations

import os

SAFE = (
    "git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat",
    "-c", "diff.external=", "-c", "safe.bareRepository=explicit", "-c", "core.quotePath=false", "-c", "log.showSignature=false",
    "-c", "protocol.allow=never",
)  # fmt: skip
"""The words before git's verb: no hooks, no file system monitor, no external diff, no transport."""


def environment() -> dict[str, str]:
    """Return an environment in which git asks nothing, fetches nothing, locks nothing and obeys no ``GIT_DIR``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
