"""What the secret rules share: the texts worth reading, the secrets in them, and the settings that are keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from stopper.finding import Confidence, Finding
from stopper.rule import Rule
from stopper.source.credentials import (
    Credential,
    named_literals,
    passwords_in_urls,
    private_keys,
    provider_credentials,
    redact_value,
)
from stopper.source.files import Role, SourceFile
from stopper.source.history import opens_nothing
from stopper.source.project import Project
from stopper.source.settings_model import Setting, is_for_production

KEY = "secrets_in_text"
"""Under what the project remembers the secrets of its files."""

LARGEST = 300_000
"""Files above this are data or made by a tool; they are not read for secrets."""

KEYS = ("SECRET_KEY", "JWT_SECRET_KEY", "WTF_CSRF_SECRET_KEY", "SECURITY_PASSWORD_SALT")
"""The settings with which Flask and its extensions sign."""

_BINARY = re.compile(
    r"\.(png|jpe?g|gif|ico|webp|woff2?|ttf|eot|otf|pdf|zip|gz|bz2|xz|tar|whl|mo|pyc|so|db|sqlite3?|mp[34]|min\.js|map|svg|po|"
    r"pot|lock|css|scss|csv|tsv|ipynb|snap)$|(^|/)package-lock\.json$",
    re.IGNORECASE,
)
_BARE = re.compile(r"\.(env|ya?ml|ini|cfg|conf)$|(^|/)(\.env[^/]*|Dockerfile[^/]*)$", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(#|//)")
_PROSE = (".md", ".rst", ".html", ".htm", ".txt")


def texts(project: Project) -> Iterator[SourceFile]:
    """Yield the text files of the application; tests, documentation, CI and tools' output do not count."""
    for file in project.tree.files:
        other = file.role in (Role.TEST, Role.DOCS) or file.size > LARGEST or _BINARY.search(file.path)
        if not other and not opens_nothing(file.path) and "\0" not in file.text.content[:4096]:
            yield file


def secrets_in(project: Project) -> list[tuple[SourceFile, Credential]]:
    """Return every secret of the application's files, read once a project."""
    found = project.cached(KEY, lambda: located(project))
    return [(project.tree.by_path[path], one) for path, one in found]


def located(project: Project, bare: set[str] | None = None) -> list[tuple[str, Credential]]:
    """Return every secret of the application's files with the file's path.

    Files that an earlier run marked in ``bare`` hold none and are not searched; after that it holds the marks of this run.
    """
    earlier, marks, found = frozenset(bare or ()), set[str](), list[tuple[str, Credential]]()
    for file in texts(project):
        mark = _mark(file) if bare is not None else ""
        secrets = [] if mark in earlier else _read(file)
        found += [(file.path, one) for one in secrets]
        marks |= set() if secrets else {mark}
    if bare is not None:
        bare.intersection_update(marks)
        bare.update(marks)
    return found


def _mark(file: SourceFile) -> str:
    """Return a digest of all that the secrets found in a file depend on."""
    whole = f"{file.path}\0{file.text.content}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=16).hexdigest()


def _read(file: SourceFile) -> list[Credential]:
    text = file.text.content
    found = [*provider_credentials(text), *private_keys(text), *passwords_in_urls(text)]
    if not file.path.endswith(_PROSE):
        taken = {(one.start, one.end) for one in found}
        named = named_literals(text, bare=bool(_BARE.search(file.path)))
        found += [one for one in named if (one.start, one.end) not in taken]
    return found


def report(
    rule: Rule, project: Project, file: SourceFile, one: Credential, message: str, remedy: str
) -> Finding:
    """Return a finding at a secret, with the secret masked."""
    place = file.text.location(file.path, one.start, one.end)
    shown = redact_value(project.line(place), one.secret)
    if one.kind == "private-key":
        shown = one.secret.split("\n")[0][:40]
    return rule.found(
        place,
        message,
        confidence=Confidence.LOW
        if one.kind == "named" and _shows_only(file, project.line(place))
        else one.confidence,
        severity=one.severity,
        remedy=remedy,
        code=shown,
        context=f"{one.kind} {one.masked}",
    )


def _shows_only(file: SourceFile, line: str) -> bool:
    """Tell whether a literal stands in a comment, as an example, or in a file that is said to be for development."""
    return _COMMENT.match(line) is not None or not is_for_production(file.path)


def key_settings(project: Project) -> Iterator[Setting]:
    """Yield the places that give a signing key its value in production."""
    for key in KEYS:
        for setting in project.settings.in_production(key):
            if project.role(setting.location.path) in (Role.APP, Role.MIGRATION):
                yield setting


def key_text(value: object) -> str | None:
    """Return a key's constant as text, or None when it is none."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


def at_key(
    rule: Rule, project: Project, setting: Setting, message: str, confidence: Confidence = Confidence.HIGH
) -> Finding:
    """Return a finding at a key's setting, with the key masked and the line to write instead."""
    shown = redact_value(project.line(setting.location), key_text(setting.value.in_production()) or "")
    return rule.found(
        setting.location,
        message,
        confidence=confidence,
        remedy=f'{setting.key} = os.environ["{setting.key}"]',
        code=shown,
        context=setting.key,
    )
