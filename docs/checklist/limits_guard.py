from flask import Flask

from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
stopper = Stopper(app)  # every route has a limit; a login has a strict one and a lockout, found by itself


@app.post("/login")
@stopper.limit("5 per minute")
def login():
    return "no", 401
