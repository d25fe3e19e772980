from flask import Flask
from flask_talisman import Talisman

app = Flask(__name__)
Talisman(
    app,
    content_security_policy={
        "default-src": "'self'",
        "script-src": "'strict-dynamic'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    },
    content_security_policy_nonce_in=["script-src"],  # and nonce="{{ csp_nonce() }}" on each script tag
)


@app.get("/")
def index():
    return "<h1>Hello</h1>"
