"""Sending mail."""

import smtplib
import ssl
from email.message import EmailMessage

from flask import current_app


def send_mail(to, subject, body, reply_to=None):
    """Send a message, or only log it where sending is switched off."""
    config = current_app.config
    message = EmailMessage()
    message["From"] = config["MAIL_OWNER"]
    message["To"] = to
    message["Subject"] = subject
    if reply_to:
        message["Reply-To"] = " ".join(reply_to.split())
    message.set_content(body)
    if config["MAIL_SUPPRESS_SEND"]:
        current_app.logger.info("Mail to %r", to)
        return
    with smtplib.SMTP(config["MAIL_SERVER"], config["MAIL_PORT"], timeout=10) as server:
        server.starttls(context=ssl.create_default_context())
        server.login(config["MAIL_USERNAME"], config["MAIL_PASSWORD"])
        server.send_message(message)
