"""Flask's development server must not be reachable from outside, and no socket that need not be.

app.run is for development. Bound to 0.0.0.0 it answers the whole network, without TLS and without the bounds
that a real server sets. A socket of your own that is bound so is open to every network of the machine, too.

Bad::

    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(host="0.0.0.0")

Good::

    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(host="127.0.0.1")

Bad::

    import socket
    from flask import Flask

    app = Flask(__name__)

    def listen_for_jobs():
        listener = socket.socket()
        listener.bind(("", 6000))
        listener.listen()
        return listener

Good::

    import socket
    from flask import Flask

    app = Flask(__name__)

    def listen_for_jobs():
        listener = socket.socket()
        listener.bind(("127.0.0.1", 6000))
        listener.listen()
        return listener

References:
    - CWE-668
    - ASVS 5.0 V13.4.2
    - https://flask.palletsprojects.com/en/stable/deploying/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

_EVERY = ("0.0.0.0", "::")  # noqa: S104


class BindsAllInterfaces(Rule):
    """Look at the host given to app.run, and at the addresses that sockets are bound to."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (668,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call of app.run bound to every interface, and with low confidence each socket."""
        for call in own_calls(project, "flask.Flask().run"):
            if constant(call.argument(0, "host")) in _EVERY:
                yield self.found(
                    call.location,
                    "the development server listens on every interface",
                    confidence=Confidence.MEDIUM,
                    remedy='app.run(host="127.0.0.1")  # and gunicorn or waitress in production',
                    context=call.function,
                )
        for call in project.code.every_call("run"):
            receiver = call.receiver
            if not call.name and receiver is not None and receiver.identifier in ("app", "application"):
                yield from self._unsure(
                    call, call.argument(0, "host"), "if this is Flask's development server, it"
                )
        for call in own_calls(project, "socket.socket().bind"):
            address = call.argument(0)
            host = address.elements()[:1] if address is not None else []
            yield from self._unsure(call, host[0] if host else None, "this socket")

    def _unsure(self, call: Call, host: Expr | None, subject: str) -> Iterator[Finding]:
        if call.module.role is Role.APP and constant(host) in (*_EVERY, ""):
            yield self.found(
                call.location,
                f"{subject} listens on every interface; who can reach the port is not seen here",
                confidence=Confidence.LOW,
                remedy='bind(("127.0.0.1", port))',
                context=f"{call.function} {call.target.identifier}",
            )
