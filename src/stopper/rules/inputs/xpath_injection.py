"""An app must not build XPath out of what a client sends.

``' or '1'='1`` in an XPath expression chooses every node, as it does in SQL. Where the document holds accounts, the
client reads them all.

Pass the value as a variable of the expression.

Bad::

    from lxml import etree
    from flask import Flask, request

    app = Flask(__name__)

    TREE = etree.parse("users.xml")

    @app.get("/users")
    def users():
        found = TREE.xpath(f"//user[@name='{request.args['name']}']")
        return {"found": len(found)}

Good::

    from lxml import etree
    from flask import Flask, request

    app = Flask(__name__)

    TREE = etree.parse("users.xml")

    @app.get("/users")
    def users():
        found = TREE.xpath("//user[@name=$name]", name=request.args["name"])
        return {"found": len(found)}

References:
    - CWE-643
    - ASVS 5.0 V1.2.7
    - https://lxml.de/xpathxslt.html#the-xpath-method
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class XpathInjection(Rule):
    """Every flow of a client's data into the text of an XPath expression."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (643,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "xpath"):
            message = f"{flow.source} becomes part of the XPath expression of {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='tree.xpath("//user[@name=$name]", name=name)')
