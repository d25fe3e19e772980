from flask import Flask, render_template_string

from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
Stopper(app)


@app.get("/")
def index():
    return render_template_string("<script>go()</script><h1>Hello</h1>")  # the tag gets its nonce by itself
