from flask import Flask, render_template_string, request

from stopper import Stopper

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
Stopper(app)  # brings |clean, keeps autoescape on, and a policy that runs no script without a nonce


@app.get("/preview")
def preview():
    return render_template_string("<h1>{{ title }}</h1> {{ text|clean }}", **request.args)
