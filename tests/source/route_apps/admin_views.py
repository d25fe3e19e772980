"""Model views, a view with a method of its own and a file manager of Flask-Admin."""

from flask import Flask
from flask_admin import Admin, AdminIndexView, BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.fileadmin import FileAdmin
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String)
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
class UserView(ModelView):
    can_export = True
    @expose("/promote", methods=["POST"])
    def promote(self): return ""
class Home(AdminIndexView):
    @expose("/")
    def index(self): return "home"
def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"; app.config["SECRET_KEY"] = "x"
    db.init_app(app)
    admin = Admin(app, name="x", index_view=Home(url="/manage"))
    with app.app_context():
        admin.add_view(UserView(User, db.session))
        admin.add_view(ModelView(Post, db.session, endpoint="articles", url="arts"))
        admin.add_view(FileAdmin("/tmp", "/static/", name="Files"))
    return app
