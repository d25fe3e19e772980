"""A file is kept only where its name, its content and its size agree, and is harmless then."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events, images
from stopper.guard.kinds import KINDS
from stopper.guard.uploads import (
    SafeUpload,
    UploadRefusedError,
    check_upload,
    safe_name,
    send_upload,
    upload_policy,
)

Image = pytest.importorskip("PIL.Image")

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
PHP = b"<?php system($_GET['c']); ?>"
ALL = (
    "images",
    "documents",
    "texts",
    "svg",
    "html",
    "zip",
    "json",
    "epub",
    "mp3",
    "wav",
    "ogg",
    "mp4",
    "webm",
)


def image(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **more: Any) -> bytes:
    """Return an image as Pillow writes it."""
    made = io.BytesIO()
    Image.new(mode, size, 1 if mode == "P" else None or 0).save(made, kind, **more)
    return made.getvalue()


def archive(**members: bytes) -> bytes:
    """Return a ZIP archive; a double underscore in a name stands for a slash."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(
                name.replace("__", "/").replace("TYPES", "[Content_Types].xml").replace("_dot_", "."), content
            )
    return made.getvalue()


def upload(name: str, content: bytes, mimetype: str = "") -> FileStorage:
    """Return a file as Werkzeug hands it over."""
    return FileStorage(io.BytesIO(content), filename=name, content_type=mimetype or None)


DOCX = archive(TYPES=b"<Types/>", word__document_dot_xml=b"<w/>")
GOOD = {
    "a.png": image(),
    "a.jpg": image("JPEG"),
    "a.JPEG": image("JPEG"),
    "a.gif": image("GIF", mode="P"),
    "a.webp": image("WEBP"),
    "a.pdf": b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n",
    "a.txt": "Ein Text, naïve & <klein>\n".encode(),
    "a.csv": b"a,b\n1,2\n",
    "a.md": b"# Title\n\n<b>bold</b>\n",
    "a.json": b'{"a": [1]}',
    "a.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a.html": b"<!doctype html><script>alert(1)</script>",
    "a.zip": archive(a=b"a" * 1000),
    "a.docx": DOCX,
    "a.xlsx": archive(TYPES=b"<Types/>", xl__workbook_dot_xml=b"<w/>"),
    "a.odt": archive(mimetype=b"application/vnd.oasis.opendocument.text", content_dot_xml=b"<x/>"),
    "a.epub": archive(mimetype=b"application/epub+zip"),
    "a.mp3": b"ID3\x03" + bytes(200),
    "a.wav": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28),
    "a.ogg": b"OggS" + bytes(50),
    "a.mp4": b"\x00\x00\x00\x18ftypisom" + bytes(50),
    "a.webm": b"\x1a\x45\xdf\xa3" + bytes(50),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_that_is_what_it_says_is_kept(name: str) -> None:
    found = check_upload(upload(name, GOOD[name]), *ALL)

    assert found.name == f"a.{name.partition('.')[2].lower()}"
    assert found.kind.fits(found.content)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("other", sorted(KINDS))
def test_a_file_under_another_kinds_name_is_refused(name: str, other: str) -> None:
    own = check_upload(upload(name, GOOD[name]), *ALL).kind.name
    texts = {"txt", "csv", "md", "json", "html", "svg"}
    if own == other or {own, other} <= texts or (other == "zip" and own in {"docx", "xlsx", "odt", "epub"}):
        return

    with pytest.raises(UploadRefusedError):
        check_upload(upload(f"a.{other}", GOOD[name]), *ALL)


