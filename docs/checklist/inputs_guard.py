from flask import Flask, request

from stopper import Stopper
from stopper.guard.uploads import check_upload

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", TRUSTED_HOSTS=["blog.example.org"])
stopper = Stopper(app)  # bounds the body, and refuses requests of other sites before it is read


@app.post("/photo")
@stopper.upload("png", "jpg")
def photo():
    check_upload(request.files["photo"], "png", "jpg")  # name, content and size agree, or 400
    return "stored"
