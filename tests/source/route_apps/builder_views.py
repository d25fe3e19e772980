"""View classes, model views, a REST model and an API of Flask-AppBuilder."""

import os
from flask import Flask
from flask_appbuilder import AppBuilder, ModelView, BaseView, expose, has_access
from flask_appbuilder.utils.legacy import get_sqla_class
SQLA = get_sqla_class()
from flask_appbuilder.api import BaseApi, ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder import Model
from sqlalchemy import Column, Integer, String
db = SQLA()
appbuilder = AppBuilder()
class Contact(Model):
    __tablename__ = "contact"
    id = Column(Integer, primary_key=True)
    name = Column(String(150))
class ContactView(ModelView):
    datamodel = SQLAInterface(Contact)
class MyView(BaseView):
    route_base = "/myview"
    @expose("/method1/<string:param1>")
    @has_access
    def method1(self, param1): return param1
    @expose("/form", methods=["GET", "POST"])
    def form(self): return ""
class HelloApi(BaseApi):
    @expose("/greeting")
    def greeting(self): return self.response(200, message="Hello")
class ContactApi(ModelRestApi):
    resource_name = "contact"
    datamodel = SQLAInterface(Contact)
def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "x"; app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db.init_app(app)
    with app.app_context():
        appbuilder.init_app(app, db.session)
        appbuilder.add_view(ContactView, "Contacts", category="C")
        appbuilder.add_view_no_menu(MyView)
        appbuilder.add_api(HelloApi)
        appbuilder.add_api(ContactApi)
    return app