REFUSED = {
    "PHP as an image": ("a.jpg", PHP),
    "PHP behind the mark of an image": ("a.gif", b"GIF89a" + PHP),
    "PHP as text": ("a.txt", b"hello " + PHP),
    "PHP in a document": ("a.pdf", b"%PDF-1.7\n" + PHP + b"\n%%EOF"),
    "PHP in music": ("a.mp3", b"ID3" + PHP),
    "HTML as an image": ("a.png", b"<html><script>alert(1)</script>"),
    "HTML as text": ("a.txt", b"  <!-- x --><html><script>alert(1)</script>"),
    "HTML as text with a mark before it": ("a.txt", b"\xef\xbb\xbf<script>alert(1)</script>"),
    "SVG as text": ("a.csv", b"<svg onload=alert(1)>"),
    "a shell script as text": ("a.txt", b"#!/bin/sh\nrm -rf /\n"),
    "a script under its own name": ("a.php", PHP),
    "a script with an image's ending before": ("a.jpg.php", image("JPEG")),
    "no ending": ("a", b"x"),
    "nothing but an ending that is none": (".htaccess", b"AddType x"),
    "an empty file": ("a.png", b""),
    "a name with NUL": ("a.php\0.png", image()),
    "a name that turns around": ("a\u202egnp.exe", image()),
    "a document with macros": (
        "a.docx",
        archive(TYPES=b"", word__document_dot_xml=b"", word__vbaProject_dot_bin=b"x"),
    ),
    "a plain archive as a document": ("a.docx", archive(a=b"x")),
    "an archive with a page before it": ("a.zip", b"<html>" + archive(a=b"x")),
    "an archive with a page behind it": ("a.zip", archive(a=b"x") + b"<script>alert(1)</script>"),
    "an archive that leaves its folder": ("a.zip", archive(**{"..__..__x": b"x"})),
    "an archive that is a bomb": ("a.zip", archive(a=bytes(3_000_000))),
    "an SVG image with entities that grow": ("a.svg", b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>'),
    "JSON that nobody can read": ("a.json", b"[" * 100_000),
    "an image cut off": ("a.png", image(size=(500, 500))[:100]),
    "an image that is damaged": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(100)),
    "music with a page in it": ("a.mp3", b"ID3<script>alert(1)</script>"),
    "RIFF that says another length": ("a.wav", GOOD["a.wav"] + b"GIF89a...."),
    "a video of another brand": ("a.mp4", b"\x00\x00\x00\x18ftypheic" + bytes(9)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_what_it_says_is_refused(case: str) -> None:
    with pytest.raises(UploadRefusedError):
        check_upload(upload(*REFUSED[case]), *ALL)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/photo.png", "photo.png"),
        ("..\\..\\photo.png", "photo.png"),
        ("C:\\Users\\a b\\My Photo.PNG", "My_Photo.png"),
        ("shell.php.jpg", "shell_php.jpg"),
        ("a;rm -rf $(x).png", "a_rm_-rf_x.png"),
        ("фото.png", "file.png"),
        ("Ünïcode.png", "Unicode.png"),
        (".png", "file.png"),
        ("con.png", "_con.png"),
        ("a.png.", "a.png"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("a/b\uff0fc.png", "c.png"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=80) | st.text("./\\.\x00 :;$aA%\u202e\uff0e", max_size=30))
@settings(max_examples=500, deadline=None)
def test_no_name_makes_it_raise_anything_else_and_every_safe_name_is_plain(name: str) -> None:
    try:
        safe = safe_name(name)
    except UploadRefusedError:
        return

    stem, _, ending = safe.rpartition(".")
    assert stem.replace("_", "").replace("-", "").isascii()
    assert "." not in stem
    assert ending.isalnum()
    assert len(safe) <= 101
    assert safe_name(safe) == safe


CONTENTS = st.binary(max_size=300) | st.tuples(
    st.sampled_from(sorted(GOOD)), st.integers(0, 200), st.binary(max_size=20)
).map(lambda said: GOOD[said[0]][: said[1]] + said[2] + GOOD[said[0]][said[1] :])


@given(st.sampled_from(sorted(GOOD)), CONTENTS)
@settings(max_examples=600, deadline=None)
def test_no_content_makes_it_raise_anything_else(name: str, content: bytes) -> None:
    try:
        found = check_upload(upload(name, content), *ALL)
    except UploadRefusedError:
        return

    assert found.kind.fits(found.content)


# --- images


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_hides_in_an_image_is_gone(kind: str) -> None:
    name = f"a.{kind.lower()}"
    secret = b"<script>alert(1)</script>" + PHP
    hidden = image(kind, mode="P" if kind == "GIF" else "RGB") + secret
    if kind == "JPEG":
        hidden = image(kind, comment=secret) + secret
    if kind == "PNG":
        chunk = b"tEXt" + b"a\0" + secret
        hidden = (
            hidden[:33]
            + struct.pack(">I", len(chunk) - 4)
            + chunk
            + struct.pack(">I", zlib.crc32(chunk))
            + hidden[33:]
        )

    content = check_upload(upload(name, hidden), "images").content

    assert b"alert" not in content
    assert b"php" not in content
    with Image.open(io.BytesIO(content)) as made:
        assert made.format == kind
        assert made.size == (8, 6)


def test_where_a_photo_was_taken_is_gone_and_it_stands_upright() -> None:
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "at home"
    Image.new("RGB", (8, 6)).save(made, "JPEG", exif=exif)

    content = check_upload(upload("a.jpg", made.getvalue()), "images").content

    with Image.open(io.BytesIO(content)) as found:
        assert found.size == (6, 8)
        assert not found.getexif()
    assert b"at home" not in content


def test_a_moving_image_moves_on() -> None:
    made = io.BytesIO()
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "green", "blue")]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=40)

    with Image.open(io.BytesIO(check_upload(upload("a.gif", made.getvalue()), "gif").content)) as found:
        assert found.n_frames == 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_an_image_is_kept_or_converted(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"

    assert check_upload(upload(f"a.{'jpg' if mode == 'CMYK' else 'png'}", image(kind, mode=mode)), "images")


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG image that says it has many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_an_image_with_too_many_pixels_is_refused_before_they_are_read() -> None:
    content = bomb(12_000, 12_000)
    assert len(content) < 40_000

    with pytest.raises(UploadRefusedError, match="too many pixels"):
        check_upload(upload("a.png", content), "images")


def test_without_pillow_images_are_a_clear_error_at_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigurationError, match=r'pip install "stopper\[images\]"'):
        upload_policy(["images"])
    upload_policy(["pdf"])


