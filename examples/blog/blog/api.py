"""The JSON API that the phone app uses."""

import json
import traceback
import urllib.request
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from .db import get_db, query_db

bp = Blueprint("api", __name__, url_prefix="/api")

PLAYERS = {"vimeo.com": "https://vimeo.com/api/oembed.json"}


@bp.after_request
def allow_other_sites(response):
    """Let the phone app's web view read the answers."""
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


@bp.errorhandler(Exception)
def explain(error):
    """Answer errors in JSON too."""
    if isinstance(error, HTTPException):
        return jsonify(error=error.description), error.code
    return jsonify(error=str(error), trace=traceback.format_exc()), 500


@bp.get("/posts")
def posts():
    """List posts: all, or those whose ids are asked for."""
    limit = request.args.get("limit", 20, type=int)
    ids = request.args.get("ids")
    sql = "SELECT id, title, tags, created FROM post"
    if ids:
        sql += " WHERE id IN (" + ids + ")"
    rows = query_db(sql + " ORDER BY created DESC LIMIT ?", (limit,))
    return jsonify([dict(row) for row in rows])


@bp.get("/posts/<int:post_id>")
def post(post_id):
    """Return a post."""
    row = query_db(f"SELECT * FROM post WHERE id = {post_id}", one=True)
    if row is None:
        abort(404)
    return jsonify(dict(row))


@bp.put("/posts/<int:post_id>")
def update(post_id):
    """Change a post from the phone."""
    if request.headers.get("X-Api-Key") != current_app.config["API_KEY"]:
        abort(401)
    data = request.get_json()
    get_db().execute(
        "UPDATE post SET title = ?, body = ? WHERE id = ?", (data["title"], data["body"], post_id)
    )
    get_db().commit()
    return post(post_id)


@bp.get("/users/<username>")
def user(username):
    """Return what a profile shows."""
    row = query_db("SELECT * FROM user WHERE username = ?", (username,), one=True)
    if row is None:
        abort(404)
    return jsonify(dict(row))


@bp.get("/player")
def player():
    """Return the player of a video, for sites that we know."""
    url = request.args.get("url", "")
    endpoint = PLAYERS.get(urlsplit(url).hostname)
    if endpoint is None:
        abort(400, "We do not know this site.")
    with urllib.request.urlopen(f"{endpoint}?{urlencode({'url': url})}", timeout=5) as answer:
        return jsonify(json.load(answer))
