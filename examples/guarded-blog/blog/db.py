"""The database: one SQLite file in the instance folder."""

import sqlite3

import click
from flask import current_app, g

from .seed import ADMIN_PASSWORD, plant


def get_db():
    """Return this request's connection."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db


def query_db(sql, args=(), one=False):
    """Run a query and return its rows, or only the first."""
    rows = get_db().execute(sql, args).fetchall()
    if one:
        return rows[0] if rows else None
    return rows


def close_db(error=None):
    """Close the connection when the request is over."""
    db = g.pop("db", None)
    if db is not None:
        db.close()


@click.command("init-db")
def init_db_command():
    """Clear the tables and plant the first posts."""
    db = get_db()
    with current_app.open_resource("schema.sql") as script:
        db.executescript(script.read().decode())
    plant(db)
    click.echo("The blog has its tables and its first posts.")
    click.echo(f"The admin's password is {ADMIN_PASSWORD}")


def init_app(app):
    """Tell the app about the database."""
    app.teardown_appcontext(close_db)
    app.cli.add_command(init_db_command)
