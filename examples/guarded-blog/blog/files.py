"""Attachments and avatars."""

from flask import Blueprint, abort, current_app, flash, g, redirect, request, url_for
from stopper.guard.uploads import UploadRefusedError, check_upload, send_upload

from .auth import login_required
from .db import get_db, query_db
from .posts import get_post

bp = Blueprint("files", __name__)

ATTACHMENTS = ("images", "documents", "texts", "zip")


@bp.route("/post/<int:post_id>/attach", methods=("POST",))
@login_required
def attach(post_id):
    """Put a file under a post of one's own."""
    post = get_post(post_id)
    if post["author_id"] != g.user["id"]:
        abort(403)
    try:
        upload = check_upload(request.files["file"], *ATTACHMENTS)
    except UploadRefusedError as error:
        flash(str(error))
    else:
        path = upload.save(current_app.config["UPLOAD_FOLDER"])
        get_db().execute(
            "INSERT INTO attachment (post_id, name, path) VALUES (?, ?, ?)", (post["id"], upload.name, path.name)
        )
        get_db().commit()
    return redirect(url_for("posts.show", post_id=post_id))


@bp.route("/download/<int:attachment_id>")
def download(attachment_id):
    """Hand out an attachment."""
    row = query_db("SELECT name, path FROM attachment WHERE id = ?", (attachment_id,), one=True)
    if row is None:
        abort(404)
    return send_upload(current_app.config["UPLOAD_FOLDER"], row["path"], row["name"])


@bp.route("/avatar", methods=("POST",))
@login_required
def avatar():
    """Change one's picture."""
    try:
        upload = check_upload(request.files["avatar"], "images", most_bytes=2_000_000)
    except UploadRefusedError as error:
        flash(str(error))
    else:
        path = upload.save(current_app.config["UPLOAD_FOLDER"])
        get_db().execute("UPDATE user SET avatar = ? WHERE id = ?", (path.name, g.user["id"]))
        get_db().commit()
    return redirect(url_for("auth.account"))


@bp.route("/avatars/<name>")
def picture(name):
    """Show somebody's picture."""
    if query_db("SELECT 1 FROM user WHERE avatar = ?", (name,), one=True) is None:
        abort(404)
    return send_upload(current_app.config["UPLOAD_FOLDER"], name)
