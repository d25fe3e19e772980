"""Tell for which environment a statement runs, from the tests of the branches it stands in."""

from __future__ import annotations

import ast
import re

from stopper.source.module import Module

ANY, PRODUCTION, DEVELOPMENT, TESTING = "any", "production", "development", "testing"

_DEBUG = re.compile(r"\bdebug\b|FLASK_DEBUG|is_dev\w*|_development\b|\.development\b", re.IGNORECASE)
_NAMED = re.compile(r"['\"](\w+)['\"]")
_WORDS = {
    "development": DEVELOPMENT, "dev": DEVELOPMENT, "local": DEVELOPMENT, "debug": DEVELOPMENT,
    "production": PRODUCTION, "prod": PRODUCTION, "testing": TESTING, "test": TESTING,
}  # fmt: skip
_OTHER = {DEVELOPMENT: PRODUCTION, PRODUCTION: DEVELOPMENT, TESTING: ANY}


class Branches:
    """Know the ``if`` statements around every node of a module, worked out when first asked."""

    def __init__(self, module: Module) -> None:
        """Take a module."""
        self.module = module
        self._spans: list[tuple[int, int, ast.expr, bool]] | None = None

    def of(self, node: ast.AST) -> tuple[str, bool]:
        """Return the environment for which a node runs, and whether another test decides."""
        line = getattr(node, "lineno", 0)
        environment, conditional = ANY, False
        for first, last, test, holds in self.spans():
            if first <= line <= last:
                told = environment_of_test(self.module.source(test), holds=holds)
                environment = told or environment
                conditional = conditional or told is None
        return environment, conditional

    def spans(self) -> list[tuple[int, int, ast.expr, bool]]:
        """Return the lines of each branch with its test, and whether the test holds there."""
        if self._spans is None:
            self._spans = []
            for node in ast.walk(self.module.tree):
                if isinstance(node, ast.If):
                    for body, holds in ((node.body, True), (node.orelse, False)):
                        if body:
                            last = body[-1].end_lineno or body[-1].lineno
                            self._spans.append((body[0].lineno, last, node.test, holds))
        return self._spans


def environment_of_test(source: str, *, holds: bool) -> str | None:
    """Return the environment in which a test holds (or fails); ``None`` when it is not about the environment."""
    if "__name__" in source:
        return DEVELOPMENT if holds else ANY
    turned = bool(re.search(r"!=|\bnot\b", source))
    named = next((_WORDS[word.lower()] for word in _NAMED.findall(source) if word.lower() in _WORDS), None)
    told = named or (
        DEVELOPMENT
        if _DEBUG.search(source)
        else TESTING
        if re.search(r"\btesting\b", source, re.IGNORECASE)
        else None
    )
    if told is None:
        return None
    return told if holds is not turned else _OTHER[told]
