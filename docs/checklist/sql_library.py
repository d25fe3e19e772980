import sqlite3
from contextlib import closing

from flask import Flask, request

app = Flask(__name__)


@app.get("/users")
def users():
    with closing(sqlite3.connect("file:checklist?mode=memory&cache=shared", uri=True)) as db:
        return db.execute("SELECT name FROM user WHERE email = ?", (request.args["email"],)).fetchall()
