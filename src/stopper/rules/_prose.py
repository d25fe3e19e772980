"""What a function says to Python, without what it says to people."""

from __future__ import annotations

import re

from stopper.source.module import Scope

_PROSE = re.compile(r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'|#[^\n]*')


def code_of(scope: Scope) -> str:
    """Return the text of a function or class without its comments and docstrings."""
    return _PROSE.sub("", scope.module.source(scope.node))
