"""An app must not resolve external entities in XML that a client sends.

An XML document may name a file or a URL and have the parser put its content in. A parser that does so reads the
server's files to the client.

Leave ``resolve_entities`` off, which lxml does by itself since 5.0, or parse with defusedxml.

Bad::

    from lxml import etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/orders")
    def orders():
        parser = etree.XMLParser(resolve_entities=True)
        tree = etree.fromstring(request.data, parser)
        return {"orders": len(tree)}

Good::

    from lxml import etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/orders")
    def orders():
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        tree = etree.fromstring(request.data, parser)
        return {"orders": len(tree)}

References:
    - CWE-611
    - ASVS 5.0 V1.5.1
    - https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class XmlExternalEntity(Rule):
    """Every flow of a client's data into an XML parser that is told to resolve entities."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (611,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "xml"):
            message = f"{flow.source} is parsed by {flow.sink_name} with external entities on."
            yield self.found_flow(
                flow, message, remedy="etree.XMLParser(resolve_entities=False, no_network=True)"
            )
