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
from stopper.rules._posture import own_calls
from stopper.rules._uncalled import unseen_by_flows
from stopper.rules._unknown import ORIGIN, is_typed_in, is_unknown
from stopper.rules.inputs._processes import started, unknown_text
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

_SHELLS = (
    *("os.system", "os.popen", "os.popen2", "os.popen3", "os.popen4", "commands.getoutput"),
    *("commands.getstatusoutput", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell"),
)
_DISTANT = ("paramiko", "asyncssh", "fabric")


class ShellCommand(Rule):
    """Look for shells that are given a text which is not constant, here or on another machine."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (78,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code, outside of views and of what the project itself calls."""
        unseen = unseen_by_flows(project)
        for call, text in _texts(project):
            if not (unseen(call) or is_typed_in(text)):
                continue  # the flows look at what a view gives to a shell, by way of helpers as well
            yield self.found(
                call.location,
                f"a shell reads {text.source}, and parts of it are not constant; {ORIGIN}",
                confidence=Confidence.LOW,
                remedy='subprocess.run(["program", argument], check=True)',
                context=f"{call.function} {call.name or call.target.identifier}",
            )


def _texts(project: Project) -> Iterator[tuple[Call, Expr]]:
    """Yield the calls that hand a shell a text of unknown origin, each with the text."""
    for one in started(project):
        text = unknown_text(one)
        if text is not None:
            yield one.call, text
    for call in own_calls(project, *_SHELLS):
        command = call.argument(0, "args") or call.argument(None, "command") or call.argument(None, "cmd")
        if command is not None and is_unknown(command):
            yield call, command
    places = {"subprocess_shell": 1} | ({"exec_command": 0} if project.code.uses(*_DISTANT) else {})
    for last, at in places.items():
        for call in project.code.every_call(last):
            command = call.argument(at, "command")
            if call.module.role is Role.APP and command is not None and is_unknown(command):
                yield call, command
