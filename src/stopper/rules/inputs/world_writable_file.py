"""Files must not be writable by everybody.

What every user of the machine can write, an attacker with any foothold can replace: code, templates, uploads,
the database.

Bad::

    import os
    from flask import Flask

    app = Flask(__name__)
    os.chmod("instance", 0o777)

Good::

    import os
    from flask import Flask

    app = Flask(__name__)
    os.chmod("instance", 0o750)

References:
    - CWE-732
    - https://docs.python.org/3/library/os.html#os.chmod
"""

from __future__ import annotations

import functools
import operator
import re
import stat
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.code import Expr
from stopper.source.project import Project

_NAMED = re.compile(r"(?:stat\.)?S_\w+(?:\s*\|\s*(?:stat\.)?S_\w+)*")


class WorldWritableFile(Rule):
    """Look at the modes given to chmod, mkdir and umask."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (732,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(project, "os.chmod", "os.mkdir", "os.makedirs", "pathlib.Path().chmod"):
            mode = _mode(call.argument(0 if call.name.startswith("pathlib") else 1, "mode"))
            if not isinstance(mode, int) or not mode & 0o002:
                continue
            yield self.found(
                call.location,
                f"mode {mode:#o} lets everybody on the machine write",
                confidence=Confidence.HIGH,
                remedy="os.chmod(path, 0o750)",
                context=f"{call.function} {call.name}",
            )


def _mode(given: Expr | None) -> object:
    """Return a mode: a number, or what ``stat.S_IRUSR | stat.S_IWOTH`` comes to."""
    if given is None or not _NAMED.fullmatch(given.source):
        return constant(given)
    bits = [getattr(stat, name, 0) for name in re.findall(r"S_\w+", given.source)]
    return functools.reduce(operator.or_, [bit for bit in bits if isinstance(bit, int)], 0)