@pytest.mark.parametrize("said", [[], ["exe"], ["images", "jpgg"]])
def test_a_kind_that_is_unknown_is_an_error_that_names_the_known(said: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="kind of file"):
        upload_policy(said)


@pytest.mark.parametrize("most", [0, -1, True, "5MB"])
def test_a_bound_that_is_none_is_an_error(most: Any) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        upload_policy(["pdf"], most)


# --- in an app


def build(tmp_path: Path, **said: Any) -> Flask:
    app = Flask("uploads", instance_path=str(tmp_path / "instance"), root_path=str(tmp_path))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    stopper = Stopper(app, csrf="off", **said)

    @app.post("/avatar")
    @stopper.upload("images", most_bytes=50_000)
    def avatar() -> str:
        file = request.files["file"]
        return f"{file.filename} {file.mimetype} {len(file.read())}"

    @app.post("/any")
    def anything() -> str:
        found = check_upload(request.files["file"], *ALL)
        return found.save(app.instance_path).name

    @app.get("/get/<path:name>")
    def get(name: str) -> Any:
        return send_upload(app.instance_path, name, "shown." + name.rpartition(".")[2])

    return app


def test_a_decorated_view_sees_safe_files_only(tmp_path: Path) -> None:
    client = build(tmp_path).test_client()

    assert client.post("/avatar", data={"file": (io.BytesIO(image() + PHP), "../a.php.png")}).text.startswith(
        "a_php.png image/png"
    )
    assert client.post("/avatar", data={"file": (io.BytesIO(PHP), "a.png")}).status_code == 415
    assert client.post("/avatar", data={"file": (io.BytesIO(b""), "a.png")}).status_code == 400
    assert client.post("/avatar", data={"file": (io.BytesIO(bytes(60_000)), "a.png")}).status_code == 413
    long = {"CONTENT_LENGTH": "3000000", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    assert client.post("/avatar", environ_overrides=long).status_code == 413
    two = {"file": [(io.BytesIO(image()), "a.png"), (io.BytesIO(image()), "b.png")]}
    assert client.post("/avatar", data=two).status_code == 413


def test_what_was_refused_is_told_with_its_name(tmp_path: Path) -> None:
    told: list[events.Event] = []
    app = build(tmp_path)
    events.refused.connect(lambda _, event: told.append(event), app, weak=False)

    app.test_client().post("/avatar", data={"file": (io.BytesIO(PHP), "a.png")})

    assert [(event.guard, event.facts["file"]) for event in told] == [("uploads", "a.png")]


def test_report_changes_nothing(tmp_path: Path) -> None:
    client = build(tmp_path, uploads="report").test_client()

    assert client.post("/avatar", data={"file": (io.BytesIO(PHP), "a.png")}).text.endswith(str(len(PHP)))
    assert client.post("/avatar", data={"file": (io.BytesIO(image() + PHP), "b.png")}).text.endswith(
        str(len(image() + PHP))
    )


def test_a_policy_can_stand_in_the_settings(tmp_path: Path) -> None:
    app = build(tmp_path, routes={"/any": {"uploads": {"kinds": ["pdf"]}}})

    assert app.test_client().post("/any", data={"file": (io.BytesIO(image()), "a.png")}).status_code == 415
    with pytest.raises(ConfigurationError, match="kind of file"):
        build(tmp_path, routes={"/any": {"uploads": ["exe"]}})
    with pytest.raises(ConfigurationError, match="'kinds'"):
        build(tmp_path, routes={"/any": {"uploads": {"kind": "pdf"}}})


@pytest.mark.parametrize("name", GOOD)
def test_what_is_saved_cannot_be_run_and_is_handed_out_safely(tmp_path: Path, name: str) -> None:
    app = build(tmp_path)
    client = app.test_client()

    saved = client.post("/any", data={"file": (io.BytesIO(GOOD[name]), name)}).text
    answer = client.get(f"/get/{saved}")

    kind = KINDS[saved.rpartition(".")[2]]
    assert (Path(app.instance_path) / saved).stat().st_mode & 0o777 == 0o640
    assert answer.mimetype == kind.mimetype
    assert answer.headers["Content-Disposition"].startswith("inline" if kind.inline else "attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer.close()


def test_only_what_may_be_shown_is_saved_where_it_is_served_as_it_is(tmp_path: Path) -> None:
    app = build(tmp_path)
    picture, page = (
        check_upload(upload("a.png", image()), "images"),
        check_upload(upload("a.svg", GOOD["a.svg"]), "svg"),
    )

    with app.app_context():
        assert picture.save(tmp_path / "static" / "avatars").suffix == ".png"
        with pytest.raises(ConfigurationError, match="send_upload"):
            page.save(tmp_path / "static")
        with pytest.raises(ConfigurationError, match="templates"):
            picture.save(tmp_path / "templates")
        with pytest.raises(ConfigurationError, match="own code"):
            picture.save(tmp_path)


def test_a_form_of_wtforms_accepts_what_is_safe(tmp_path: Path) -> None:
    pytest.importorskip("wtforms")
    from werkzeug.datastructures import MultiDict
    from wtforms import FileField, Form, MultipleFileField

    class Photos(Form):  # type: ignore[misc]
        photo = FileField(validators=[SafeUpload("images")])
        more = MultipleFileField(validators=[SafeUpload("images", message="No.")])

    def filled(photo: FileStorage, *more: FileStorage) -> Photos:
        return Photos(MultiDict([("photo", photo), *(("more", one) for one in more)]))

    good = filled(upload("../x.php.png", image() + PHP), upload("b.png", image()))
    bad = filled(upload("x.png", PHP), upload("b.png", b"x"))

    assert good.validate(), good.errors
    assert good.photo.data.filename == "x_php.png"
    assert PHP not in good.photo.data.read()
    assert not bad.validate()
    assert bad.errors == {"photo": ["The content is not what the file's name says."], "more": ["No."]}
    assert 'accept=".png,.jpg,.gif,.webp"' in good.photo()
    assert filled(upload("", b"")).validate()


BODIES = st.binary(max_size=200) | st.text(max_size=100).map(
    lambda name: (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
        + name.encode("utf-8", "replace")
        + b'"\r\n\r\n'
        + PHP
        + b"\r\n--x--\r\n"
    )
)


@given(BODIES)
@settings(max_examples=200, deadline=None)
def test_no_body_and_no_file_name_is_an_error_of_the_server(body: bytes) -> None:
    client = APP.test_client()

    answer = client.post("/avatar", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code < 500


APP = Flask("bodies")
APP.config.update(SECRET_KEY=KEY)
APP.config["TESTING"] = True
STOPPER = Stopper(APP, csrf="off")


@APP.post("/avatar")
@STOPPER.upload("images")
def avatar_of_all() -> str:
    """Look at whatever comes."""
    for file in request.files.values():
        try:
            check_upload(file, *ALL)
        except UploadRefusedError as error:
            return str(error)
    return "none"
