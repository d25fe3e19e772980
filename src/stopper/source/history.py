"""Git's memory of a project: what is tracked, what is ignored, and the secrets that were ever committed.

Git is asked in a way that runs nothing of the project's: no hooks, no file system monitor, no external diff, no text
conversion, no fetch. Everything together may take ``SECONDS``; what was not reached by then is told, never taken as clean.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO

from stopper.finding import Confidence, Skipped
from stopper.source.credentials import (
    Credential,
    named_literals,
    passwords_in_urls,
    private_keys,
    provider_credentials,
)
from stopper.source.files import Role, role_of

SECONDS = 5.0
"""How long all questions to git together may take."""

LONGEST = 2_000
"""Added lines above this are data or minified code; they are not scanned."""

_SAFE = (
    "git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat",
    "-c", "diff.external=", "-c", "safe.bareRepository=explicit", "-c", "core.quotePath=false", "-c", "log.showSignature=false",
    "-c", "protocol.allow=never",
)  # fmt: skip
_ENV_FILE = re.compile(r"(^|/)(\.env(\.[\w.-]+)?|[\w-]+\.env|\.flaskenv)$")
_ENV_FORM = re.compile(
    r"(example|sample|template|dist|defaults?|tmpl|tpl|schema|ci|test|testing)$", re.IGNORECASE
)
_UNREAD = re.compile(
    r"\.(min\.js|map|svg|po|pot|mo|lock|css|csv|tsv|ipynb|snap)$|(^|/)(package-lock\.json|yarn\.lock|poetry\.lock|uv\.lock|"
    r"node_modules|vendor|vendored|third_party|static/(lib|vendor|js/lib)|bower_components)(/|$)"
)
_MARK = "\x01commit "
_NAMED = re.compile(rb"^\+\+\+ b/(.*)$", re.MULTILINE)
_ADDED = re.compile(rb"^\+(.*\n?)", re.MULTILINE)
_WIDEST = 16_000_000
"""How many bytes of one file's change are looked at."""


def is_env_file(path: str) -> bool:
    """Tell whether ``path`` is a file of environment variables with real values (``.env.example`` is none)."""
    name = path.rpartition("/")[2]
    return (
        bool(_ENV_FILE.search(path))
        and name != ".flaskenv"
        and not _ENV_FORM.search(name.removesuffix(".env"))
    )


@dataclass(frozen=True, slots=True)
class Committed:
    """Something that a commit added."""

    path: str
    """Relative to the target."""
    commit: str
    """The commit's short id."""
    date: str
    """The day of the commit, ``2024-05-31``."""
    credential: Credential | None = None
    """The secret; None when the file itself is what matters."""


@dataclass
class _Group:
    """What one file of one commit added."""

    path: str
    commit: str
    date: str
    lines: list[str] = field(default_factory=list)


