"""Bench Notes: a small blog about building small things."""

import os

from flask import Flask, render_template, request
from werkzeug.middleware.proxy_fix import ProxyFix

from . import admin, api, auth, db, files, posts, text
from .config import Config


def create_app(test_config=None):
    """Build the application."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_object(Config)
    app.config["DATABASE"] = os.path.join(app.instance_path, "blog.sqlite")
    app.config["UPLOAD_FOLDER"] = os.path.join(app.instance_path, "uploads")
    app.config.update(test_config or {})
    os.makedirs(app.config["UPLOAD_FOLDER"], exist_ok=True)

    db.init_app(app)
    text.init_app(app)
    for module in (auth, posts, files, admin, api):
        app.register_blueprint(module.bp)

    @app.after_request
    def set_headers(response):
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; img-src *; "
            "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
        )
        return response

    @app.errorhandler(404)
    def not_found(error):
        return render_template("404.html", path=request.path), 404

    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=2, x_proto=1, x_host=1)
    return app
