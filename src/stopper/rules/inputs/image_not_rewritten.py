"""An image must be written anew, not only verified.

Image.verify() passes a picture with a script behind it, and magic numbers pass a file that is an image and a web page at once. Pillow
only warns of a picture of 89 to 179 million pixels, which a 20 KiB file can hold.

Bad::

    from flask import Flask
    from PIL import Image
    from flask import request

    app = Flask(__name__)

    @app.post("/photo")
    def photo():
        upload = request.files["photo"]
        Image.open(upload.stream).verify()
        upload.stream.seek(0)
        upload.save("/srv/uploads/photo.png")
        return "stored"

Good::

    from flask import Flask
    from PIL import Image
    from flask import request

    app = Flask(__name__)

    @app.post("/photo")
    def photo():
        picture = Image.open(request.files["photo"].stream)
        picture.convert("RGB").save("/srv/uploads/photo.png", "PNG")
        return "stored"

References:
    - CWE-434
    - CWE-400
    - ASVS 5.0 V5.2.6
    - https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.verify
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import function_text, own_calls
from stopper.rules._when import looks_at_uploads
from stopper.source.project import Project

_REWRITTEN = regex(r"\.(?:convert|thumbnail|resize|transpose|tobytes)\(")


@closed_by("uploads", when=looks_at_uploads)
class ImageNotRewritten(Rule):
    """Look for verify() in a function that does not save what Pillow read."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (434, 400)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each image that is stored as it came."""
        for call in own_calls(project, "PIL.Image.open().verify"):
            text = function_text(call)
            if text.count("Image.open") < 2 and not _REWRITTEN.search(text):
                yield self.found(
                    call.location, "verify() does not see what follows the picture; what is stored is the file as it came",
                    confidence=Confidence.MEDIUM, remedy='Image.open(stream).convert("RGB").save(target, "PNG")', context=call.function,
                )  # fmt: skip
