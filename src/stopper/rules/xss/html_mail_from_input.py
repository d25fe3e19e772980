"""An app must not put what a client sends into the HTML of a mail as it is.

A mail that comes from your own address is believed. Whoever writes HTML into it writes the links and the forms that your
customers or your own staff see, and in a mail program on the web perhaps a script.

Render the mail from a template, which escapes, or escape the value.

Bad::

    from flask import Flask, request
    from flask_mail import Mail, Message

    app = Flask(__name__)
    mail = Mail(app)

    @app.post("/contact")
    def contact():
        message = Message("Contact", recipients=["team@example.com"])
        message.html = f"<p>{request.form['text']}</p>"
        mail.send(message)
        return "sent"

Good::

    from flask import Flask, request
    from flask_mail import Mail, Message
    from markupsafe import escape

    app = Flask(__name__)
    mail = Mail(app)

    @app.post("/contact")
    def contact():
        message = Message("Contact", recipients=["team@example.com"])
        message.html = f"<p>{escape(request.form['text'])}</p>"
        mail.send(message)
        return "sent"

References:
    - CWE-79
    - CWE-80
    - ASVS 5.0 V1.2.1
    - https://flask-mail.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class HtmlMailFromInput(Rule):
    """Every flow of a client's data into the HTML of a mail, unescaped."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 80)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "mail-html"):
            message = f"{flow.source} becomes HTML of a mail, unescaped."
            yield self.found_flow(flow, message, remedy='message.html = f"<p>{escape(text)}</p>"')
