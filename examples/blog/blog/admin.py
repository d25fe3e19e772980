"""The admin's page: users, comments, backups."""

import pickle
import subprocess

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from .auth import admin_required, check_form_token
from .db import get_db, query_db

bp = Blueprint("admin", __name__, url_prefix="/admin")

TABLES = ("user", "post", "comment", "attachment")
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
    check_form_token()
    ids = request.form.getlist("id", type=int)
    marks = ", ".join("?" * len(ids))
    get_db().execute(f"DELETE FROM comment WHERE id IN ({marks})", ids)
    get_db().commit()
    return redirect(url_for("admin.index"))


@bp.route("/promote/<int:user_id>")
@admin_required
def promote(user_id):
    """Make somebody an admin."""
    get_db().execute("UPDATE user SET is_admin = 1 WHERE id = ?", (user_id,))
    get_db().commit()
    return redirect(url_for("admin.index"))


@admin_required
@bp.route("/backup")
def backup():
    """Download everything in one file."""
    tables = {name: [dict(row) for row in query_db(f"SELECT * FROM {name}")] for name in TABLES}
    return Response(
        pickle.dumps(tables),
        mimetype="application/octet-stream",
        headers={"Content-Disposition": "attachment; filename=bench-notes.backup"},
    )


@bp.route("/restore", methods=("POST",))
@admin_required
def restore():
    """Put everything back as it was in a backup."""
    tables = pickle.load(request.files["backup"].stream)
    for name in TABLES:
        get_db().execute(f"DELETE FROM {name}")
        for row in tables[name]:
            marks = ", ".join("?" * len(row))
            get_db().execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    get_db().commit()
    flash("The backup is restored.")
    return redirect(url_for("admin.index"))
