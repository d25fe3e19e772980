from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

app = Flask(__name__)
limiter = Limiter(  # the checklist's Limiter(app, key_func=...) is the signature of an older release
    get_remote_address,
    app=app,
    storage_uri="memory://",  # "redis://..." as soon as there are two workers
    strategy="moving-window",
    headers_enabled=True,
    in_memory_fallback_enabled=True,
)


@app.post("/login")
@limiter.limit("5 per minute")  # below the route, or there is no limit at all
def login():
    return "no", 401
