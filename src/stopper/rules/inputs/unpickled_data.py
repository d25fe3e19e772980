"""Data of unknown origin must not be unpickled.

Pickle does not hold data, it holds instructions for building objects, and a few bytes of it run any command. Nothing here shows
that a client sends them; but whoever writes the file, the cache or the socket that they come from runs code on the server. A pickle
that is given away, in a cookie for instance, comes back as somebody else wrote it.

Keep JSON. Where it must be a pickle, sign it and check the signature first.

Bad::

    import pickle
    from flask import Flask

    app = Flask(__name__)

    def restore(connection, key):
        return pickle.loads(connection.get(key))

Good::

    import json
    from flask import Flask

    app = Flask(__name__)

    def restore(connection, key):
        return json.loads(connection.get(key))

References:
    - CWE-502
    - ASVS 5.0 V1.5.2
    - https://docs.python.org/3/library/pickle.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import function_text, own_calls
from stopper.rules._uncalled import unseen_by_flows
from stopper.rules._unknown import ORIGIN, is_typed_in, is_unknown
from stopper.source.assembly import is_opened
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

_PICKLES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle")
_LOADERS = (
    *(f"{module}.{name}" for module in (*_PICKLES, "marshal") for name in ("load", "loads")),
    *("jsonpickle.decode", "jsonpickle.loads", "shelve.open", "joblib.load", "pandas.read_pickle"),
)
_RECEIVERS = tuple(f"multiprocessing.connection.{name}.recv" for name in ("Client()", "Listener().accept()"))
_SIGNED = re.compile(r"compare_digest|hmac|[Ss]erializer|[Ss]igner|unsign|verify|Fernet")
_DUMPED = re.compile(r"\b(?:c?[pP]ickle|dill)\.dumps\(")


class UnpickledData(Rule):
    """Look for pickles that are read from what is not the author's own file, where no flow from a view shows whose they are."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (502,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code, outside of views and of what the project itself calls; and pickles in cookies."""
        unseen = unseen_by_flows(project)
        for call in own_calls(project, *_LOADERS):
            given = call.argument(0)
            if given is not None and _is_foreign(given, call) and (unseen(call) or is_typed_in(given)):
                yield self._told(
                    call, f"{given.source} is rebuilt into objects, which can run any code; {ORIGIN}"
                )
        for call in own_calls(project, *_RECEIVERS):
            yield self._told(call, "what the other side sends is unpickled, which can run any code")
        for call in project.code.every_call("set_cookie"):
            value = call.argument(1, "value")
            if call.module.role is Role.APP and value is not None and _is_pickle(value, call):
                yield self._told(
                    call, "the client holds this pickle, and sends back one of its own where it is read"
                )

    def _told(self, call: Call, message: str) -> Finding:
        return self.found(
            call.location,
            message,
            confidence=Confidence.LOW,
            remedy="json.loads(text)",
            context=f"{call.function} {call.name or call.target.identifier}",
        )


def _is_pickle(value: Expr, call: Call) -> bool:
    """Tell whether a value is made by pickling, right here or in the line that its name is bound in."""
    made = re.search(rf"(?m)^\s*{value.identifier}\s*=.*", function_text(call)) if value.identifier else None
    return _DUMPED.search(made[0] if made else value.source) is not None


def _is_foreign(given: Expr, call: Call) -> bool:
    """Tell whether what is read may be another's: neither a file of a constant name, nor pickled or checked right here."""
    if not is_unknown(given) or is_opened(given):
        return False
    around = function_text(call) if call.function else given.source
    return not _SIGNED.search(around) and not _DUMPED.search(given.source)
