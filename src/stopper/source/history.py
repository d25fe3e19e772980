"""Git's memory of a project: what is tracked, what is ignored, and the secrets that were ever committed.

Git is asked in a way that runs nothing of the project's: no hooks, no file system monitor, no external diff, no text
conversion, no fetch. Everything together may take ``SECONDS``; what was not reached by then is told, never taken as clean.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from stopper.finding import Confidence, Severity, Skipped
from stopper.records import dataclass
from stopper.regex import regex
from stopper.source.credentials import (
    Credential,
    named_literals,
    passwords_in_urls,
    private_keys,
    provider_credentials,
)
from stopper.source.files import Role, role_of
from stopper.source.git import SAFE, environment
from stopper.source.together import BATCH, may_hold
from stopper.source.versions import Brought, Version, brought, listed

SECONDS = 20.0
"""How long all questions to git together may take. What ends a long history is the number of bytes (``versions.MOST``), so that a
busy machine reports what an idle one does; this only keeps a stuck git from holding up the run."""

_ENV_FILE = re.compile(r"(^|/)(\.env(\.[\w.-]+)?|[\w-]+\.env|\.flaskenv)$")
_ENV_FORM = regex(r"(example|sample|template|dist|defaults?|tmpl|tpl|schema|ci|test|testing)$", re.IGNORECASE)
_UNREAD = re.compile(
    r"\.(min\.js|map|svg|po|pot|mo|lock|css|csv|tsv|ipynb|snap|png|jpe?g|gif|ico|webp|woff2?|ttf|eot|otf|pdf|zip|gz|bz2|xz|"
    r"tar|whl|pyc|so|mp[34]|jar|psd|deb|pickle|doctree|mmdb|sum)$|(^|/)(package-lock\.json|yarn\.lock|poetry\.lock|uv\.lock|"
    r"pnpm-lock\.yaml|CHANGE(S|LOG)(\.\w+)?|node_modules|vendor|vendored|third_party|static/(lib|vendor|js/lib)|"
    r"bower_components)(/|$)",
    re.IGNORECASE,
)
"""What others wrote, tools made, or people wrote about the code: it is not read for secrets."""
_NOT_APP = re.compile(
    r"(^|/)(\.github|\.gitlab|\.circleci|local-dev|dev|testdata|testinfra|molecule|cypress|hack|e2e|__tests__|ci)/|"
    r"[._]test\.[a-z]+$|\.spec\.[a-z]+$|(^|/)(test_|tests?\.|(example|sample)[_-])[^/]*$|"
    r"(^|[./_-])(e2e|ci|test|testing|example|sample|dist|tmpl|template)(\.[a-z]+)?$|(^|/)(tox|pytest|alembic)\.ini$",
    re.IGNORECASE,
)
_MADE_UP = re.compile(r"(test|dummy|fake|mock)_", re.IGNORECASE)
_NAMING = (".py", ".env", ".cfg", ".ini", ".toml", ".yml", ".yaml", ".json")
"""The endings of files in which a name says what its value is."""


def is_env_file(path: str) -> bool:
    """Tell whether ``path`` is a file of environment variables with real values (``.env.example`` is none)."""
    name = path.rpartition("/")[2]
    return (
        "env"
        in path  # the expressions take twenty times as long, and are asked of every path that was ever committed
        and bool(_ENV_FILE.search(path))
        and name != ".flaskenv"
        and not _ENV_FORM.search(name.removesuffix(".env"))
    )


def opens_nothing(path: str) -> bool:
    """Tell whether what lies at ``path`` is for tests, for CI, for one developer's machine or an example: its secrets open nothing."""
    return bool(_NOT_APP.search(path))


def is_made_up(name: str) -> bool:
    """Tell whether a name says that what it holds was made up for a test: ``test_password``."""
    return bool(_MADE_UP.match(name))


