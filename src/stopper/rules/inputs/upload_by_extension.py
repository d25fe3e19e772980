"""An upload must be what its name says.

FileAllowed and a look at the extension accept PHP as .jpg and HTML as .png. Whoever stores the file and serves it again serves what was
sent. What Pillow opens and writes anew is an image, whatever came.

Bad::

    from flask import Flask
    from flask_wtf import FlaskForm
    from flask_wtf.file import FileAllowed, FileField

    app = Flask(__name__)

    class Upload(FlaskForm):
        photo = FileField(validators=[FileAllowed(["png", "jpg"])])

Good::

    from flask import Flask
    from PIL import Image
    from flask_wtf import FlaskForm
    from flask_wtf.file import FileAllowed, FileField

    app = Flask(__name__)

    class Upload(FlaskForm):
        photo = FileField(validators=[FileAllowed(["png", "jpg"])])

    def store(upload, target):
        Image.open(upload.stream).convert("RGB").save(target, "PNG")

References:
    - CWE-434
    - CWE-646
    - ASVS 5.0 V5.2.2
    - https://flask.palletsprojects.com/en/stable/patterns/fileuploads/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import constant, own_calls
from stopper.rules._when import looks_at_uploads
from stopper.source.project import Project

_SNIFFERS = (
    "PIL",
    "magic",
    "filetype",
    "puremagic",
    "imghdr",
    "pyvips",
    "wand",
    "cv2",
    "clamd",
    "stopper.guard.uploads",
)
"""Libraries that look into a file."""
_PLAIN = frozenset(("json", "csv", "tsv", "txt", "xml", "yaml", "yml", "toml"))
_BY_NAME = ("flask_wtf.file.FileAllowed", "flask_wtf.file.file_allowed", "flask_uploads.UploadSet")


@closed_by("uploads", when=looks_at_uploads)
class UploadByExtension(Rule):
    """Look for validators of the extension in an app that never looks at the content."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (434, 646)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each validator that believes the name."""
        if project.code.uses(*_SNIFFERS):
            return
        for call in own_calls(project, *_BY_NAME):
            allowed = constant(call.argument(0))
            if isinstance(allowed, list | tuple) and {str(one).lower() for one in allowed} <= _PLAIN:
                continue  # text that the app parses: there is nothing to sniff
            yield self.found(
                call.location, "the name decides what is accepted, and nothing looks at the content", confidence=Confidence.MEDIUM,
                remedy='Image.open(upload.stream).convert("RGB").save(target, "PNG")', context=call.function or call.source,
            )  # fmt: skip
