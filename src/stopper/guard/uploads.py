"""Accept uploaded files only where their ending, their content and their size agree, and make them harmless.

In a view: ``@stopper.upload("images", "pdf", most_bytes=5_000_000)`` looks at every file of a request before the view sees it, and
puts the safe name and the image made anew in their places. By hand: `check_upload`. In a form: `SafeUpload` among a
field's validators. Then ``upload.save(folder)``, and `send_upload` to hand the file out.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Request, current_app, has_app_context, send_from_directory
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from stopper.errors import ConfigurationError
from stopper.guard import archives, images
from stopper.guard.guard import Cell, Guard
from stopper.guard.kinds import ENDINGS, Kind, kinds_named
from stopper.guard.route import Check, Route
from stopper.guard.settings import Mode, Settings, setting

MEBIBYTE: Final = 1024 * 1024
UNSAFE: Final = re.compile(r"[^\w\-]+")
HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
"""Characters that no honest name of a file has: controls, and marks that turn or hide what is read."""
DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
"""Names that are devices on Windows, whatever their ending."""
LONGEST: Final = 100
"""The most characters of a safe name."""
SANDBOX: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The policy under which an uploaded file is handed out: it runs nothing, whatever it is."""


@dataclass(frozen=True)
class UploadsSettings(Settings):
    """The bounds on uploaded files, where a view or a form says none of its own."""

    uploads_bytes: int = setting(10 * MEBIBYTE, least=1)
    """The largest file, in bytes."""

    uploads_pixels: int = setting(40_000_000, least=1)
    """The most pixels of an image; a telephone's camera makes 12 to 50 million."""

    uploads_unpacked: int = setting(200 * MEBIBYTE, least=1)
    """What an archive may become when it is unpacked, in bytes."""


class UploadRefusedError(ValueError):
    """Say why a file is refused, in a sentence that may be shown; `status` is 413 for one that is too large, else 415 or 400."""

    def __init__(self, message: str, status: int = 415) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Policy:
    """What files are accepted, and up to which bounds."""

    kinds: tuple[Kind, ...]
    """The kinds of files."""
    most_bytes: int | None = None
    """The largest file, in bytes; `STOPPER_UPLOADS_BYTES` where nothing is said."""
    most_files: int = 1
    """The most files of one request, to a view that was decorated."""

    @property
    def body_bytes(self) -> int:
        """Return the longest body that such files can come in, with a mebibyte for what is sent beside them."""
        return (self.most_bytes or 0) * self.most_files + MEBIBYTE

    def within(self, bounds: UploadsSettings) -> int:
        """Return the largest file, in bytes."""
        return bounds.uploads_bytes if self.most_bytes is None else self.most_bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was looked at and may be kept."""

    name: str
    """Its name made safe: one ending, no path, no hidden character; to show, not to save under."""
    kind: Kind
    """What it is."""
    content: bytes
    """Its content; an image's is made anew."""

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Save it under a name that nobody can guess, readable and not executable, and return its path.

        Raises:
            ConfigurationError: The folder holds the app's own code or templates, or it is served as it is and the file
                must be handed out as an attachment.
        """
        place = Path(folder).resolve()
        _refuse_place(place, self.kind)
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{secrets.token_hex(16)}.{self.kind.name}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self.content)
        return path


def upload_policy(
    kinds: Iterable[str], most_bytes: int | None = None, most_files: int = 1, place: str = "upload"
) -> Policy:
    """Return a policy; raise `ConfigurationError` for a kind that is unknown, for no bound, or for images without Pillow."""
    found = kinds_named(kinds, place)
    for name, value in (("most_bytes", most_bytes), ("most_files", most_files)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ConfigurationError(f"{place} has {name}={value!r}: write a whole number of at least 1")
    if any(kind.image for kind in found):
        images.require()
    return Policy(found, most_bytes, most_files)


def check_upload(file: FileStorage, *kinds: str, most_bytes: int | None = None) -> Upload:
    """Return an uploaded file made safe; raise `UploadRefusedError` where it is not what it says, or none of these kinds.

    Args:
        file: A file of `request.files`.
        kinds: What is accepted: `images`, `documents`, `texts`, or endings such as `pdf`.
        most_bytes: The largest file, in bytes.
    """
    return examine(file, upload_policy(kinds, most_bytes, place="check_upload(...)"), _bounds())


def examine(file: FileStorage, policy: Policy, bounds: UploadsSettings) -> Upload:
    """Return an uploaded file made safe, by a policy; raise `UploadRefusedError` where it breaks it."""
    name = safe_name(file.filename or "")
    kind = ENDINGS.get(name.rpartition(".")[2])
    if kind is None or kind not in policy.kinds:
        accepted = ", ".join(one.name for one in policy.kinds)
        raise UploadRefusedError(f"This kind of file is not accepted. Accepted are: {accepted}.")
    content = _read(file, policy.within(bounds))
    if not kind.fits(content):
        raise UploadRefusedError("The content is not what the file's name says.")
    if kind.member:
        reason = archives.refused(content, kind, bounds.uploads_unpacked)
        if reason:
            raise UploadRefusedError(reason)
    if kind.image:
        try:
            content = images.remade(content, kind, bounds.uploads_pixels)
        except images.BadImageError as error:
            raise UploadRefusedError(str(error)) from error
    return Upload(name, kind, content)


def safe_name(name: str) -> str:
    """Return a file's name without path and with one ending, in ASCII and small letters for the ending.

    Raises:
        UploadRefusedError: Nothing is left of it, it has no ending, or a hidden character or NUL stands in it.
    """
    if HIDDEN.search(name):
        raise UploadRefusedError("The file's name holds characters that cannot be seen.", 400)
    plain = (
        unicodedata.normalize("NFKD", name)
        .replace("\\", "/")
        .rpartition("/")[2]
        .encode("ascii", "ignore")
        .decode()
    )
    stem, dot, ending = plain.rstrip(" .").rpartition(".")
    ending = ending.lower()
    if not dot or not ending.isalnum():
        raise UploadRefusedError("The file's name has no ending that says what it is.", 400)
    stem = UNSAFE.sub("_", stem).strip("_-")[: LONGEST - len(ending) - 1] or "file"
    return f"{'_' * bool(DEVICES.fullmatch(stem))}{stem}.{ending[:10]}"


def _read(file: FileStorage, most: int) -> bytes:
    """Return a file's content; raise `UploadRefusedError` where it is empty or too large."""
    stream = file.stream
    stream.seek(0)
    content = stream.read(most + 1)
    stream.seek(0)
    if not content:
        raise UploadRefusedError("The file is empty.", 400)
    if len(content) > most:
        raise UploadRefusedError(f"The file is too large. The largest may have {most:,} bytes.", 413)
    return bytes(content)


