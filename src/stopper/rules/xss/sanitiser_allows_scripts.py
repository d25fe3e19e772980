"""A sanitiser must not be told to let scripts through.

A sanitiser keeps the tags, attributes and address schemes it is given. Each of ``script``, ``iframe``,
``svg`` or ``style`` among the tags, ``on...`` or ``srcdoc`` among the attributes, ``javascript`` or ``data``
among the schemes is enough for a script in what it calls clean.

Bad::

    import nh3
    from flask import Flask

    app = Flask(__name__)

    @app.template_filter("tidy")
    def tidy(text):
        return nh3.clean(text, tags={"p", "b", "iframe"})

Good::

    import nh3
    from flask import Flask

    app = Flask(__name__)

    @app.template_filter("tidy")
    def tidy(text):
        return nh3.clean(text, tags={"p", "b"})

References:
    - CWE-79
    - ASVS 5.0 V1.3.1
    - https://nh3.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.project import Project

_CLEANERS = (
    "bleach.clean", "bleach.Cleaner", "bleach.sanitizer.Cleaner", "nh3.clean", "nh3.Cleaner",
    "lxml.html.clean.Cleaner", "lxml_html_clean.Cleaner",
)  # fmt: skip
_TAGS = frozenset(
    (
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "base",
        "meta",
        "link",
        "form",
        "noscript",
        "template",
    )
)
_ATTRIBUTES = frozenset(("srcdoc", "formaction", "xlink:href"))
_SCHEMES = frozenset(("javascript", "data", "vbscript"))


class SanitiserAllowsScripts(Rule):
    """What bleach, nh3 and lxml are told to keep: tags, attributes and schemes that run scripts."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that lets something dangerous through."""
        for call in project.code.calls(*_CLEANERS):
            if call.module.role is not Role.APP:
                continue
            for what, names in _dangerous(call):
                yield self.found(
                    call.location,
                    f"{call.name} is told to keep the {what} {', '.join(names)}: a script passes.",
                    confidence=Confidence.HIGH,
                    remedy=f"Leave {', '.join(names)} out of the {what} that are kept.",
                    context=f"{call.function} {what} {' '.join(names)}",
                )


def _dangerous(call: Call) -> Iterator[tuple[str, list[str]]]:
    first = 1 if call.name.endswith(".clean") else 0
    positions = {"tags": first} if call.name.startswith(("bleach", "nh3")) else {}
    for keyword, what, wrong in (
        ("tags", "tags", _TAGS.__contains__),
        ("attributes", "attributes", _runs),
        ("protocols", "schemes", _SCHEMES.__contains__),
        ("url_schemes", "schemes", _SCHEMES.__contains__),
    ):
        argument = call.argument(positions.get(keyword), keyword)
        names = sorted(
            name for name in _words(argument.value.constant if argument is not None else None) if wrong(name)
        )
        if names:
            yield what, names


def _runs(name: str) -> bool:
    return name in _ATTRIBUTES or (name.startswith("on") and len(name) > 4)


def _words(value: object) -> set[str]:
    """Return the words of a set, list or dictionary of them, in lower case."""
    if isinstance(value, dict):
        return {word for inner in value.values() for word in _words(inner)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return {item.lower() for item in value if isinstance(item, str)}
    return set()
