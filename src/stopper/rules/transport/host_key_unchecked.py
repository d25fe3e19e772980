"""An SSH host key must be checked.

AutoAddPolicy and WarningPolicy accept whatever key the other side shows, so anybody on the way can be the
other side.

Bad::

    import paramiko
    from flask import Flask

    app = Flask(__name__)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())

Good::

    import paramiko
    from flask import Flask

    app = Flask(__name__)
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())

References:
    - CWE-295
    - ASVS 5.0 V12.3.2
    - https://docs.paramiko.org/en/stable/api/client.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project


class HostKeyUnchecked(Rule):
    """Look at the policy given to set_missing_host_key_policy."""

    area = Area.TRANSPORT
    severity = Severity.HIGH
    cwe = (295,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each policy that accepts unknown keys."""
        for call in project.code.every_call("set_missing_host_key_policy"):
            policy = call.argument(0, "policy")
            name = (policy.name or "").removesuffix("()") if policy else ""
            if name.rpartition(".")[2] in ("AutoAddPolicy", "WarningPolicy") and call.module.role is Role.APP:
                yield self.found(
                    call.location,
                    f"{name.rpartition('.')[2]} accepts any host key that the other side shows",
                    remedy="client.set_missing_host_key_policy(paramiko.RejectPolicy())",
                    context=call.function,
                )
