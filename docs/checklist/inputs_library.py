from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.file import FileAllowed, FileField, FileRequired, FileSize

app = Flask(__name__)
app.config.update(SECRET_KEY="3f7c9e1ab84d60f25c7e9a1b3d5f7082", MAX_CONTENT_LENGTH=16 * 1024 * 1024)
CSRFProtect(app)


class Photo(FlaskForm):
    photo = FileField(validators=[FileRequired(), FileAllowed(["png", "jpg"]), FileSize(2 * 1024 * 1024)])


@app.post("/photo")
def photo():
    form = Photo()
    return ("stored", 200) if form.validate() else ("no", 400)  # the name decides: PHP as .jpg passes
