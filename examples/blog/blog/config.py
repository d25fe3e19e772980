"""Settings, from the environment where it has them."""

import os
from datetime import timedelta


class Config:
    """What the blog runs with."""

    SECRET_KEY = os.environ.get("SECRET_KEY", "dev")
    API_KEY = "bench-notes-phone-app"

    SESSION_COOKIE_NAME = "bench"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SECURE = False  # there is no https on my laptop
    PERMANENT_SESSION_LIFETIME = timedelta(days=365)

    MAIL_SERVER = os.environ.get("MAIL_SERVER", "localhost")
    MAIL_PORT = int(os.environ.get("MAIL_PORT", "25"))
    MAIL_USERNAME = os.environ.get("MAIL_USERNAME")
    MAIL_PASSWORD = os.environ.get("MAIL_PASSWORD")
    MAIL_SUPPRESS_SEND = os.environ.get("MAIL_SUPPRESS_SEND", "1") == "1"
    MAIL_OWNER = "hello@bench-notes.example"