class History:
    """The history of the project at ``root``, which may be a folder inside a repository."""

    def __init__(self, root: Path, seconds: float = SECONDS) -> None:
        self.root = root
        self.skipped: list[Skipped] = []
        self._left = seconds

    @cached_property
    def available(self) -> bool:
        """Whether git answers for this folder; the reason why not is in ``skipped``."""
        answer = self._git("rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix")
        if answer is None:
            return False
        lines = answer.split("\n")
        if lines[0] != "true":
            self._skip("the folder is not the work tree of a git repository")
            return False
        if lines[2] and self._git("ls-files", "-z", "--", ".") == "":
            self._skip("no file of this folder is tracked by the git repository around it")
            return False
        if lines[1] == "true":
            self._skip(
                "the clone is shallow: commits that were not fetched could not be looked at (git fetch --unshallow)"
            )
        return True

    @cached_property
    def _tracked(self) -> frozenset[str]:
        answer = self._git("ls-files", "-z", "--", ".") if self.available else None
        return frozenset(filter(None, (answer or "").split("\0")))

    def tracked(self, path: str) -> bool:
        """Tell whether git tracks ``path`` (relative to the root) now."""
        return path in self._tracked

    @property
    def tracked_env_files(self) -> list[str]:
        """Return the tracked files of environment variables, ignored or not."""
        return sorted(path for path in self._tracked if is_env_file(path))

    def ignored(self, path: str) -> bool | None:
        """Tell whether git would ignore ``path``, whether or not it exists; None when git cannot be asked."""
        if not self.available:
            return None
        try:
            done = self._run("check-ignore", "-q", "--no-index", "--", path)
        except (OSError, subprocess.SubprocessError):
            return None
        return {0: True, 1: False}.get(done.returncode)

    @cached_property
    def _env_files(self) -> tuple[Committed, ...]:
        if not self.available:
            return ()
        answer = self._git(
            "log", "--all", "--diff-filter=A", "--name-only", "--no-renames", "--relative", f"--format={_MARK}%h %cs",
            "--", ":(glob)**/.env*", ":(glob)**/*.env",
        )  # fmt: skip
        first: dict[str, Committed] = {}
        commit, date = "", ""
        for line in (answer or "").splitlines():
            if line.startswith(_MARK):
                commit, date = line.removeprefix(_MARK).split(" ")
            elif line and is_env_file(line):
                first[line] = Committed(line, commit, date)
        return tuple(first.values())

    def env_files(self) -> tuple[Committed, ...]:
        """Return the files of environment variables that were ever committed, each with the first commit that added it."""
        return self._env_files

    @cached_property
    def _secrets(self) -> tuple[Committed, ...]:
        if not self.available:
            return ()
        first: dict[str, Committed] = {}
        for group in self._additions():
            for credential in _surely_secret(group):
                first[credential.secret] = Committed(group.path, group.commit, group.date, credential)
        return tuple(first.values())

    def secrets(self) -> tuple[Committed, ...]:
        """Return the secrets ever added by a commit, each with the first commit that added it."""
        return self._secrets

    def _additions(self) -> Iterator[_Group]:
        """Yield what each commit added to each file, the newest first, until the time is over."""
        command = [
            *_SAFE, "log", "--all", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
            "--diff-filter=AM", "--relative", f"--format={_MARK}%h %cs", "--", ".",
            ":(exclude,glob)**/*.min.js", ":(exclude,glob)**/*.svg", ":(exclude,glob)**/*.po", ":(exclude,glob)**/*.lock",
            ":(exclude,glob)**/*.map", ":(exclude,glob)**/package-lock.json", ":(exclude,glob)**/*.css",
        ]  # fmt: skip
        started = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603  # the words are ours
                command,
                cwd=self.root,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self._skip(f"git cannot be run: {error.strerror or error}")
            return
        timer = threading.Timer(max(0.1, self._left), process.kill)
        timer.start()
        commits = 0
        assert process.stdout is not None
        with process:
            for group in _groups(process.stdout):
                commits += 1
                yield group
        timer.cancel()
        self._left -= time.monotonic() - started
        if process.returncode:
            self._skip(
                f"the time of {SECONDS:g} seconds was over after {commits} changes to files; older commits were not read"
            )

    def _git(self, *arguments: str) -> str | None:
        try:
            done = self._run(*arguments)
        except FileNotFoundError:
            self._skip("git is not installed")
        except subprocess.TimeoutExpired:
            self._skip(f"git did not answer within {SECONDS:g} seconds")
        except OSError as error:
            self._skip(f"git cannot be run: {error.strerror or error}")
        else:
            if done.returncode == 0:
                return done.stdout.decode("utf-8", "replace")
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            foreign = any("dubious ownership" in line for line in said)
            reason = (
                "the repository belongs to another user, so git refuses to read it"
                if foreign
                else "not a git repository"
            )
            self._skip(
                reason
                if foreign or arguments[0] == "rev-parse"
                else f"git {arguments[0]}: {(said or ['failed'])[0]}"
            )
        return None

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        started = time.monotonic()
        try:
            return subprocess.run(  # noqa: S603  # the words are ours, paths stand after --
                [*_SAFE, *arguments], cwd=self.root, env=_environment(), stdin=subprocess.DEVNULL,
                capture_output=True, timeout=max(0.1, self._left), check=False,
            )  # fmt: skip
        finally:
            self._left -= time.monotonic() - started

    def _skip(self, reason: str) -> None:
        note = Skipped("git history", reason)
        if note not in self.skipped:
            self.skipped.append(note)


def _environment() -> dict[str, str]:
    """Return an environment in which git asks nothing, fetches nothing, locks nothing and obeys no ``GIT_DIR``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _groups(stream: IO[bytes]) -> Iterator[_Group]:
    """Cut the output of ``git log -p -U0`` into what each commit added to each file."""
    commit, date = "", ""
    for piece in _pieces(stream):
        head, _, body = piece.partition(b"\n@@")
        named = _NAMED.search(head)
        path = named[1].decode("utf-8", "replace").rstrip("\t") if named else ""
        if body and path and role_of(path) not in (Role.TEST, Role.DOCS) and not _UNREAD.search(path):
            lines = [line.decode("utf-8", "replace") for line in _ADDED.findall(body) if len(line) <= LONGEST]
            if lines:
                yield _Group(path, commit, date, lines)
        mark = piece.rfind(_MARK.encode())
        if mark >= 0 and (mark == 0 or piece[mark - 1 : mark] == b"\n"):
            words = piece[mark:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
            commit, _, date = words.removeprefix(_MARK).partition(" ")


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the output of git log cut before each file's change; a mark of the next commit ends a piece."""
    rest = b""
    while block := stream.read(1 << 20):
        *whole, rest = (rest + block).split(b"\ndiff --git ")
        yield from whole
        rest = rest[:_WIDEST]
    yield rest


def _surely_secret(group: _Group) -> list[Credential]:
    """Return the secrets among added lines of which there is little doubt: history is long, and nobody rereads it."""
    text = "".join(group.lines)
    found = [*provider_credentials(text), *private_keys(text), *passwords_in_urls(text)]
    if group.path.endswith((".py", ".env", ".cfg", ".ini", ".toml", ".yml", ".yaml", ".json")) or is_env_file(
        group.path
    ):
        bare = not group.path.endswith((".py", ".json", ".toml"))
        spans = {(item.start, item.end) for item in found}
        found += [item for item in named_literals(text, bare=bare) if (item.start, item.end) not in spans]
    return [
        item
        for item in found
        if item.severity.rank > 0
        and (
            item.confidence is Confidence.HIGH
            or (item.kind != "named" and item.confidence is Confidence.MEDIUM)
        )
    ]
