"""The blog itself: posts, comments, search, contact."""

import re
import urllib.request
from urllib.parse import urlsplit

from flask import (
    Blueprint, abort, flash, g, redirect, render_template, request, url_for,
)
from markupsafe import Markup
from stopper.guard.redirects import safe_redirect

from .auth import login_required
from .db import get_db, query_db
from .guard import stopper
from .mail import send_mail

IMPORT_HOSTS = frozenset(("en.wikipedia.org", "write.as", "telegra.ph"))
"""Where a post may be imported from."""

bp = Blueprint("posts", __name__)

PAGE = 10
MOST = 1_000_000
SORTS = {"created": "post.created", "title": "post.title", "comments": "comments"}
POST = (
    "SELECT post.*, user.username, user.avatar,"
    " (SELECT count(*) FROM comment WHERE comment.post_id = post.id) AS comments"
    " FROM post JOIN user ON user.id = post.author_id"
)


def get_post(post_id):
    """Return a post, or answer 404."""
    post = query_db(f"{POST} WHERE post.id = ?", (post_id,), one=True)
    if post is None:
        abort(404)
    return post


@bp.route("/")
def index():
    """Show the posts, the newest first unless the visitor wants otherwise."""
    sort = request.args.get("sort", "created")
    column = SORTS.get(sort, "post.created")
    order = "ASC" if request.args.get("order") == "asc" else "DESC"
    page = max(request.args.get("page", 1, type=int), 1)
    posts = query_db(f"{POST} ORDER BY {column} {order} LIMIT ? OFFSET ?", (PAGE, (page - 1) * PAGE))
    return render_template("posts/index.html", posts=posts, sort=sort, page=page)


@bp.route("/search")
def search():
    """Show the posts with these words in them."""
    q = request.args.get("q", "")
    words = f"%{q}%"
    posts = query_db(f"{POST} WHERE title LIKE ? OR body LIKE ? OR tags LIKE ?", (words, words, words))
    count = Markup("{} found for <em>{}</em>").format(len(posts), q)
    return render_template("posts/search.html", posts=posts, q=q, count=count)


@bp.route("/author/<username>")
def author(username):
    """Show who somebody is and what they wrote."""
    user = query_db("SELECT * FROM user WHERE username = ?", (username,), one=True)
    if user is None:
        abort(404)
    posts = query_db(f"{POST} WHERE author_id = ? ORDER BY created DESC", (user["id"],))
    return render_template("posts/author.html", author=user, posts=posts)


@bp.route("/post/<int:post_id>")
def show(post_id):
    """Show a post with its comments."""
    post = get_post(post_id)
    comments = query_db("SELECT * FROM comment WHERE post_id = ? ORDER BY created", (post_id,))
    attachments = query_db("SELECT * FROM attachment WHERE post_id = ?", (post_id,))
    return render_template("posts/show.html", post=post, comments=comments, attachments=attachments)


@bp.route("/post/<int:post_id>/comment", methods=("POST",))
@stopper.limit("10 per minute")
def comment(post_id):
    """Leave a comment."""
    post = get_post(post_id)
    name = g.user["username"] if g.user else request.form["name"]
    get_db().execute(
        "INSERT INTO comment (post_id, name, website, body) VALUES (?, ?, ?, ?)",
        (post["id"], name, request.form.get("website", ""), request.form["body"]),
    )
    get_db().commit()
    return redirect(url_for("posts.show", post_id=post_id, _anchor="comments"))


@bp.route("/write", methods=("GET", "POST"))
@login_required
def write():
    """Write a post."""
    if request.method == "POST":
        cursor = get_db().execute(
            "INSERT INTO post (author_id, title, body, tags) VALUES (?, ?, ?, ?)",
            (g.user["id"], request.form["title"], request.form["body"], request.form["tags"]),
        )
        get_db().commit()
        return redirect(url_for("posts.show", post_id=cursor.lastrowid))
    return render_template("posts/write.html", post={})


@bp.route("/post/<int:post_id>/edit", methods=("GET", "POST"))
@login_required
def edit(post_id):
    """Change a post of one's own."""
    post = get_post(post_id)
    if post["author_id"] != g.user["id"]:
        abort(403)
    if request.method == "POST":
        get_db().execute(
            "UPDATE post SET title = ?, body = ?, tags = ? WHERE id = ?",
            (request.form["title"], request.form["body"], request.form["tags"], post_id),
        )
        get_db().commit()
        return redirect(url_for("posts.show", post_id=post_id))
    return render_template("posts/write.html", post=post)


@bp.route("/post/<int:post_id>/delete", methods=("POST",))
@login_required
def delete(post_id):
    """Delete a post of one's own."""
    if get_post(post_id)["author_id"] != g.user["id"]:
        abort(403)
    get_db().execute("DELETE FROM post WHERE id = ?", (post_id,))
    get_db().commit()
    flash("The post is gone.")
    return redirect(url_for("posts.index"))


@bp.route("/preview", methods=("POST",))
@login_required
def preview():
    """Show what a post will look like."""
    return render_template("posts/preview.html", title=request.form["title"], body=request.form["body"])


@bp.route("/import", methods=("GET", "POST"))
@login_required
def import_post():
    """Start a post from a page somewhere else."""
    if request.method == "POST":
        url = request.form["url"]
        if urlsplit(url).scheme != "https" or urlsplit(url).hostname not in IMPORT_HOSTS:
            abort(400, f"We fetch pages by https, and only from {', '.join(sorted(IMPORT_HOSTS))}.")
        with urllib.request.urlopen(url, timeout=5) as page:  # and the sentry keeps it out of our own network
            html = page.read(MOST).decode("utf-8", "replace")
        title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
        draft = {
            "title": title.group(1).strip() if title else url,
            "body": re.sub(r"<[^>]+>", "", html.partition("<body")[2] or html).strip(),
        }
        return render_template("posts/write.html", post=draft)
    return render_template("posts/import.html")


@bp.route("/contact", methods=("GET", "POST"))
@stopper.limit("3 per hour", methods=["POST"])
def contact():
    """Write to the owner."""
    if request.method == "POST":
        send_mail(
            "hello@bench-notes.example",
            "From the contact form",
            request.form["message"],
            reply_to=request.form["email"],
        )
        flash("Thank you, your message is on its way.")
        return redirect(url_for("posts.index"))
    return render_template("posts/contact.html")


@bp.route("/theme/<any(light, dark):name>")
def theme(name):
    """Switch between light and dark, and go back."""
    response = safe_redirect(request.args.get("back"), url_for("posts.index"))
    response.set_cookie("theme", name, secure=True, httponly=True, samesite="Lax")
    return response
