"""Blueprints of flask-smorest with method views, and one mounted at another prefix."""

from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint

class Config:
    API_TITLE = "Pets"; API_VERSION = "v1"; OPENAPI_VERSION = "3.0.2"
    OPENAPI_URL_PREFIX = "/docs"
    OPENAPI_SWAGGER_UI_PATH = "/swagger"; OPENAPI_SWAGGER_UI_URL = "https://cdn/"

blp = Blueprint("pets", "pets", url_prefix="/pets", description="pets")

@blp.route("/")
class Pets(MethodView):
    @blp.response(200)
    def get(self):
        return []
    @blp.arguments(dict)
    @blp.response(201)
    def post(self, data):
        return data

@blp.route("/<int:pet_id>")
class PetsById(MethodView):
    def get(self, pet_id):
        return {}
    def delete(self, pet_id):
        return {}

@blp.route("/count", methods=["GET"])
def count():
    return "1"

def create_app():
    app = Flask(__name__)
    app.config.from_object(Config)
    api = Api(app)
    api.register_blueprint(blp)
    api.register_blueprint(blp2, url_prefix="/v2/pets")
    return app
blp2 = Blueprint("pets2", "pets2", url_prefix="/ignored")
@blp2.get("/x")
def x(): return ""
