"""Which program is started should not be computed.

A list of arguments has no shell in it, but its first word still chooses what runs. Where that word, or a whole command line,
comes from a parameter, an argument of the command line or a file, whoever writes there chooses any program of the machine.

Name the program, or look its name up in a dictionary of the programs that may run.

Bad::

    import subprocess
    from flask import Flask

    app = Flask(__name__)

    def convert(command_line, path):
        command = command_line.split()
        subprocess.run([command[0], path], check=True)

Good::

    import subprocess
    from flask import Flask

    app = Flask(__name__)
    CONVERTERS = {"image": "convert", "sound": "sox"}

    def convert(kind, path):
        subprocess.run([CONVERTERS[kind], path], check=True)

References:
    - CWE-78
    - CWE-426
    - ASVS 5.0 V1.2.5
    - https://docs.python.org/3/library/subprocess.html#security-considerations
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._uncalled import unseen_by_flows
from stopper.rules._unknown import ORIGIN, is_typed_in, is_unknown
from stopper.rules.inputs._processes import started, unknown_text
from stopper.source.project import Project


class ComputedProgram(Rule):
    """Look for programs that are started under a name which is not constant, where no flow from a view shows whose it is."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (78, 426)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code, outside of views and of what the project itself calls."""
        unseen = unseen_by_flows(project)
        for one in started(project):
            program = one.words[0] if one.words and not one.by_shell else None
            if (
                program is None
                or not is_unknown(program)
                or unknown_text(one)
                or not (unseen(one.call) or is_typed_in(program))
            ):
                continue
            yield self.found(
                one.call.location,
                f"{program.source} decides which program runs; {ORIGIN}",
                confidence=Confidence.LOW,
                remedy='PROGRAMS = {"image": "convert"}  # subprocess.run([PROGRAMS[kind], path], check=True)',
                context=f"{one.call.function} {one.call.name or one.call.target.identifier}",
            )
