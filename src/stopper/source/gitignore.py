"""The patterns of a ``.gitignore`` file, read as gitignore(5) has them and asked many at once.

Most patterns are a name, an ending or a beginning; all that stand together in a file are answered by one look each. Only the
others become a regular expression.

It is not left to pathspec 1.1.1, with which git disagrees where a project would notice: ``a/**`` takes the folder itself away, and
with it what ``!a/keep`` asks back; classes such as ``[[:digit:]]`` match something else, and Python warns of them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from functools import cached_property

from stopper.records import dataclass, field

_SPECIAL = re.compile(r"[*?\[\\]")
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": re.escape(string.punctuation),
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@dataclass
class _Names:
    """What a name, or a path, may be to match one of several patterns."""

    exact: set[str] = field(default_factory=set)
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    forms: list[str] = field(default_factory=list)

    def add(self, pattern: str, *, path: bool) -> None:
        """Take one more pattern.

        Raises:
            ValueError: It is none.
        """
        if not _SPECIAL.search(pattern):
            self.exact.add(pattern)
        elif not path and pattern[0] == "*" and not _SPECIAL.search(pattern, 1):
            self.ends += (pattern[1:],)
        elif not path and pattern[-1] == "*" and not _SPECIAL.search(pattern[:-1]):
            self.starts += (pattern[:-1],)
        else:
            self.forms.append(_Glob(pattern).form())

    @cached_property
    def _form(self) -> re.Pattern[str] | None:
        return re.compile("|".join(self.forms), re.DOTALL) if self.forms else None

    def match(self, name: str) -> bool:
        """Tell whether one of the patterns matches."""
        if name in self.exact or name.startswith(self.starts) or name.endswith(self.ends):
            return True
        return self._form is not None and self._form.fullmatch(name) is not None


@dataclass
class _Run:
    """Patterns that stand in a row and say the same of what they match."""

    ignored: bool
    parts: dict[tuple[bool, bool], _Names] = field(default_factory=dict)
    """By whether they are for folders only, and whether they match the whole path."""

    def match(self, path: str, name: str, *, folder: bool) -> bool:
        """Tell whether one of the patterns matches."""
        return any(
            names.match(path if whole else name)
            for (only_folders, whole), names in self.parts.items()
            if folder or not only_folders
        )


class Patterns:
    """The patterns of one file."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the lines of the file."""
        self.senseless = 0
        """How many lines match nothing, whatever they were meant to."""
        self._runs: list[_Run] = []
        for line in lines:
            pattern = _without_trailing_spaces(_bytewise(line))
            if pattern and not pattern.startswith("#"):
                try:
                    self._add(pattern)
                except ValueError:
                    self.senseless += 1

    def _add(self, pattern: str) -> None:
        ignored = not pattern.startswith("!")
        body = pattern if ignored else pattern[1:]
        only_folders = body.endswith("/")
        body = body.removesuffix("/")
        whole = "/" in body
        body = body.removeprefix("/")
        if not body:
            raise ValueError("nothing is left to match")
        if not self._runs or self._runs[-1].ignored is not ignored:
            self._runs.append(_Run(ignored))
        self._runs[-1].parts.setdefault((only_folders, whole), _Names()).add(body, path=whole)

    def verdict(self, path: str) -> bool | None:
        """Return whether git ignores ``path``; None when no pattern matches, and the last that does decides.

        Args:
            path: Relative to the folder of the file; that of a folder ends with a slash. The folders that it is in have been
                asked for before: what is in an ignored one is ignored, whatever the patterns say of it.
        """
        bare = _bytewise(path.removesuffix("/"))
        name = bare.rpartition("/")[2]
        for run in reversed(self._runs):
            if run.match(bare, name, folder=path.endswith("/")):
                return run.ignored
        return None


def _bytewise(text: str) -> str:
    """Return a text with a character for each byte, for it is bytes that git compares."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _without_trailing_spaces(line: str) -> str:
    text = line.rstrip("\r\n")
    bare = text.rstrip(" ")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2
    return text[: len(bare) + 1] if escaped and bare != text else bare


class _Glob:
    """A pattern on its way to a regular expression."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def form(self) -> str:
        """Return the regular expression.

        Raises:
            ValueError: The pattern is malformed, and matches nothing.
        """
        parts = []
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            if char == "*":
                parts.append(self._stars())
            elif char == "[":
                parts.append(self._class())
            else:
                parts.append("[^/]" if char == "?" else re.escape(self._literal()))
                self.at += char == "?"
        return "".join(parts)

    def _literal(self) -> str:
        """Return the character that stands here, behind a backslash or not, and go past it."""
        if self.pattern[self.at] == "\\":
            self.at += 1
        if self.at >= len(self.pattern):
            raise ValueError("the pattern ends with a backslash")
        self.at += 1
        return self.pattern[self.at - 1]

    def _stars(self) -> str:
        start = self.at
        while self.pattern.startswith("*", self.at):
            self.at += 1
        alone = start == 0 or self.pattern[start - 1] == "/"
        if self.at - start < 2 or not alone:
            return "[^/]*"
        if self.at == len(self.pattern):
            return ".+"
        if self.pattern[self.at] != "/":
            return "[^/]*"
        self.at += 1
        return "(?:.*/)?"

    def _class(self) -> str:
        self.at += 1
        negated = self.pattern[self.at : self.at + 1] in ("!", "^")
        self.at += negated
        parts: list[str] = []
        first = self.at
        while self.pattern[self.at : self.at + 1] != "]" or self.at == first:
            parts.append(self._member())
        self.at += 1
        inside = "".join(parts)
        if not inside:
            if negated:
                return "[^/]"
            raise ValueError("no character is in the class")
        return f"(?!/)[{'^' if negated else ''}{inside}]"

    def _member(self) -> str:
        if self.at >= len(self.pattern):
            raise ValueError("the class is not closed")
        if self.pattern.startswith("[:", self.at):
            end = self.pattern.find("]", self.at + 2)
            if end > 0 and self.pattern[end - 1] == ":":
                word = self.pattern[self.at + 2 : end - 1]
                if word not in _CLASSES:
                    raise ValueError("there is no such class")
                self.at = end + 1
                return _CLASSES[word]
        low = high = self._literal()
        if self.pattern[self.at : self.at + 1] == "-" and self.pattern[self.at + 1 : self.at + 2] not in (
            "]",
            "",
        ):
            self.at += 1
            high = self._literal()
        return f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
