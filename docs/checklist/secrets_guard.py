from flask import Flask

from stopper import Stopper

app = Flask(__name__)
app.config.from_prefixed_env()
app.config["TRUSTED_HOSTS"] = ["blog.example.org"]
Stopper(app)  # reads .env by itself, and refuses to serve with a key that is missing, short or well known
