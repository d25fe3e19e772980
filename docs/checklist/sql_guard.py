import sqlite3
from contextlib import closing

from flask import Flask, request

from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
Stopper(app)


@app.get("/users")
def users():
    with closing(sqlite3.connect("file:checklist?mode=memory&cache=shared", uri=True)) as db:
        # wrong, and still no injection: a request whose input changes the tokens of a statement ends here
        return db.execute(f"SELECT name FROM user WHERE email = '{request.args['email']}'").fetchall()
