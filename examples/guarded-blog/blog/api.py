"""The JSON API that the phone app uses."""

import hmac
import json
import urllib.request
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from .db import get_db, query_db

bp = Blueprint("api", __name__, url_prefix="/api")

PLAYERS = {"vimeo.com": "https://vimeo.com/api/oembed.json"}


@bp.errorhandler(Exception)
def explain(error):
    """Answer errors in JSON too, and keep to ourselves what went wrong inside."""
    if isinstance(error, HTTPException):
        return jsonify(error=error.description), error.code
    current_app.logger.exception("The API failed.")
    return jsonify(error="Something went wrong here."), 500


@bp.get("/posts")
def posts():
    """List posts: all, or those whose ids are asked for."""
    limit = min(request.args.get("limit", 20, type=int), 100)
    sql, values = "SELECT id, title, tags, created FROM post", []
    if request.args.get("ids"):
        values = [int(one) for one in request.args["ids"].split(",")[:100] if one.strip().isdecimal()]
        sql += f" WHERE id IN ({', '.join('?' * len(values))})"
    rows = query_db(sql + " ORDER BY created DESC LIMIT ?", (*values, limit))
    return jsonify([dict(row) for row in rows])


@bp.get("/posts/<int:post_id>")
def post(post_id):
    """Return a post."""
    row = query_db("SELECT id, title, body, tags, created FROM post WHERE id = ?", (post_id,), one=True)
    if row is None:
        abort(404)
    return jsonify(dict(row))


@bp.put("/posts/<int:post_id>")
def update(post_id):
    """Change a post from the phone."""
    key = current_app.config["API_KEY"] or ""
    if not key or not hmac.compare_digest(request.headers.get("X-Api-Key", "").encode(), key.encode()):
        abort(401)
    data = request.get_json()
    if not isinstance(data, dict) or not all(isinstance(data.get(one), str) for one in ("title", "body")):
        abort(400)
    get_db().execute(
        "UPDATE post SET title = ?, body = ? WHERE id = ?", (data["title"], data["body"], post_id)
    )
    get_db().commit()
    return post(post_id)


@bp.get("/users/<username>")
def user(username):
    """Return what a profile shows."""
    row = query_db("SELECT username, bio, website, avatar FROM user WHERE username = ?", (username,), one=True)
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
