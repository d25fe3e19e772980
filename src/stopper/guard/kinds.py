"""Know the kinds of files that may be uploaded: their endings, how their content begins and ends, and how they may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from stopper.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file."""

    name: str
    """What it is called here, `jpg` for one; the ending it is saved with."""
    mimetype: str
    """The media type it is answered with."""
    fits: Callable[[bytes], bool]
    """Tells whether a whole content is of this kind."""
    endings: tuple[str, ...] = ()
    """Further endings, without the dot."""
    image: bool = False
    """Whether it is made anew from its pixels."""
    inline: bool = False
    """Whether a browser may show it inside the site; anything else is handed out as an attachment."""
    member: str = ""
    """What an archive of this kind must hold; empty for what is no archive, `*` for any."""


PHP: Final = re.compile(rb"<\?php|<\?=|<script\s+language\s*=\s*[\"']?php", re.IGNORECASE)
"""Code that a web server runs wherever in a file it stands."""
CODE: Final = re.compile(rb"<\?php\b|<script[\s>]|__HALT_COMPILER\s*\(", re.IGNORECASE)
"""Code that has no place in a file which is no text; long enough not to stand there by chance."""
MARKUP: Final = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|\?xml|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|svg|math|img|object|"
    rb"embed|link|meta|form|input|xsl)[\s/>]",
    re.IGNORECASE | re.DOTALL,
)
"""How a content begins that browsers take for HTML or XML (MIME Sniffing, section 7.1), and a little more."""
SVG: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!doctype[^>\[]*>\s*)*<svg[\s>]", re.IGNORECASE | re.DOTALL
)
ENTITY: Final = re.compile(rb"<!entity", re.IGNORECASE)
BOX: Final = re.compile(rb"....ftyp(.{4})", re.DOTALL)
"""How the files of ISO media begin: MP4, and AVIF with other brands."""
OTHER: Final = re.compile(rb"\s*(?:#!|%PDF-|%!PS)")
"""How scripts and documents begin that are written as text."""


def _text(content: bytes) -> bool:
    """Tell whether a content is text, and none that a browser or a server would read as more."""
    if b"\0" in content or PHP.search(content) or OTHER.match(content):
        return False
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not MARKUP.match(content.removeprefix(b"\xef\xbb\xbf"))


def _markup(content: bytes) -> bool:
    """Tell whether a content is HTML, without code for a server."""
    return b"\0" not in content and not PHP.search(content) and MARKUP.match(content) is not None


def _svg(content: bytes) -> bool:
    """Tell whether a content is an SVG image, without entities that grow when they are read."""
    return SVG.match(content) is not None and not ENTITY.search(content) and not PHP.search(content)


def _json(content: bytes) -> bool:
    """Tell whether a content is one JSON document."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return not PHP.search(content)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    """Return what tells whether a content begins with one of these, and holds no code."""
    return lambda content: content.startswith(marks) and not CODE.search(content)


def _pdf(content: bytes) -> bool:
    """Tell whether a content is a PDF document from its first byte to its last lines."""
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:] and not CODE.search(content)


def _riff(form: bytes) -> Callable[[bytes], bool]:
    """Return what tells whether a content is a RIFF file of a form, as long as it says."""
    return lambda content: (
        content[:4] == b"RIFF"
        and content[8:12] == form
        and abs(int.from_bytes(content[4:8], "little") + 8 - len(content)) <= 1
        and not CODE.search(content)
    )


def _box(*brands: bytes) -> Callable[[bytes], bool]:
    """Return what tells whether a content is ISO media of one of these brands."""

    def fits(content: bytes) -> bool:
        match = BOX.match(content)
        return match is not None and match.group(1) in brands and not CODE.search(content)

    return fits


def _zip(content: bytes) -> bool:
    """Tell whether a content is a ZIP archive from its first byte to its last: nothing stands before it and nothing behind."""
    end = content.rfind(b"PK\x05\x06")
    if end < 0 or not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    return end + 22 + int.from_bytes(content[end + 20 : end + 22], "little") == len(content)


OFFICE: Final = "application/vnd.openxmlformats-officedocument."
OPEN: Final = "application/vnd.oasis.opendocument."

KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("png", "image/png", lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), image=True, inline=True),
        Kind("jpg", "image/jpeg", lambda content: content.startswith(b"\xff\xd8\xff"), ("jpeg", "jpe"), image=True, inline=True),
        Kind("gif", "image/gif", lambda content: content.startswith((b"GIF87a", b"GIF89a")), image=True, inline=True),
        Kind("webp", "image/webp", lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", image=True, inline=True),
        Kind("svg", "image/svg+xml", _svg),
        Kind("html", "text/html", _markup, ("htm",)),
        Kind("txt", "text/plain", _text, ("text", "log")),
        Kind("csv", "text/csv", _text),
        Kind("md", "text/markdown", _text, ("markdown",)),
        Kind("json", "application/json", _json),
        Kind("pdf", "application/pdf", _pdf),
        Kind("zip", "application/zip", _zip, member="*"),
        Kind("docx", f"{OFFICE}wordprocessingml.document", _zip, member="word/document.xml"),
        Kind("xlsx", f"{OFFICE}spreadsheetml.sheet", _zip, member="xl/workbook.xml"),
        Kind("pptx", f"{OFFICE}presentationml.presentation", _zip, member="ppt/presentation.xml"),
        Kind("odt", f"{OPEN}text", _zip, member="mimetype"),
        Kind("ods", f"{OPEN}spreadsheet", _zip, member="mimetype"),
        Kind("odp", f"{OPEN}presentation", _zip, member="mimetype"),
        Kind("epub", "application/epub+zip", _zip, member="mimetype"),
        Kind("mp3", "audio/mpeg", _begins(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), inline=True),
        Kind("wav", "audio/wav", _riff(b"WAVE"), inline=True),
        Kind("ogg", "audio/ogg", _begins(b"OggS"), ("oga", "opus"), inline=True),
        Kind("mp4", "video/mp4", _box(b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"iso5", b"iso6"), ("m4v",), inline=True),
        Kind("webm", "video/webm", _begins(b"\x1a\x45\xdf\xa3"), inline=True),
    )
}  # fmt: skip
"""Every kind, by its name."""

GROUPS: Final = {
    "images": ("png", "jpg", "gif", "webp"),
    "documents": ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp"),
    "texts": ("txt", "csv", "md"),
}
"""Names for several kinds at once."""

ENDINGS: Final = {ending: kind for kind in KINDS.values() for ending in (kind.name, *kind.endings)}
"""The kind that an ending, in lower case and without its dot, says."""


def kinds_named(names: Iterable[str], place: str) -> tuple[Kind, ...]:
    """Return kinds by their names and the names of groups; raise `ConfigurationError` for one that is unknown, or for none."""
    found: dict[str, Kind] = {}
    for name in names:
        plain = name.lower().lstrip(".")
        for one in GROUPS.get(plain, (plain,)):
            if one not in ENDINGS:
                known = ", ".join((*GROUPS, *KINDS))
                raise ConfigurationError(
                    f"{place} names a kind of file that is unknown, {name!r}: write some of {known}"
                )
            found[ENDINGS[one].name] = ENDINGS[one]
    if not found:
        raise ConfigurationError(f'{place} names no kind of file: write some, such as "images" or "pdf"')
    return tuple(found.values())
