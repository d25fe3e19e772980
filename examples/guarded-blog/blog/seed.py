"""The first users, posts and comments."""

import os
import secrets

from werkzeug.security import generate_password_hash

ADMIN_PASSWORD = os.environ.get("ADMIN_PASSWORD") or secrets.token_urlsafe(12)

USERS = [
    ("admin", "admin@bench-notes.example", ADMIN_PASSWORD, "", "", 1),
    ("mara", "mara@bench-notes.example", "sourdough", "Writes web things between two loaves of bread.",
     "https://mara.example/", 0),
    ("tobias", "tobias@bench-notes.example", "lighthouse", "Keeps old computers warm.", "", 0),
]

POSTS = [
    ("mara", "Templates are functions", "jinja, flask", "2025-02-11 08:30:00", """\
For years I copied the same form markup from page to page. Then I noticed that a Jinja macro is nothing but a function \
that returns HTML, and that I already know how to treat functions: name them well, keep them short, give them arguments.

My whole site has three now: a field, a card and a comment. When a label changes, it changes once."""),
    ("tobias", "Why I went back to SQLite", "sqlite, databases", "2025-03-02 19:05:00", """\
The blog you are reading has some four hundred visitors on a good day. For that it had a database server, a cache in \
front of it and a queue behind it, all three on a machine that costs more than my bread.

Now it has one file. The backup is `cp`, the restore is `cp` the other way round, and the test database lives as long \
as the test."""),
    ("mara", "A sourdough timer in forty lines", "flask, bread", "2025-03-21 06:45:00", """\
Dough does not read clocks, but I do. So I wrote a page that asks the kitchen how warm it is, and tells me when to fold:

    hours = 4.5 * 2 ** ((24 - degrees) / 8)

It is wrong by half an hour either way, which is also what the books are."""),
    ("mara", "Before your Flask app meets the internet", "flask, security", "2025-04-06 10:00:00", """\
Flask hands you a request, a response and a template, and leaves the rest to you. That is why I like it. It is also why \
nobody will stop you when you forget something. This is the list that hangs above my bench.

## The eight
- Keep secrets in the environment, and the environment out of the repository.
- Send the headers that tell a browser what your pages may do.
- Give values to the database as parameters. Never build a query from them.
- Let Jinja escape. Every `safe` is a promise that you have to keep.
- Count the attempts at everything that somebody could guess.
- Speak HTTPS only, and mark every cookie so.
- Believe nothing that arrives: not a name, not a size, not an address.
- Know how old your dependencies are.

## The ninth
Look again next month. An app that was closed in spring opens by itself: a release turns out to be broken, a colleague \
adds a form, somebody needs a quick export. Whatever you do once by hand, find a way to have it done every day."""),
]

COMMENTS = [
    ("Why I went back to SQLite", "mara", "https://mara.example/",
     "<b>Finally.</b> Who runs the backup at night?", "2025-03-03 07:10:00"),
    ("A sourdough timer in forty lines", "tobias", "",
     "My kitchen has 17 degrees. I shall be dead before it rises.", "2025-03-21 09:12:00"),
    ("A sourdough timer in forty lines", "Ines", "",
     "Put it <i>on top of</i> the old server, not beside it.", "2025-03-21 11:40:00"),
]


def plant(db):
    """Fill empty tables."""
    for name, email, password, bio, website, is_admin in USERS:
        db.execute(
            "INSERT INTO user (username, email, password, bio, website, is_admin) VALUES (?, ?, ?, ?, ?, ?)",
            (name, email, generate_password_hash(password), bio, website, is_admin),
        )
    for author, title, tags, created, body in POSTS:
        db.execute(
            "INSERT INTO post (author_id, title, body, tags, created)"
            " VALUES ((SELECT id FROM user WHERE username = ?), ?, ?, ?, ?)",
            (author, title, body, tags, created),
        )
    for title, name, website, body, created in COMMENTS:
        db.execute(
            "INSERT INTO comment (post_id, name, website, body, created)"
            " VALUES ((SELECT id FROM post WHERE title = ?), ?, ?, ?, ?)",
            (title, name, website, body, created),
        )
    db.commit()
