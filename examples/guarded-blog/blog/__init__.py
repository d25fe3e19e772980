"""Bench Notes: a small blog about building small things."""

import os

from flask import Flask, render_template, request

from . import admin, api, auth, db, files, posts, text
from .config import Config
from .guard import stopper


def create_app(test_config=None):
    """Build the application."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_object(Config)
    app.config["DATABASE"] = os.path.join(app.instance_path, "blog.sqlite")
    app.config["UPLOAD_FOLDER"] = os.path.join(app.instance_path, "uploads")
    app.config.update(test_config or {})
    os.makedirs(app.config["UPLOAD_FOLDER"], exist_ok=True)

    stopper.init_app(app)
    db.init_app(app)
    text.init_app(app)
    for module in (auth, posts, files, admin, api):
        app.register_blueprint(module.bp)

    @app.errorhandler(404)
    def not_found(error):
        return render_template("404.html", path=request.path), 404

    return app
