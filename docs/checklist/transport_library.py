from flask import Flask, session
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.config.update(
    SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082",
    TRUSTED_HOSTS=["blog.example.org"],  # or the redirect goes wherever Host says
    SESSION_COOKIE_SECURE=True,
)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
Talisman(app, content_security_policy="default-src 'self'")


@app.route("/", methods=["GET", "POST"])
def index():
    session["seen"] = True
    return "hello"
