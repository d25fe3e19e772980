"""What lock files fix: Pipfile.lock, poetry.lock, uv.lock, pylock.toml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from stopper.finding import Location, Skipped
from stopper.records import dataclass
from stopper.source.files import MAX_BYTES, SourceFile, Tree
from stopper.source.requirement import Found, Manifest, Requirement, find, is_development, normalise

LOCAL = ("editable", "virtual", "directory", "path", "workspace")
"""The kinds of source by which uv names the project itself."""


def read(tree: Tree, found: Found) -> None:
    """Read every lock file; which packages are asked for directly is settled later."""
    for file in tree.named("Pipfile.lock", "poetry.lock", "uv.lock", "pylock.toml", "pylock.*.toml"):
        if file.size > 8 * MAX_BYTES:
            found.skipped.append(
                Skipped(file.path, f"{file.size:,} bytes; a lock file this large is not read")
            )
            continue
        try:
            found.requirements.extend(_read_one(file, found))
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            reason = (
                f"malformed, not read: {str(error).splitlines()[0][:120]}"
                if str(error)
                else "malformed, not read"
            )
            found.skipped.append(Skipped(file.path, reason))


def _read_one(file: SourceFile, found: Found) -> list[Requirement]:
    if file.name.lower() == "pipfile.lock":
        return _pipfile_lock(file)
    import tomllib  # late: many projects lock nothing

    data = tomllib.loads(file.text.content)
    if file.name.lower() == "uv.lock":
        return _Packages(file, data.get("package", [])).uv()
    if file.name.lower() == "poetry.lock":
        return _Packages(file, data.get("package", []), data.get("metadata", {})).poetry(found)
    return _Packages(file, data.get("packages", [])).pylock()


def _pipfile_lock(file: SourceFile) -> list[Requirement]:
    data = json.loads(file.text.content)
    made: list[Requirement] = []
    for section, development in (("default", False), ("develop", True)):
        start = max(file.text.content.find(f'"{section}":'), 0)
        for name, entry in data.get(section, {}).items():
            if development and any(one.name == normalise(name) for one in made):
                continue
            version = str(entry.get("version", "")).lstrip("=") or None
            place = find(file, f'"{name}":', start=start)
            url = str(entry.get("git") or entry.get("file") or entry.get("path") or "")
            made.append(
                Requirement(
                    normalise(name), place, Manifest.LOCK, f"=={version}" if version else "", version,
                    bool(entry.get("hashes")), str(entry.get("markers", "")), url, development, direct=False,
                )
            )  # fmt: skip
    return made


@dataclass
class _Packages:
    """The packages of one TOML lock."""

    file: SourceFile
    packages: list[dict[str, Any]]
    metadata: dict[str, Any] | None = None

    def uv(self) -> list[Requirement]:
        roots: set[str] = set()
        own: set[str] = set()
        for package in self.packages:
            if any(kind in package.get("source", {}) for kind in LOCAL):
                own.add(normalise(package["name"]))
                roots.update(_names(package.get("dependencies", [])))
                for group, items in package.get("optional-dependencies", {}).items():
                    roots.update(() if is_development(group) else _names(items))
        edges: dict[str, set[str]] = {}
        for package in self.packages:
            wanted = edges.setdefault(normalise(package["name"]), set())
            wanted.update(_names(package.get("dependencies", [])))
            for items in package.get("optional-dependencies", {}).values():
                wanted.update(_names(items) if normalise(package["name"]) not in own else ())
        production = reached(roots, edges) if own else set(edges)
        return [
            one
            for one in self._all(lambda package: normalise(package["name"]) not in production)
            if one.name not in own
        ]

    def poetry(self, found: Found) -> list[Requirement]:
        beside = [
            one for one in found.requirements if one.location.path.rpartition("/")[0] == self.file.folder
        ]
        roots = {one.name for one in beside if not one.development and one.kind is Manifest.PROJECT}
        edges = {
            normalise(package["name"]): {normalise(name) for name in package.get("dependencies", {})}
            for package in self.packages
        }
        production = reached(roots, edges)

        def is_dev(package: dict[str, Any]) -> bool:
            if "category" in package:
                return bool(package["category"] == "dev")
            if "groups" in package:
                return "main" not in package["groups"] and all(
                    is_development(group) for group in package["groups"]
                )
            return bool(roots) and normalise(package["name"]) not in production

        return self._all(is_dev)

    def pylock(self) -> list[Requirement]:
        return self._all(
            lambda package: bool(re.search(r"dependency_groups", str(package.get("marker", ""))))
        )

    def _all(self, is_dev: Any) -> list[Requirement]:
        made, at = [], 0
        old_hashes = (self.metadata or {}).get("files", {}) or (self.metadata or {}).get("hashes", {})
        for package in self.packages:
            name, version = str(package["name"]), package.get("version")
            place, at = self._place(name, at)
            source = package.get("source", {})
            url = (
                str(source.get("git") or source.get("url") or "")
                if source.get("type", "git") != "legacy"
                else ""
            )
            hashed = bool(old_hashes.get(name)) or "sha256" in str(package)
            made.append(
                Requirement(
                    normalise(name), place, Manifest.LOCK,
                    f"=={version}" if version else "", str(version) if version else None,
                    hashed, str(package.get("marker", "")), url if "git" in source else "",
                    bool(is_dev(package)), direct=False,
                )
            )  # fmt: skip
        return made

    def _place(self, name: str, at: int) -> tuple[Location, int]:
        pattern = re.compile(rf'^name\s*=\s*["\']{re.escape(name)}["\'].*$', re.MULTILINE)
        match = pattern.search(self.file.text.content, at) or pattern.search(self.file.text.content)
        if match is None:
            return Location(self.file.path), at
        return self.file.text.location(self.file.path, match.start(), match.end()), match.end()


def reached(roots: Iterable[str], edges: dict[str, set[str]]) -> set[str]:
    """Return the names that one comes to from ``roots`` along ``edges``, the roots among them."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(edges.get(name, ()))
    return seen


def _names(items: Iterable[dict[str, Any]]) -> set[str]:
    return {normalise(item["name"]) for item in items}
