"""Flask-Admin's views must ask who is there.

A ModelView is open to everybody unless its is_accessible says otherwise: reading, changing and deleting rows
of its table.

Bad::

    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView
    from flask import Flask

    app = Flask(__name__)
    admin = Admin(app)
    admin.add_view(ModelView(User, db.session))

Good::

    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView
    from flask_login import current_user
    from flask import Flask

    app = Flask(__name__)

    class Guarded(ModelView):
        def is_accessible(self):
            return current_user.is_authenticated and current_user.is_admin

    admin = Admin(app)
    admin.add_view(Guarded(User, db.session))

References:
    - CWE-306
    - CWE-862
    - ASVS 5.0 V8.2.2
    - https://flask-admin.readthedocs.io/en/stable/introduction/#authorization-permissions
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project


class AdminWithoutAccessCheck(Rule):
    """Look for Flask-Admin's own ModelView added as it is."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (306, 862)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(
            project,
            "flask_admin.contrib.sqla.ModelView",
            "flask_admin.contrib.peewee.ModelView",
            "flask_admin.contrib.mongoengine.ModelView",
            "flask_admin.contrib.fileadmin.FileAdmin",
        ):
            yield self.found(
                call.location,
                "this admin view has no is_accessible: everybody may use it; a check before each request to /admin would settle it",
                confidence=Confidence.MEDIUM,
                remedy="class Guarded(ModelView):\n    def is_accessible(self):\n        return current_user.is_authenticated and current_user.is_admin",
                context=f"{call.function} {call.name}",
            )
