"""A command should be run without a shell.

With shell=True the whole text is read by a shell: one value that reaches it later, a file name included, can
start another command. A list of arguments has no such place.

Bad::

    import subprocess
    from flask import Flask

    app = Flask(__name__)

    def thumbnail(name):
        subprocess.run(f"convert {name} thumb.png", shell=True, check=True)

Good::

    import subprocess
    from flask import Flask

    app = Flask(__name__)

    def thumbnail(name):
        subprocess.run(["convert", name, "thumb.png"], check=True)

References:
    - CWE-78
    - ASVS 5.0 V1.2.5
    - https://docs.python.org/3/library/subprocess.html#security-considerations
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.rules._uncalled import unseen_by_flows
from stopper.source.assembly import is_closed
from stopper.source.project import Project

_SHELLS = (
    *("os.system", "os.popen", "os.popen2", "os.popen3", "os.popen4", "commands.getoutput"),
    *("subprocess.getoutput", "subprocess.getstatusoutput"),
    *("asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell"),
)
_PROCESSES = (
    *("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    "subprocess.Popen",
)


class ShellCommand(Rule):
    """Look for shells that are given a text which is not constant."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (78,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code, outside of views and of what the project itself calls."""
        unseen = unseen_by_flows(project)
        for call in own_calls(project, *_SHELLS, *_PROCESSES):
            command = call.argument(0, "args") or call.argument(None, "command") or call.argument(None, "cmd")
            if call.name in _PROCESSES and constant(call.argument(None, "shell")) is not True:
                continue
            if command is None or is_closed(command) or command.elements() or not unseen(call):
                continue  # the flows look at what a view gives to a shell, by way of helpers as well
            yield self.found(
                call.location,
                "a shell reads this text, and parts of it are not constant",
                confidence=Confidence.LOW,
                remedy='subprocess.run(["program", argument], check=True)',
                context=f"{call.function} {call.name}",
            )
