r"""An app must not write a client's data into the head of a mail as text.

A line break ends a header and begins the next one: a name of ``x\nBcc: everybody@example.com`` turns a contact form into a
relay for spam.

Build messages with ``email.message.EmailMessage``, which refuses line breaks in headers, or remove them.

Bad::

    import smtplib

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/contact")
    def contact():
        text = f"Subject: Hello from {request.form['name']}\nTo: team@example.com\n\nSomebody wrote."
        smtplib.SMTP("localhost").sendmail("web@example.com", "team@example.com", text)
        return "sent"

Good::

    import smtplib
    from email.message import EmailMessage

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/contact")
    def contact():
        message = EmailMessage()
        message["Subject"] = f"Hello from {request.form['name']}"
        message["To"] = "team@example.com"
        message.set_content("Somebody wrote.")
        smtplib.SMTP("localhost").send_message(message)
        return "sent"

References:
    - CWE-93
    - ASVS 5.0 V1.3.3
    - https://docs.python.org/3/library/email.message.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class MailHeaderInjection(Rule):
    """Every flow of a client's data into the head of a mail that is written as text."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (93,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "mail"):
            message = f"{flow.source} stands in the head of the mail that {flow.sink_name} sends, with its line breaks."
            yield self.found_flow(
                flow, message, remedy='message = EmailMessage(); message["Subject"] = subject'
            )
