"""Accounts: register, log in, forget the password, change the profile."""

import functools
import hashlib
import hmac
import random
import secrets
import sqlite3
import string
import time

from flask import (
    Blueprint, abort, current_app, flash, g, redirect, render_template, request, session, url_for,
)
from markupsafe import Markup
from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db, query_db
from .mail import send_mail
from .throttle import throttle

bp = Blueprint("auth", __name__)

YEAR = 365 * 24 * 60 * 60


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
        token = request.cookies["remember"]
        g.user = query_db("SELECT * FROM user WHERE remember_token = ?", (token,), one=True)


@bp.app_template_global()
def form_token():
    """Return the token that this visitor's forms carry."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(32)
    return session["form_token"]


def check_form_token():
    """Refuse a form that does not come from our own page."""
    expected = session.get("form_token", "")
    given = request.form.get("form_token", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        abort(400)


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
        user = query_db("SELECT * FROM user WHERE username = '%s'" % username, one=True)
        if user is None:
            flash("There is no account with this name.")
        elif not check_password_hash(user["password"], password):
            current_app.logger.warning("Wrong password for %s: %s", username, password)
            flash("That is not the password.")
        else:
            return welcome(user, redirect(request.args.get("next") or url_for("posts.index")))
    return render_template("auth/login.html")


def welcome(user, response):
    """Start the session, and remember the visitor if asked to."""
    session.clear()
    session["user_id"] = user["id"]
    if "remember" in request.form:
        token = hashlib.md5(f"{user['username']}{time.time()}".encode()).hexdigest()
        get_db().execute("UPDATE user SET remember_token = ? WHERE id = ?", (token, user["id"]))
        get_db().commit()
        response.set_cookie("remember", token, max_age=YEAR)
    flash(Markup(f"Welcome back, <strong>{user['username']}</strong>."))
    return response


@bp.route("/logout")
def logout():
    """Log out."""
    session.clear()
    response = redirect(url_for("posts.index"))
    response.delete_cookie("remember")
    return response


@bp.route("/forgot", methods=("GET", "POST"))
def forgot():
    """Send a link that sets a new password."""
    if request.method == "POST":
        email = request.form["email"]
        token = "".join(random.choices(string.ascii_letters + string.digits, k=20))
        get_db().execute("UPDATE user SET reset_token = ? WHERE email = ?", (token, email))
        get_db().commit()
        link = url_for("auth.reset", token=token, _external=True)
        send_mail(email, "Your new password", f"Choose a new password here: {link}")
        flash("If we know this address, a link is on its way.")
    return render_template("auth/forgot.html")


@bp.route("/reset/<token>", methods=("GET", "POST"))
def reset(token):
    """Set a new password by the link from the mail."""
    user = query_db("SELECT * FROM user WHERE reset_token = ?", (token,), one=True)
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
        columns = ", ".join(f"{name} = ?" for name in request.form)
        values = [*request.form.values(), g.user["id"]]
        get_db().execute(f"UPDATE user SET {columns} WHERE id = ?", values)
        get_db().commit()
        flash("Your profile is saved.")
        return redirect(url_for("auth.account"))
    return render_template("auth/account.html")


@bp.route("/account/password", methods=("GET", "POST"))
@login_required
@throttle(5, 300)
def password():
    """Change the password."""
    if request.method == "POST":
        check_form_token()
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
