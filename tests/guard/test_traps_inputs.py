"""What the popular stack gets wrong about uploads, templates and sanitisers is not true of the guard: one test a trap."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import nh3
import pytest
from flask import Flask, render_template, render_template_string, request
from werkzeug.datastructures import FileStorage
from werkzeug.test import Client

from stopper import Stopper
from stopper.guard.clean import SCHEMES, clean
from stopper.guard.uploads import UploadRefusedError, check_upload

Image = pytest.importorskip("PIL.Image")

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
PHP = b"<?php system($_GET['c']); ?>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (8, 8)) -> bytes:
    """Return an image as Pillow writes it."""
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind)
    return made.getvalue()


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a client of an app whose one view keeps images."""
    app = Flask("traps", instance_path=str(tmp_path / "instance"))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    stopper = Stopper(app, csrf="off")

    @app.post("/photo")
    @stopper.upload("images", "svg", most_bytes=100_000)
    def photo() -> Any:
        file = request.files["file"]
        return {"name": file.filename, "size": len(file.read())}

    return app.test_client()


def send(client: Client, name: str, content: bytes) -> Any:
    """Return the answer to a file."""
    return client.post("/photo", data={"file": (io.BytesIO(content), name)})


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.jpg", PHP, 415),
        ("a.png", b"<html><script>alert(1)</script></html>", 415),
        ("a.php\0.jpg", picture(), 400),
        ("a.jpg", b"", 400),
        ("a.jpg.php", picture(), 415),
        ("a.jpg", picture() + bytes(200_000), 413),
    ],
)
def test_trap_31_an_upload_is_what_its_name_says(
    client: Client, name: str, content: bytes, status: int
) -> None:
    assert send(client, name, content).status_code == status


def test_trap_31_a_name_is_made_safe_before_a_view_sees_it(client: Client) -> None:
    assert send(client, "shell.php.jpg", picture()).json["name"] == "shell_php.jpg"
    assert send(client, "../../x.jpg", picture()).json["name"] == "x.jpg"


def test_trap_31_a_file_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    class Unread(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            raise AssertionError("the body was read")

    environ = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": "90000000"}
    answer = client.post("/photo", environ_overrides={**environ, "wsgi.input": Unread()})

    assert answer.status_code == 413


def test_trap_31_an_svg_with_a_script_is_an_attachment_under_a_sandbox(tmp_path: Path) -> None:
    from stopper.guard.uploads import send_upload

    app = Flask("svg", instance_path=str(tmp_path))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    Stopper(app)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    saved = check_upload(FileStorage(io.BytesIO(svg), filename="a.svg"), "svg").save(tmp_path)

    @app.get("/a")
    def a() -> Any:
        return send_upload(tmp_path, saved.name)

    with app.test_client().get("/a") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.fixture
def templates(tmp_path: Path) -> Flask:
    """Return an app with templates under names that Flask does not escape."""
    for name in ("a.j2", "a.jinja", "a.html.j2"):
        (tmp_path / name).write_text("<p>{{ x }}</p>")
    app = Flask("traps", template_folder=str(tmp_path))
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    Stopper(app)
    return app


@pytest.mark.parametrize("name", ["a.j2", "a.jinja", "a.html.j2"])
def test_trap_34_a_page_is_escaped_under_every_name(templates: Flask, name: str) -> None:
    with templates.test_request_context():
        assert render_template(name, x="<script>") == "<p>&lt;script&gt;</p>"


@pytest.mark.parametrize(
    ("source", "x"),
    [
        ('<a href="{{ x }}">a</a>', "javascript:alert(1)"),
        ("<p class={{ x }}>a</p>", "a onmouseover=alert(1)"),
        ("<script>var a = '{{ x }}';</script>", "\\"),
        ("<script>var a = {{ x }};</script>", "alert(1)"),
        ("<p onclick=\"go('{{ x }}')\">a</p>", "');alert(1)//"),
    ],
)
def test_trap_34_a_value_is_no_code_where_it_is_written(templates: Flask, source: str, x: str) -> None:
    with templates.test_request_context():
        made = render_template_string(source, x=x)

    assert "javascript:" not in made
    assert " onmouseover" not in made
    assert "alert(1)" not in made.replace("&#61;alert(1)", "")
    assert "'\\'" not in made


def test_trap_36_the_sanitiser_allows_few_schemes_and_no_image_of_another_site() -> None:
    assert len(SCHEMES) == 4 < len(nh3.ALLOWED_URL_SCHEMES)
    for scheme in nh3.ALLOWED_URL_SCHEMES - SCHEMES:
        assert "href" not in clean(f'<a href="{scheme}:x">a</a>')
    assert "src" not in clean('<img src="https://spy.example/a.png">')


def test_trap_36_the_sanitiser_is_quick() -> None:
    written = "<p>Some <b>bold</b> text with <a href='https://a.example'>a link</a>.</p>" * 20
    clean(written)
    begun = time.process_time()
    for _ in range(20):
        clean(written)

    assert (time.process_time() - begun) / 20 < 0.02


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gif", b"GIF89a<svg onload=alert(1)>"),
        ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("a.gif", b"GIF89a/*<script>*/=1;alert(1)//"),
        ("a.txt", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("a.txt", PHP),
    ],
)
def test_trap_37_svg_html_php_and_polyglots_are_known_for_what_they_are(name: str, content: bytes) -> None:
    with pytest.raises(UploadRefusedError):
        check_upload(FileStorage(io.BytesIO(content), filename=name), "images", "texts")


def test_trap_37_a_plain_zip_is_no_document() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.txt", "x")

    with pytest.raises(UploadRefusedError):
        check_upload(FileStorage(made, filename="a.docx"), "documents")


def test_trap_37_an_image_of_100_million_pixels_is_refused_and_not_warned_of() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    side = 10_000
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    with pytest.raises(UploadRefusedError, match="too many pixels"):
        check_upload(FileStorage(io.BytesIO(bomb), filename="a.png"), "images")


def test_trap_37_what_trails_an_image_is_gone() -> None:
    content = picture("PNG") + b"<script>alert(1)</script>"

    kept = check_upload(FileStorage(io.BytesIO(content), filename="a.png"), "images")

    assert b"alert" not in kept.content