def _refuse_place(place: Path, kind: Kind) -> None:
    """Raise `ConfigurationError` for a folder whose content is run, rendered or served as it is."""
    if not has_app_context():
        return
    root = Path(current_app.root_path).resolve()
    static = Path(current_app.static_folder).resolve() if current_app.static_folder else None
    if static is not None and place.is_relative_to(static):
        if kind.inline:
            return
        raise ConfigurationError(
            f"{place} is served as it is, and a .{kind.name} file may only be handed out as an attachment: "
            "save it in app.instance_path and answer with send_upload(...)"
        )
    instance = Path(current_app.instance_path).resolve()
    templates = root / (current_app.template_folder or "templates")
    code = (
        place == root
        or place.is_relative_to(templates)
        or any((place / one).exists() for one in ("__init__.py", "wsgi.py"))
    )
    if code and not place.is_relative_to(instance):
        raise ConfigurationError(
            f"{place} holds the app's own code or templates: save uploads in app.instance_path"
        )


def send_upload(folder: str | os.PathLike[str], path: str, name: str = "") -> Response:
    """Answer with a saved upload: shown where its kind may be shown, else as an attachment, and never able to run.

    Args:
        folder: Where it was saved.
        path: The name under which it was saved.
        name: The name to hand it out under; its `Upload.name`.
    """
    kind = ENDINGS.get(Path(path).suffix.lower().lstrip("."))
    shown = kind is not None and kind.inline
    response = send_from_directory(
        Path(folder).resolve(),
        path,
        mimetype=kind.mimetype if kind is not None else "application/octet-stream",
        as_attachment=not shown,
        download_name=name or None,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _bounds() -> UploadsSettings:
    """Return the bounds of the app that is served, or the defaults."""
    gate = current_app.extensions.get("stopper") if has_app_context() else None
    guard = gate.state.guards.get(Uploads.name) if gate is not None else None
    return guard.settings if guard is not None else UploadsSettings()


class SafeUpload:
    """Validate a file field of WTForms: ``FileField(validators=[SafeUpload("images", most_bytes=2_000_000)])``."""

    def __init__(self, *kinds: str, most_bytes: int | None = None, message: str = "") -> None:
        self._policy = upload_policy(kinds, most_bytes, place="SafeUpload(...)")
        self._message = message
        self.field_flags = {"accept": ",".join(f".{kind.name}" for kind in self._policy.kinds)}

    def __call__(self, form: Any, field: Any) -> None:
        """Raise WTForms' `StopValidation` for a file that is refused; put the safe name and content in its place otherwise."""
        from wtforms.validators import StopValidation  # type: ignore[import-untyped]

        del form
        given = field.data if isinstance(field.data, list | tuple) else [field.data]
        for file in given:
            if not isinstance(file, FileStorage) or not file.filename:
                continue  # whether a file is required is another validator's
            try:
                replace(file, examine(file, self._policy, _bounds()))
            except UploadRefusedError as error:
                raise StopValidation(self._message or str(error)) from error


def replace(file: FileStorage, upload: Upload) -> None:
    """Put the safe name and content of an upload in the place of what was sent."""
    file.filename = upload.name
    file.stream.close()  # a large file lies in a temporary one
    file.stream = io.BytesIO(upload.content)
    file.headers["Content-Type"] = upload.kind.mimetype


class Uploads(Guard):
    """Look at the files of the views that say what they accept."""

    name = "uploads"
    area = "inputs"
    Settings = UploadsSettings
    settings: UploadsSettings

    def start(self) -> None:
        """Read the policies of STOPPER_ROUTES, so that a wrong one is an error now."""
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                policy_of(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['uploads']")

    def check(self, route: Route) -> Check | None:
        """Return what looks at the files of a request, for a route that says which it accepts."""
        policy = self._policy(route)
        return None if policy is None else lambda request: self._look(request, policy)

    def _policy(self, route: Route) -> Policy | None:
        """Return what a route accepts, as it was said last."""
        marks = route.marked(self.name)
        return policy_of(marks[-1].value, "stopper.upload(...)") if marks else None

    def _look(self, request: Request, policy: Policy) -> None:
        """Refuse a request with a file that is refused; put what is safe in the place of the others."""
        if request.mimetype != "multipart/form-data":
            return
        files = [file for _, file in request.files.items(multi=True) if file.filename]
        if len(files) > policy.most_files:
            self._refuse(UploadRefusedError("These are too many files at once.", 413), "")
        for file in files:
            try:
                upload = examine(file, policy, self.settings)
            except UploadRefusedError as error:
                self._refuse(error, file.filename or "")
            else:
                if self.mode is Mode.ENFORCE:
                    replace(file, upload)

    def _refuse(self, error: UploadRefusedError, name: str) -> None:
        """Refuse a file, and tell its name."""
        title = {413: "File too large", 400: "Bad request"}.get(error.status, "File not accepted")
        self.state.refuse(self, error.status, title, str(error), file=name)

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what the route accepts."""
        policy = self._policy(route)
        if policy is not None:
            kinds = ", ".join(kind.name for kind in policy.kinds)
            yield Cell("upload", f"{kinds} up to {policy.within(self.settings):,} bytes")


def policy_of(said: Any, place: str) -> Policy:
    """Return the policy that a decorator or STOPPER_ROUTES says: a `Policy`, a list of kinds, or a dictionary."""
    if isinstance(said, Policy):
        return said
    if isinstance(said, dict):
        unknown = sorted(set(said) - {"kinds", "most_bytes", "most_files"})
        if unknown or not isinstance(said.get("kinds"), list | tuple):
            raise ConfigurationError(
                f"{place} is {said!r}: write {{'kinds': ['images'], 'most_bytes': 5_000_000}}"
            )
        return upload_policy(said["kinds"], said.get("most_bytes"), said.get("most_files", 1), place)
    kinds = [said] if isinstance(said, str) else said
    if not isinstance(kinds, list | tuple) or not all(isinstance(one, str) for one in kinds):
        raise ConfigurationError(f"{place} is {said!r}: write a list of kinds, such as ['images', 'pdf']")
    return upload_policy(kinds, place=place)
