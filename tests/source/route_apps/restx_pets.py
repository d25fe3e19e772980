"""Resources of Flask-RESTX: on the API, in a namespace, and in an API on a blueprint."""

from flask import Blueprint, Flask
from flask_restx import Api, Namespace, Resource

pets = Namespace("pets", description="Pets")


@pets.route("/")
class Pets(Resource):
    def get(self):
        return []

    def post(self):
        return {}


@pets.route("/<int:number>", "/by-number/<int:number>")
class Pet(Resource):
    @pets.doc("get_pet")
    def get(self, number):
        return {"number": number}


def create_app():
    app = Flask(__name__)
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    api = Api(blueprint, doc=False)
    api.add_namespace(pets, path="/animals")

    @api.route("/health")
    class Health(Resource):
        def get(self):
            return "fine"

    app.register_blueprint(blueprint)
    return app