@dataclass(frozen=True, slots=True)
class Committed:
    """A file that a commit added."""

    path: str
    """Relative to the target."""
    commit: str
    """The first characters of the commit's id."""
    date: str
    """The day of the commit, ``2024-05-31``."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that a commit added. The secret itself is not kept."""

    path: str
    commit: str
    date: str
    kind: str
    """As a ``Credential`` has it."""
    name: str
    masked: str
    """The secret as it may be shown."""
    digest: str
    """What tells whether another secret is the same: see ``digest``."""
    severity: Severity
    confidence: Confidence
    revoke: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the commits of a repository hold; only a new commit can change it."""

    env_files: tuple[Committed, ...]
    leaks: tuple[Leak, ...]
    skipped: tuple[Skipped, ...]


class History:
    """The history of the project at ``root``, which may be a folder inside a repository."""

    def __init__(self, root: Path, seconds: float = SECONDS) -> None:
        self.root = root
        self.skipped: list[Skipped] = []
        self._left = seconds
        self._prefix = ""
        self._read_paths: dict[str, bool] = {}

    @classmethod
    def recalled(cls, root: Path, known: Known) -> History:
        """Return a history of which the commits need not be read again."""
        history = cls(root)
        history.tracked("")
        history.__dict__["_env_files"] = known.env_files
        history.__dict__["_secrets"] = known.leaks
        history.skipped += [one for one in known.skipped if one not in history.skipped]
        return history

    @property
    def known(self) -> Known:
        """Return what ``recalled`` needs."""
        return Known(self.env_files(), self.secrets(), tuple(self.skipped))

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
        self._prefix = lines[2]
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
    def _versions(self) -> list[Version]:
        """The versions of files that commits hold, the oldest first."""
        if not self.available:
            return []
        started = time.monotonic()
        try:
            versions, complete = listed(self.root, inside=bool(self._prefix), seconds=max(0.1, self._left))
        except OSError as error:
            self._skip(f"git cannot be run: {error.strerror or error}")
            return []
        self._left -= time.monotonic() - started
        if not complete:
            late = f"the time of {SECONDS:g} seconds was over" if self._left <= 0 else "git log failed"
            self._skip(f"{late} after {len(versions)} versions of files; older commits were not read")
        return versions

    @cached_property
    def _env_files(self) -> tuple[Committed, ...]:
        first: dict[str, Committed] = {}
        for one in self._versions:
            if is_env_file(one.path):
                first.setdefault(one.path, Committed(one.path, one.commit, one.date))
        return tuple(first.values())

    def content(self, one: Committed) -> str | None:
        """Return what a file held in the commit that added it, None when git does not tell."""
        return self._git("show", "--no-textconv", f"{one.commit}:./{one.path}") if self.available else None

    def env_files(self) -> tuple[Committed, ...]:
        """Return the files of environment variables that were ever committed, each with the first commit that added it."""
        return self._env_files

    @cached_property
    def _secrets(self) -> tuple[Leak, ...]:
        wanted = [one for one in self._versions if self._is_read(one.path)]
        first: dict[str, Leak] = {}
        try:
            every = brought(self.root, wanted, seconds=max(0.1, self._left), missed=self._missed)
            for one in _suspicious(every):
                for credential in _surely_secret(one):
                    first.setdefault(credential.secret, _leak(one.version, credential))
        except OSError as error:
            self._skip(f"git cannot be run: {error.strerror or error}")
        return tuple(first.values())

    def _is_read(self, path: str) -> bool:
        known = self._read_paths.get(path)
        if known is None:
            counts = role_of(path) not in (Role.TEST, Role.DOCS) and not opens_nothing(path)
            known = counts and not _UNREAD.search(path)
            self._read_paths[path] = known
        return known

    def _missed(self, count: int, why: str) -> None:
        self._skip(f"{why}; {count} versions of files were not read")

    def secrets(self) -> tuple[Leak, ...]:
        """Return the secrets ever added by a commit, each with the first commit that added it."""
        return self._secrets

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
                [*SAFE, *arguments], cwd=self.root, env=environment(), stdin=subprocess.DEVNULL,
                capture_output=True, timeout=max(0.1, self._left), check=False,
            )  # fmt: skip
        finally:
            self._left -= time.monotonic() - started

    def _skip(self, reason: str) -> None:
        note = Skipped("git history", reason)
        if note not in self.skipped:
            self.skipped.append(note)


def digest(secret: str) -> str:
    """Return what two texts have in common only when they are the same secret, and from which none can be read."""
    return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def gathered(root: Path) -> History:
    """Return the history of ``root`` with everything asked that takes long, and nothing that is large."""
    history = History(root)
    history.secrets()
    history.env_files()
    history.tracked("")
    history.__dict__.pop("_versions", None)
    return history


def _leak(at: Version, found: Credential) -> Leak:
    return Leak(
        at.path, at.commit, at.date, found.kind, found.name, found.masked, digest(found.secret), found.severity, found.confidence,
        found.revoke,
    )  # fmt: skip


def _suspicious(every: Iterable[Brought]) -> Iterator[Brought]:
    """Yield those that may have brought a secret, in their order."""
    batch: list[Brought] = []
    size = 0
    for one in every:
        batch.append(one)
        size += len(one.text)
        if size >= BATCH:
            yield from _sifted(batch)
            batch, size = [], 0
    yield from _sifted(batch)


def _sifted(batch: list[Brought]) -> list[Brought]:
    naming = [_names_values(one.version.path) for one in batch]
    wanted = set(may_hold([one.text for one in batch], naming, surely=True))
    return [one for index, one in enumerate(batch) if one.whole or index in wanted]


def _names_values(path: str) -> bool:
    """Tell whether a name in a file says what its value is."""
    return path.endswith(_NAMING) or is_env_file(path)


def _surely_secret(one: Brought) -> list[Credential]:
    """Return the secrets that a version brought of which there is little doubt: history is long, and nobody rereads it."""
    path, text = one.version.path, one.text
    found = [*provider_credentials(text), *passwords_in_urls(text)]
    if one.whole:
        found += private_keys(one.whole.decode("utf-8", "replace"))
    if _names_values(path):
        spans = {(item.start, item.end) for item in found}
        bare = not path.endswith((".py", ".json", ".toml"))
        found += [
            item
            for item in named_literals(text, bare=bare)
            if (item.start, item.end) not in spans and not is_made_up(item.name.rpartition(".")[2])
        ]
    return [
        item
        for item in found
        if item.severity.rank > 0
        and (
            item.confidence is Confidence.HIGH
            or (item.kind != "named" and item.confidence is Confidence.MEDIUM)
        )
    ]
