"""An app must not build LDAP filters out of what a client sends.

``*`` and brackets mean something in a filter: a name of ``*)(uid=*`` matches everyone, and a login that looks the
user up so lets anyone in.

Escape the value with the function that the library has for it: one for filters, another for names.

Bad::

    import ldap
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/people")
    def people():
        directory = ldap.initialize("ldap://localhost")
        found = directory.search_s("ou=people", ldap.SCOPE_SUBTREE, f"(uid={request.args['uid']})")
        return {"found": len(found)}

Good::

    import ldap
    from ldap.filter import escape_filter_chars
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/people")
    def people():
        directory = ldap.initialize("ldap://localhost")
        found = directory.search_s("ou=people", ldap.SCOPE_SUBTREE, f"(uid={escape_filter_chars(request.args['uid'])})")
        return {"found": len(found)}

References:
    - CWE-90
    - ASVS 5.0 V1.2.6
    - https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class LdapInjection(Rule):
    """Every flow of a client's data into a filter or a name of the directory."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (90,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "ldap"):
            message = f"{flow.source} becomes part of the directory search of {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='f"(uid={escape_filter_chars(uid)})"')
        for flow in flows_into(project, "ldap-name"):
            message = (
                f"{flow.source} becomes part of the name that {flow.sink_name} looks for in the directory."
            )
            yield self.found_flow(
                flow, message, remedy='f"cn={escape_dn_chars(group)},ou=groups,dc=example,dc=com"'
            )
