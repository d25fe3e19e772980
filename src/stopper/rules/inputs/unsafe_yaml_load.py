"""YAML must be read with the safe loader.

yaml.load with the full or unsafe loader builds any Python object that the text names, which runs code. The
safe loader builds data only.

Bad::

    import yaml
    from flask import Flask

    app = Flask(__name__)
    settings = yaml.load(open("settings.yml"), Loader=yaml.Loader)

Good::

    import yaml
    from flask import Flask

    app = Flask(__name__)
    settings = yaml.safe_load(open("settings.yml"))

References:
    - CWE-502
    - ASVS 5.0 V1.5.2
    - https://pyyaml.org/wiki/PyYAMLDocumentation
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.choices import choices
from stopper.source.code import Expr
from stopper.source.module import Kind
from stopper.source.project import Project

_HARMLESS = regex(r"(?<![A-Za-z])C?(Safe|Base)Loader\b")


class UnsafeYamlLoad(Rule):
    """Look at the loader given to yaml.load."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (502,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(
            project, "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all"
        ):
            loader = call.argument(1, "Loader")
            given = choices(project.code, loader, call.scope) if loader is not None else []
            if given and "unsafe" not in call.name and all(_is_harmless(one, project) for one in given):
                continue
            yield self.found(
                call.location,
                f"{call.name} builds whatever object the text names; a file of your own makes it less urgent, not right",
                confidence=Confidence.MEDIUM,
                remedy="yaml.safe_load(text)",
                context=f"{call.function} {call.name}",
            )
        for call in own_calls(project, "ruamel.yaml.YAML", "ruamel.yaml.main.YAML"):
            if constant(call.argument(None, "typ")) == "unsafe":
                yield self.found(
                    call.location,
                    "what this reader loads builds whatever object the text names; a file of your own makes it less urgent, not right",
                    confidence=Confidence.MEDIUM,
                    remedy='YAML(typ="safe")',
                    context=f"{call.function} {call.name}",
                )


def _is_harmless(loader: Expr, project: Project) -> bool:
    """Tell whether a loader builds plain data only: a safe or base loader, or a class of the project that is made from one."""
    name = loader.name or loader.source
    own = project.code.scope(name)
    made = own is not None and own.kind is Kind.CLASS
    head = own.module.source(own.node).partition(":")[0] if own is not None and made else name
    return _HARMLESS.search(head) is not None
