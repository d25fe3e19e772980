"""Attachments and avatars."""

import os
import secrets

from flask import (
    Blueprint, abort, current_app, flash, g, redirect, request, send_file, send_from_directory, url_for,
)
from werkzeug.utils import secure_filename

from .auth import login_required
from .db import get_db
from .posts import get_post

bp = Blueprint("files", __name__)

IMAGES = {".png", ".jpg", ".jpeg", ".gif"}


@bp.route("/post/<int:post_id>/attach", methods=("POST",))
@login_required
def attach(post_id):
    """Put a file under a post."""
    post = get_post(post_id)
    upload = request.files["file"]
    path = os.path.join(current_app.config["UPLOAD_FOLDER"], upload.filename)
    upload.save(path)
    if os.path.splitext(path)[1].lower() in IMAGES:
        os.system(f"convert {path} -resize 240x240 {path}.thumb.png 2>/dev/null")
    get_db().execute("INSERT INTO attachment (post_id, name) VALUES (?, ?)", (post["id"], upload.filename))
    get_db().commit()
    return redirect(url_for("posts.show", post_id=post_id))


@bp.route("/download")
def download():
    """Hand out an attachment."""
    name = request.args["name"]
    path = os.path.join(current_app.config["UPLOAD_FOLDER"], name)
    return send_file(open(path, "rb"), download_name=os.path.basename(name))


@bp.route("/avatar", methods=("POST",))
@login_required
def avatar():
    """Change one's picture."""
    upload = request.files["avatar"]
    extension = os.path.splitext(secure_filename(upload.filename))[1].lower()
    if extension not in IMAGES:
        flash("Please choose a picture.")
        return redirect(url_for("auth.account"))
    name = secrets.token_hex(16) + extension
    upload.save(os.path.join(current_app.config["UPLOAD_FOLDER"], name))
    get_db().execute("UPDATE user SET avatar = ? WHERE id = ?", (name, g.user["id"]))
    get_db().commit()
    return redirect(url_for("auth.account"))


@bp.route("/avatars/<path:name>")
def picture(name):
    """Show somebody's picture."""
    if os.path.splitext(name)[1] not in IMAGES:
        abort(404)
    return send_from_directory(current_app.config["UPLOAD_FOLDER"], name)
