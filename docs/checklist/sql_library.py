import sqlite3

from flask import Flask, request

app = Flask(__name__)


@app.get("/users")
def users():
    db = sqlite3.connect("file:checklist?mode=memory&cache=shared", uri=True)
    return db.execute("SELECT name FROM user WHERE email = ?", (request.args["email"],)).fetchall()
