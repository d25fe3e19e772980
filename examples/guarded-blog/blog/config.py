"""Settings, from the environment."""

import os


class Config:
    """What the blog runs with."""

    SECRET_KEY = os.environ.get("SECRET_KEY")
    API_KEY = os.environ.get("API_KEY")

    TRUSTED_HOSTS = [host for host in os.environ.get("TRUSTED_HOSTS", "127.0.0.1,localhost").split(",") if host]
    SESSION_COOKIE_NAME = "bench"

    MAIL_SERVER = os.environ.get("MAIL_SERVER", "localhost")
    MAIL_PORT = int(os.environ.get("MAIL_PORT", "25"))
    MAIL_USERNAME = os.environ.get("MAIL_USERNAME")
    MAIL_PASSWORD = os.environ.get("MAIL_PASSWORD")
    MAIL_SUPPRESS_SEND = os.environ.get("MAIL_SUPPRESS_SEND", "1") == "1"
    MAIL_OWNER = "hello@bench-notes.example"
