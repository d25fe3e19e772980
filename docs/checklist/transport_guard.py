from flask import Flask, session

from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
stopper = Stopper(app, proxies=1)  # the certificate: stopper cert obtain blog.example.org --production


@app.route("/", methods=["GET", "POST"])
@stopper.exempt("csrf")
def index():
    session["seen"] = True
    return "hello"
