"""The admin's page: users, comments, backups."""

import json
import subprocess

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for

from .auth import admin_required
from .db import get_db, query_db
from .guard import stopper

bp = Blueprint("admin", __name__, url_prefix="/admin")

COLUMNS = {
    "user": ("id", "username", "email", "password", "bio", "website", "avatar", "is_admin"),
    "post": ("id", "author_id", "title", "body", "tags", "created"),
    "comment": ("id", "post_id", "name", "website", "body", "created"),
    "attachment": ("id", "post_id", "name", "path"),
}
SORTS = {"name": "username", "mail": "email", "age": "id"}


@bp.route("/")
@admin_required
def index():
    """Show users, the last comments and the space that uploads take."""
    column = SORTS.get(request.args.get("sort"), "id")
    users = query_db(f"SELECT * FROM user ORDER BY {column}")
    comments = query_db("SELECT * FROM comment ORDER BY created DESC LIMIT 20")
    usage = subprocess.run(
        ["du", "-sh", current_app.config["UPLOAD_FOLDER"]], capture_output=True, text=True, check=False
    )
    return render_template(
        "admin/index.html", users=users, comments=comments, usage=usage.stdout.partition("\t")[0]
    )


@bp.route("/comments", methods=("POST",))
@admin_required
def delete_comments():
    """Delete the comments that are ticked."""
    ids = request.form.getlist("id", type=int)
    marks = ", ".join("?" * len(ids))
    get_db().execute(f"DELETE FROM comment WHERE id IN ({marks})", ids)
    get_db().commit()
    return redirect(url_for("admin.index"))


@bp.route("/promote/<int:user_id>", methods=("POST",))
@admin_required
def promote(user_id):
    """Make somebody an admin."""
    get_db().execute("UPDATE user SET is_admin = 1 WHERE id = ?", (user_id,))
    get_db().commit()
    return redirect(url_for("admin.index"))


@bp.route("/backup", methods=("POST",))
@admin_required
def backup():
    """Download everything in one file."""
    tables = {
        name: [dict(row) for row in query_db(f"SELECT {', '.join(columns)} FROM {name}")]
        for name, columns in COLUMNS.items()
    }
    return Response(
        json.dumps(tables),
        mimetype="application/json",
        headers={"Content-Disposition": "attachment; filename=bench-notes.json"},
    )


@bp.route("/restore", methods=("POST",))
@admin_required
@stopper.upload("json", most_bytes=10_000_000)
def restore():
    """Put everything back as it was in a backup."""
    if "backup" not in request.files:
        abort(400)
    tables = json.load(request.files["backup"].stream)
    if not isinstance(tables, dict) or set(tables) != set(COLUMNS):
        abort(400)
    for name, columns in COLUMNS.items():
        get_db().execute(f"DELETE FROM {name}")
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
        for row in tables[name]:
            get_db().execute(statement, [row[column] for column in columns])
    get_db().commit()
    flash("The backup is restored.")
    return redirect(url_for("admin.index"))
