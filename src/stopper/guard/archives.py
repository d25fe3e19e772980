"""Look into an archive without unpacking it: how much it would become, where it would go, and what it says it is."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from stopper.guard.kinds import Kind

MEMBERS: Final = 10_000
"""The most members of an archive."""
RATIO: Final = 200
"""How much larger than it is packed a member of more than a mebibyte may be; text packs 20 to 1, and DEFLATE ends at 1032."""
MEBIBYTE: Final = 1024 * 1024
MACROS: Final = ("vbaproject.bin", "activex")


def refused(content: bytes, kind: Kind, most_unpacked: int) -> str:
    """Return why an archive is refused, in a sentence; nothing where it is not."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            return _members(members, len(content), most_unpacked) or _content(archive, members, kind)
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ):
        return "The archive is damaged."


def _members(members: list[zipfile.ZipInfo], size: int, most_unpacked: int) -> str:
    """Return why the members of an archive are refused."""
    if len(members) > MEMBERS:
        return "The archive holds too many files."
    if sum(one.file_size for one in members) > most_unpacked:
        return "The archive would become too large."
    if sum(one.compress_size for one in members) > size:
        return "The archive's files overlap."
    for one in members:
        if one.file_size > MEBIBYTE and one.file_size > RATIO * max(one.compress_size, 1):
            return "The archive would become too large."
        if _leaves(one.filename) or stat.S_ISLNK(one.external_attr >> 16):
            return "The archive holds a file that would leave its folder."
    return ""


def _leaves(name: str) -> bool:
    """Tell whether a member's name leads out of the folder it is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name


def _content(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], kind: Kind) -> str:
    """Return why an archive is not of the kind it says, or holds macros."""
    if kind.member == "*":
        return ""
    names = {one.filename for one in members}
    wrong = "The content is not what the file's name says."
    if kind.member not in names:
        return wrong
    if any(mark in name.lower() for name in names for mark in MACROS):
        return "The document holds macros."
    if kind.member != "mimetype":
        return "" if "[Content_Types].xml" in names else wrong
    if archive.getinfo("mimetype").file_size > 200:
        return wrong
    return "" if archive.read("mimetype").strip() == kind.mimetype.encode() else wrong
