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

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into

_SAFE_SINCE = 5
"""The first major version of lxml whose parser refuses external entities by itself."""


class XmlExternalEntity(Rule):
    """Every flow of a client's data into an XML parser that resolves entities: because it is told to, or as an old lxml does."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (611,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        old = _is_old(project)
        for flow in flows_into(project, "xml"):
            told = "with external entities on."
            confidence = flow.confidence
            if flow.confidence is Confidence.LOW and old is False:
                continue
            if flow.confidence is Confidence.LOW:
                told = "whose default before lxml 5 resolves external entities; which lxml is installed settles it."
                confidence = Confidence.HIGH if old else Confidence.LOW
            remedy = "etree.XMLParser(resolve_entities=False, no_network=True)"
            message = f"{flow.source} is parsed by {flow.sink_name}{'' if told[:4] == 'with' else ','} {told}"
            yield self.found_flow(flow, message, remedy=remedy, confidence=confidence)
        for flow in flows_into(project, "xslt"):
            message = (
                f"{flow.source} becomes a stylesheet: {flow.sink_name} lets it read files and addresses."
            )
            yield self.found_flow(flow, message, remedy="etree.XSLT(etree.parse(STYLESHEET))")


def _is_old(project: Project) -> bool | None:
    """Tell whether the pinned lxml resolves entities by default; None where no version is pinned."""
    pinned = [one.pinned for one in project.manifests.named("lxml") if one.pinned]
    majors = [int(major) for version in pinned if (major := version.partition(".")[0]).isdecimal()]
    return min(majors) < _SAFE_SINCE if majors else None
