"""Accounts: register, log in, forget the password, change the profile."""

import functools
import hashlib
import secrets
import sqlite3

from flask import (
    Blueprint, abort, flash, g, redirect, render_template, request, session, url_for,
)
from markupsafe import Markup
from stopper.guard.redirects import safe_redirect
from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db, query_db
from .guard import stopper
from .mail import send_mail

bp = Blueprint("auth", __name__)

MONTH = 30 * 24 * 60 * 60
NOBODY = generate_password_hash(secrets.token_hex(16))
"""What the password of an account that does not exist is compared with, so that it takes as long."""

PROFILE = ("email", "website", "bio")
"""What a user may change."""


def login_required(view):
    """Send visitors without an account to the login page."""

    @functools.wraps(view)
    def wrapped(**kwargs):
        if g.user is None:
            return redirect(url_for("auth.login", next=request.full_path))
        return view(**kwargs)

    return wrapped


def admin_required(view):
    """Refuse everybody who is not an admin."""

    @functools.wraps(view)
    def wrapped(**kwargs):
        if g.user is None or not g.user["is_admin"]:
            abort(403)
        return view(**kwargs)

    return wrapped


@bp.before_app_request
def load_user():
    """Find out who is asking, by the session or by the remember-me cookie."""
    g.user = None
    if "user_id" in session:
        g.user = query_db("SELECT * FROM user WHERE id = ?", (session["user_id"],), one=True)
    elif "remember" in request.cookies:
        token = digest(request.cookies["remember"])
        g.user = query_db("SELECT * FROM user WHERE remember_token = ?", (token,), one=True)


def digest(token):
    """Return what the database keeps of a token: who reads it there cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@bp.route("/register", methods=("GET", "POST"))
def register():
    """Open an account."""
    if request.method == "POST":
        username = request.form["username"]
        try:
            get_db().execute(
                "INSERT INTO user (username, email, password) VALUES (?, ?, ?)",
                (username, request.form["email"], generate_password_hash(request.form["password"])),
            )
            get_db().commit()
        except sqlite3.IntegrityError:
            flash(f"{username} is already taken.")
        else:
            flash("Your account is ready. Log in to write.")
            return redirect(url_for("auth.login"))
    return render_template("auth/register.html")


@bp.route("/login", methods=("GET", "POST"))
def login():
    """Log in, and go on to where the visitor wanted to be."""
    if request.method == "POST":
        username = request.form["username"]
        password = request.form["password"]
        user = query_db("SELECT * FROM user WHERE username = ?", (username,), one=True)
        known = user["password"] if user else NOBODY
        if check_password_hash(known, password) and user is not None:
            return welcome(user, safe_redirect(request.args.get("next"), url_for("posts.index")))
        flash("The name or the password is wrong.")
    return render_template("auth/login.html")


def welcome(user, response):
    """Start the session, and remember the visitor if asked to."""
    session.clear()
    session["user_id"] = user["id"]
    if "remember" in request.form:
        token = secrets.token_urlsafe(32)
        get_db().execute("UPDATE user SET remember_token = ? WHERE id = ?", (digest(token), user["id"]))
        get_db().commit()
        response.set_cookie("remember", token, max_age=MONTH, secure=True, httponly=True, samesite="Lax")
    flash(Markup("Welcome back, <strong>{}</strong>.").format(user["username"]))
    return response


@bp.route("/logout", methods=("POST",))
def logout():
    """Log out, on this machine and wherever this account was remembered."""
    if g.user is not None:
        get_db().execute("UPDATE user SET remember_token = NULL WHERE id = ?", (g.user["id"],))
        get_db().commit()
    session.clear()
    response = redirect(url_for("posts.index"))
    response.delete_cookie("remember")
    return response


@bp.route("/forgot", methods=("GET", "POST"))
@stopper.limit("5 per hour", methods=["POST"])
def forgot():
    """Send a link that sets a new password."""
    if request.method == "POST":
        email = request.form["email"]
        token = secrets.token_urlsafe(32)
        changed = get_db().execute("UPDATE user SET reset_token = ? WHERE email = ?", (digest(token), email))
        get_db().commit()
        if changed.rowcount:
            link = url_for("auth.reset", token=token, _external=True)
            send_mail(email, "Your new password", f"Choose a new password here: {link}")
        flash("If we know this address, a link is on its way.")
    return render_template("auth/forgot.html")


@bp.route("/reset/<token>", methods=("GET", "POST"))
def reset(token):
    """Set a new password by the link from the mail."""
    user = query_db("SELECT * FROM user WHERE reset_token = ?", (digest(token),), one=True)
    if user is None:
        abort(404)
    if request.method == "POST":
        get_db().execute(
            "UPDATE user SET password = ?, reset_token = NULL WHERE id = ?",
            (generate_password_hash(request.form["password"]), user["id"]),
        )
        get_db().commit()
        return redirect(url_for("auth.login"))
    return render_template("auth/reset.html")


@bp.route("/account", methods=("GET", "POST"))
@login_required
def account():
    """Change the profile."""
    if request.method == "POST":
        columns = ", ".join(f"{name} = ?" for name in PROFILE)
        values = [*(request.form.get(name, "") for name in PROFILE), g.user["id"]]
        get_db().execute(f"UPDATE user SET {columns} WHERE id = ?", values)
        get_db().commit()
        flash("Your profile is saved.")
        return redirect(url_for("auth.account"))
    return render_template("auth/account.html")


@bp.route("/account/password", methods=("GET", "POST"))
@login_required
@stopper.limit("5 per 5 minutes", methods=["POST"])
def password():
    """Change the password."""
    if request.method == "POST":
        if not check_password_hash(g.user["password"], request.form["old"]):
            flash("That is not your old password.")
        elif len(request.form["new"]) < 12:
            flash("Please take at least twelve characters.")
        else:
            get_db().execute(
                "UPDATE user SET password = ?, remember_token = NULL WHERE id = ?",
                (generate_password_hash(request.form["new"]), g.user["id"]),
            )
            get_db().commit()
            session.clear()
            return redirect(url_for("auth.login"))
    return render_template("auth/password.html")
