"""Pip's requirements and constraints files, with what they include, and pip's own configuration file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.files import SourceFile, Text, Tree
from stopper.source.requirement import (
    Found,
    Index,
    Manifest,
    Requirement,
    is_development_file,
    normalise,
    parse_requirement,
    pin_of,
)

PATTERNS = ("*requirements*.txt", "*requirements*.in", "*constraints*.txt")
"""File names that pip's format goes by."""

_OPTION = re.compile(r"^(--?[a-zA-Z][\w-]*)(?:\s*=\s*|\s+|$)(.*)$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_PER_REQUIREMENT = re.compile(r"\s--(?:hash|global-option|install-option|config-settings?)\b.*$", re.DOTALL)
_INDEX = {
    "--index-url": "index-url",
    "-i": "index-url",
    "--extra-index-url": "extra-index-url",
    "--trusted-host": "trusted-host",
    "--find-links": "find-links",
    "-f": "find-links",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """One logical line: continuations joined, comment cut."""

    text: str
    start: int
    comment: str


@dataclass
class _Reader:
    tree: Tree
    found: Found
    seen: dict[str, bool] = field(default_factory=dict)
    """Files read, and whether as development."""

    def read(self, file: SourceFile, kind: Manifest, *, development: bool) -> None:
        if self.seen.get(file.path, True) <= development and file.path in self.seen:
            return
        if file.path in self.seen:
            self._forget(file.path)
        self.seen[file.path] = development
        for line in logical_lines(file.text):
            self._take(file, line, kind, development=development)

    def _forget(self, path: str) -> None:
        self.found.requirements[:] = [one for one in self.found.requirements if one.location.path != path]
        self.found.indexes[:] = [one for one in self.found.indexes if one.location.path != path]
        self.found.skipped[:] = [one for one in self.found.skipped if not one.what.startswith(path + ":")]

    def _take(self, file: SourceFile, line: _Line, kind: Manifest, *, development: bool) -> None:
        place = file.text.location(file.path, line.start, line.start + len(line.text.split("\\")[0].rstrip()))
        option = _OPTION.match(line.text)
        if option is None:
            self._require(line, line.text, place, kind, development=development)
            return
        word, value = option[1], option[2].strip().strip("\"'")
        if word in {"-e", "--editable"}:
            self._require(line, value, place, kind, development=development)
        elif word in {"-r", "--requirement"} or (
            word.startswith("-r") and not word.startswith("--") and len(word) > 2
        ):
            self._include(file, value or word[2:], place, kind, development=development)
        elif word in {"-c", "--constraint"}:
            self._include(file, value, place, Manifest.CONSTRAINTS, development=development)
        elif word in _INDEX:
            self.found.indexes.append(Index(_INDEX[word], value, place, development=development))

    def _include(
        self, file: SourceFile, name: str, place: Location, kind: Manifest, *, development: bool
    ) -> None:
        if "://" in name:
            self.found.skipped.append(
                Skipped(
                    f"{file.path}:{place.line}", "it includes a file by its address, which is not fetched"
                )
            )
            return
        path = posixpath.normpath(posixpath.join(file.folder, name))
        included = self.tree.by_path.get(path)
        if included is None:
            self.found.skipped.append(
                Skipped(f"{file.path}:{place.line}", f"it includes {name}, which is not in the tree")
            )
            return
        self.read(included, kind, development=development)

    def _require(self, line: _Line, text: str, place: Location, kind: Manifest, *, development: bool) -> None:
        plain = _PER_REQUIREMENT.sub("", " " + text.replace("\\\n", " ").replace("\\\r\n", " ")).strip()
        parsed = parse_requirement(plain)
        if parsed is None:
            self._by_address(line, plain, place, kind, development=development)
            return
        self.found.requirements.append(
            Requirement(
                normalise(parsed.name), place, kind,
                parsed.specifier, pin_of(parsed.specifier), "--hash" in text,
                parsed.marker, parsed.url, development, is_direct(line.comment),
            )
        )  # fmt: skip

    def _by_address(
        self, line: _Line, text: str, place: Location, kind: Manifest, *, development: bool
    ) -> None:
        egg = _EGG.search(text)
        if egg is not None:
            made = Requirement(
                normalise(egg[1]),
                place,
                kind,
                "",
                None,
                False,
                "",
                text,
                development,
                is_direct(line.comment),
            )
            self.found.requirements.append(made)
        elif not _is_local(text) and "://" not in text:
            reason = f"{text[:60]!r} is not a requirement that pip can read"
            self.found.skipped.append(Skipped(f"{place.path}:{place.line}", reason))
        elif "://" in text:
            name = normalise(text.rpartition("/")[2].partition("@")[0].partition("#")[0].removesuffix(".git"))
            wheel = re.match(r"(.+?)-\d.*\.(?:whl|tar\.gz|zip)$", name)
            self.found.requirements.append(
                Requirement(wheel[1] if wheel else name, place, kind, url=text, development=development)
            )


def read(tree: Tree, found: Found) -> None:
    """Read every requirements file of the tree; a file that a production file includes is production too."""
    reader = _Reader(tree, found)
    files = [file for file in tree.files if _is_requirements(file)]
    for file in sorted(files, key=is_development_file):
        kind = Manifest.CONSTRAINTS if "constraint" in file.name.lower() else Manifest.REQUIREMENTS
        if file.path not in reader.seen:
            reader.read(file, kind, development=is_development_file(file))
    for file in tree.named("pip.conf", "pip.ini"):
        _read_pip_conf(file, found)


def logical_lines(text: Text) -> Iterator[_Line]:
    """Yield the logical lines: continuations joined, comments apart; those below an entry are its own."""
    pending: _Line | None = None
    number = 1
    while number <= text.line_count:
        start, first = text.starts[number - 1], number
        while (
            text.line(number).rstrip().endswith("\\")
            and number < text.line_count
            and not _is_comment(text.line(number))
        ):
            number += 1
        raw = "\n".join(text.line(one) for one in range(first, number + 1))
        number += 1
        if _is_comment(raw):
            pending = _with_comment(pending, raw) if pending else None
            continue
        body, comment = _cut_comment(raw)
        if pending:
            yield pending
        indent = len(body) - len(body.lstrip())
        pending = _Line(body.strip(), start + indent, comment) if body.strip() else None
    if pending:
        yield pending


def is_direct(comment: str) -> bool:
    """Tell from the comment of pip-compile or uv whether the project itself asks for the package."""
    if not re.search(r"(?:^|\n)#?\s*via\b", comment):
        return True
    return bool(re.search(r"-r\s|-c\s|\((?:pyproject\.toml|setup\.(?:py|cfg))\)", comment))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _with_comment(line: _Line, raw: str) -> _Line:
    return _Line(line.text, line.start, f"{line.comment}\n{raw.strip().lstrip('#').strip()}")


def _cut_comment(raw: str) -> tuple[str, str]:
    match = re.search(r"(?:^|\s)#(.*)$", raw, re.MULTILINE)
    if match is None:
        return raw, ""
    return raw[: match.start()], match[1].strip()


def _is_local(text: str) -> bool:
    path = text.partition("[")[0]
    return path.startswith((".", "/", "file:", "~")) or path.endswith((".whl", ".tar.gz", ".zip", "/"))


def _is_requirements(file: SourceFile) -> bool:
    from fnmatch import fnmatch

    name = file.name.lower()
    if any(fnmatch(name, pattern) for pattern in PATTERNS):
        return True
    folder = file.folder.rpartition("/")[2].lower()
    return folder in {"requirements", "requirement", "reqs"} and name.endswith((".txt", ".in"))


def _read_pip_conf(file: SourceFile, found: Found) -> None:
    import configparser  # late: few projects have such a file

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(file.text.content)
    except configparser.Error as error:
        found.skipped.append(Skipped(file.path, f"not read: {str(error).splitlines()[0]}"))
        return
    for section in parser.sections():
        for key, value in parser.items(section):
            option = _INDEX.get(f"--{key}")
            for part in (value or "").split() if option else ():
                at = max(file.text.content.find(part), 0)
                found.indexes.append(
                    Index(option or "", part, file.text.location(file.path, at, at + len(part)))
                )
