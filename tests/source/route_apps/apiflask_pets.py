"""A blueprint of APIFlask, a method view and a view of the app."""

from apiflask import APIFlask, APIBlueprint, Schema
from apiflask.fields import String
from flask.views import MethodView
class PetIn(Schema):
    name = String()
bp = APIBlueprint("pets", __name__, url_prefix="/pets")
@bp.get("/<int:pet_id>")
@bp.output(PetIn)
def one(pet_id): return {}
class Pets(MethodView):
    def get(self): return []
    @bp.input(PetIn)
    def post(self, json_data): return {}
bp.add_url_rule("/", view_func=Pets.as_view("pets"))
def create_app():
    app = APIFlask(__name__)
    app.register_blueprint(bp)
    @app.post("/hello")
    @app.input(PetIn)
    def hello(json_data): return {}
    return app
