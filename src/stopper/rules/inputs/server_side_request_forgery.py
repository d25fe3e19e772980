"""An app must not fetch the URLs that a client names.

The server stands inside your network: it reaches the metadata service of the cloud, admin pages and databases that
the client cannot. A URL that the client chooses makes the server their hand.

Compare the host with a list of those you mean. A check of the scheme is not one.

Bad::

    import requests
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/preview")
    def preview():
        return {"size": len(requests.get(request.args["url"], timeout=5).content)}

Good::

    from urllib.parse import urlsplit

    import requests
    from flask import Flask, request

    app = Flask(__name__)

    HOSTS = {"images.example.com", "cdn.example.com"}

    @app.get("/preview")
    def preview():
        url = request.args["url"]
        if urlsplit(url).hostname not in HOSTS:
            return {"error": "this host is not allowed"}, 400
        return {"size": len(requests.get(url, timeout=5).content)}

References:
    - CWE-918
    - ASVS 5.0 V1.3.6
    - https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._closed import held_by
from stopper.source.project import Project
from stopper.source.routes import Route
from stopper.taint.flow import Flow
from stopper.taint.flows import flows_into

_WHOLE_PATH = regex(r"(?:\w+\.)+(?:full_)?path\s*\)")
"""The path as the last argument, whole: ``urljoin(base, request.path)``."""

_VARIABLE = re.compile(r"the URL's <(\w+)>")
_CLASS = re.compile(r"\[(?!\^)[^\]/]*\]|\\\.")
_ANYTHING = re.compile(r"[./\[]|\\[SDW]")
"""What in a pattern, its classes of characters taken out, may stand for a slash."""


@held_by("sentry")
class ServerSideRequestForgery(Rule):
    """Every flow of a client's data into a URL that the server fetches; low where the host is fixed and only the path is the client's."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (918,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "ssrf"):
            partial = "prefixed" in flow.marks or _joins_own_path(flow, project)
            if partial and ("stored" in flow.marks or _is_segment(flow, project)):
                continue
            part = "a part of the URL, behind a fixed beginning, of" if partial else "the address of"
            message = f"{flow.source} is {part} the request that {flow.sink_name} sends."
            confidence = Confidence.LOW if partial else flow.confidence
            remedy = "if urlsplit(url).hostname not in HOSTS: abort(400)"
            if partial:
                remedy = 'requests.get("https://api.example.com/users/" + quote(name, safe=""), timeout=5)'
            yield self.found_flow(
                flow,
                message,
                remedy=remedy,
                confidence=confidence,
                severity=Severity.MEDIUM if partial else None,
            )


def _is_segment(flow: Flow, project: Project) -> bool:
    """Tell whether a client gives one part of a path, without a slash: a resource's name in an API of a fixed host."""
    name = _VARIABLE.fullmatch(flow.source)
    taking = [route for route in project.routes.routes if name and name[1] in route.parameters]
    return name is not None and bool(taking) and all(_holds_no_slash(route, name[1]) for route in taking)


def _holds_no_slash(route: Route, name: str) -> bool:
    """Tell whether a URL variable takes no slash: by Flask's own converters, or by a pattern that the rule gives another."""
    if route.parameters[name] in ("string", "uuid"):
        return True
    given = re.search(rf"<\w+\(([\"'])(.*?)\1\):{name}>", route.rule)
    return given is not None and not _ANYTHING.search(_CLASS.sub("", given[2]))


def _joins_own_path(flow: Flow, project: Project) -> bool:
    """Tell whether urljoin() is given the request's path: Flask lets it begin with one slash, so the base keeps its host."""
    if flow.source not in ("request.path", "request.full_path") or len(flow.steps) < 2:
        return False
    read, joined = flow.steps[:2]
    file = project.tree.by_path.get(read.location.path)
    if file is None or joined.note != "goes through urljoin()":
        return False
    return bool(_WHOLE_PATH.match(file.text.line(read.location.line), read.location.column - 1))
