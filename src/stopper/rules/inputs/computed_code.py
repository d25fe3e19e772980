"""Text of unknown origin must not be run as code.

``eval`` and ``exec`` do what the text says, with all that the server may do. Nothing here shows that a client writes the text; but
whoever writes it, in a file, a table or an argument, runs code on the server.

Read data with ``json.loads`` or ``ast.literal_eval``, and choose what to do from a dictionary of functions.

Bad::

    from flask import Flask

    app = Flask(__name__)

    def total(row):
        return eval(row["terms"])

Good::

    from flask import Flask

    app = Flask(__name__)
    TOTALS = {"sum": sum, "max": max}

    def total(row):
        return TOTALS[row["kind"]](row["terms"])

References:
    - CWE-95
    - CWE-94
    - ASVS 5.0 V1.3.2
    - https://docs.python.org/3/library/ast.html#ast.literal_eval
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.rules._uncalled import unseen_by_flows
from stopper.rules._unknown import ORIGIN, is_typed_in, is_unknown
from stopper.source.assembly import assembled
from stopper.source.code import Expr
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.taint.flows import flows_into

_FIRST = (
    *("eval", "exec", "execfile", "builtins.eval", "builtins.exec", "cProfile.run", "profile.run"),
    *(f"code.InteractiveInterpreter().{name}" for name in ("runsource", "runcode")),
    *(f"code.InteractiveConsole().{name}" for name in ("runsource", "runcode", "push")),
    *("_testcapi.run_in_subinterp", "test.support.run_in_subinterp"),
)
_SECOND = ("_xxsubinterpreters.run_string", "_interpreters.run_string", "_interpreters.exec")
_CHOSEN = ("globals().get", "locals().get", "vars().get")


class ComputedCode(Rule):
    """Look for code that is made from what is not constant, where no flow from a view shows whose it is."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (95, 94)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code, outside of views and of what the project itself calls."""
        unseen = unseen_by_flows(project)
        for names, at in ((_FIRST, 0), (_SECOND, 1), (_CHOSEN, 0)):
            for call in own_calls(project, *names):
                text = call.argument(at)
                if text is None or not is_unknown(text) or not (unseen(call) or is_typed_in(text)):
                    continue
                if names is _CHOSEN and _is_narrow(text):
                    continue
                does = "chooses anything that the module holds" if names is _CHOSEN else "is run as code"
                yield self.found(
                    call.location,
                    f"{text.source} {does}; {ORIGIN}",
                    confidence=Confidence.LOW,
                    remedy="value = ast.literal_eval(text)  # or ACTIONS[name]() from a constant dict",
                    context=f"{call.function} {call.name}",
                )
        told = {flow.sink for flow in flows_into(project, "reflection")}
        for item, key in project.code.items_of("globals()", "locals()", ".__globals__"):
            known = not is_unknown(key) or item.location in told
            if item.module.role is Role.APP and not known and not _is_narrow(key):
                yield self.found(
                    item.location,
                    f"{key.source} chooses anything that the module holds; {ORIGIN}",
                    confidence=Confidence.LOW,
                    remedy="ACTIONS[name]  # a constant dict",
                    context=f"{item.scope.qualname} {item.source}",
                )
        for call in own_calls(project, "logging.config.listen"):
            if call.argument(None, "verify") is None:
                yield self.found(
                    call.location,
                    "who can reach this port sends a configuration, and parts of that are run as code",
                    confidence=Confidence.LOW,
                    remedy="logging.config.listen(port, verify=check_signature)",
                    context=call.name,
                )


def _is_narrow(name: Expr) -> bool:
    """Tell whether a name is put together with words of the author: it can only be one of those that begin or end so."""
    made = assembled(name)
    return made is not None and any(letter.isalpha() for letter in made.text)
