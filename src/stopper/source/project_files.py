"""What a project asks for in its manifests: pyproject.toml, setup.cfg, setup.py, Pipfile, conda."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from stopper.finding import Location, Skipped
from stopper.source.files import SourceFile, Tree
from stopper.source.requirement import (
    Found,
    Index,
    Manifest,
    PythonVersion,
    Requirement,
    find,
    is_development,
    normalise,
    parse_requirement,
    pin_of,
)
from stopper.source.syntax import parse

_LIBRARY_CLASSIFIER = "Topic :: Software Development :: Libraries"


def read(tree: Tree, found: Found) -> None:
    """Read every project manifest of the tree."""
    readers = (
        ("pyproject.toml", _pyproject),
        ("Pipfile", _pipfile),
        ("setup.cfg", _setup_cfg),
        ("environment*.y*ml", _conda),
    )
    for pattern, reader in readers:
        for file in tree.named(pattern):
            try:
                reader(file, found)
            except (
                TypeError,
                AttributeError,
                ValueError,
                RecursionError,
            ) as error:
                found.skipped.append(
                    Skipped(file.path, f"malformed, not read: {str(error).splitlines()[0][:120]}")
                )
    for file in tree.named("setup.py"):
        _setup_py(tree, file, found)


def _toml(file: SourceFile) -> dict[str, Any]:
    import tomllib  # late: many projects have no such file

    return tomllib.loads(file.text.content)


def _pyproject(file: SourceFile, found: Found) -> None:
    data = _toml(file)
    project = data.get("project", {})
    library = _LIBRARY_CLASSIFIER in str(project.get("classifiers", ""))
    _texts(file, found, project.get("dependencies", []), library=library)
    for group, items in project.get("optional-dependencies", {}).items():
        _texts(file, found, items, development=is_development(group), library=library)
    for group, items in data.get("dependency-groups", {}).items():
        development = is_development(group) or not re.search(r"prod|main|deploy|server", group)
        _texts(file, found, [item for item in items if isinstance(item, str)], development=development)
    tool = data.get("tool", {})
    _poetry(file, found, tool.get("poetry", {}))
    _uv(file, found, tool.get("uv", {}))
    _pythons(file, found, str(project.get("requires-python", "")), "requires-python")


def _texts(
    file: SourceFile, found: Found, items: Iterable[str], *, development: bool = False, library: bool = False
) -> None:
    for text in items:
        parsed = parse_requirement(text)
        place = find(file, f'"{text}"', f"'{text}'", text)
        if parsed is None:
            found.skipped.append(
                Skipped(f"{file.path}:{place.line}", f"{text[:60]!r} is not a requirement (PEP 508)")
            )
            continue
        made = Requirement(
            normalise(parsed.name), place, Manifest.PROJECT, parsed.specifier, pin_of(parsed.specifier), False,
            parsed.marker, parsed.url, development, True, library,
        )  # fmt: skip
        found.requirements.append(made)


def _poetry(file: SourceFile, found: Found, poetry: dict[str, Any]) -> None:
    _table(file, found, "tool.poetry.dependencies", poetry.get("dependencies", {}), development=False)
    _table(file, found, "tool.poetry.dev-dependencies", poetry.get("dev-dependencies", {}), development=True)
    for group, content in poetry.get("group", {}).items():
        section = f"tool.poetry.group.{group}.dependencies"
        development = is_development(group) or bool(content.get("optional"))
        _table(file, found, section, content.get("dependencies", {}), development=development)
    for source in poetry.get("source", []):
        option = (
            "index-url"
            if source.get("priority", "") in {"primary", "default"} or source.get("default")
            else "extra-index-url"
        )
        url = str(source.get("url", ""))
        safe = source.get("priority") == "explicit"
        if url:
            found.indexes.append(Index(option, url, find(file, url), safe))


def _table(
    file: SourceFile,
    found: Found,
    section: str,
    table: dict[str, Any],
    *,
    development: bool,
    kind: Manifest = Manifest.PROJECT,
) -> None:
    start = max(file.text.content.find(f"[{section}]"), 0)
    for name, value in table.items():
        place = _key(file, name, start)
        if name.lower() == "python":
            _pythons(file, found, _caret(value), "python")
            continue
        entry = value if isinstance(value, dict) else {}
        specifier = _caret(entry.get("version", "") if entry else value)
        url = str(entry.get("git") or entry.get("url") or entry.get("path") or entry.get("file") or "")
        if entry.get("path") and entry.get("editable"):
            continue
        found.requirements.append(
            Requirement(
                normalise(name),
                place,
                kind,
                specifier,
                pin_of(specifier),
                False,
                str(entry.get("markers", "")),
                url,
                development,
            )
        )


def _key(file: SourceFile, name: str, start: int) -> Location:
    match = re.compile(rf"^[ \t]*[\"']?{re.escape(name)}[\"']?\s*=.*$", re.MULTILINE).search(
        file.text.content, start
    )
    if match is None:
        return find(file, name, start=start)
    return file.text.location(file.path, match.start(), match.end())


def _caret(value: object) -> str:
    """Turn Poetry's and Pipfile's version language into a PEP 440 specifier; "" for any version."""
    parts = []
    for raw in str(value if isinstance(value, str) else "").replace("||", ",").split(","):
        text = raw.strip()
        if text in {"", "*"}:
            continue
        numbers = re.match(r"[\^~]\s*v?([\d.]+)", text)
        if numbers and not text.startswith("~="):
            parts.append(_range(text[0], numbers[1]))
        elif text[0].isdigit():
            parts.append(f"=={text}")
        else:
            parts.append(text)
    return ",".join(parts)


def _range(sign: str, version: str) -> str:
    numbers = [int(part) for part in version.strip(".").split(".")]
    fixed = 0 if sign == "^" else min(1, len(numbers) - 1)
    while sign == "^" and fixed < len(numbers) - 1 and numbers[fixed] == 0:
        fixed += 1
    upper = [*numbers[:fixed], numbers[fixed] + 1]
    return f">={version},<{'.'.join(str(part) for part in upper)}"


def _uv(file: SourceFile, found: Found, uv: dict[str, Any]) -> None:
    _texts(file, found, uv.get("dev-dependencies", []), development=True)
    safe = uv.get("index-strategy", "first-index") == "first-index"
    for url in uv.get("extra-index-url", []):
        found.indexes.append(Index("extra-index-url", url, find(file, url), safe))
    for index in uv.get("index", []):
        url = str(index.get("url", ""))
        option = "index-url" if index.get("default") else "extra-index-url"
        found.indexes.append(Index(option, url, find(file, url), safe or bool(index.get("explicit"))))


def _pipfile(file: SourceFile, found: Found) -> None:
    data = _toml(file)
    _table(file, found, "packages", data.get("packages", {}), development=False, kind=Manifest.PIPFILE)
    _table(file, found, "dev-packages", data.get("dev-packages", {}), development=True, kind=Manifest.PIPFILE)
    for number, source in enumerate(data.get("source", [])):
        url = str(source.get("url", ""))
        option = "index-url" if number == 0 else "extra-index-url"
        # Pipenv since 2022.3.23 asks an extra source only for the packages that name it
        found.indexes.append(
            Index(option, url, find(file, url), True, source.get("verify_ssl", True) is not False)
        )
    version = data.get("requires", {}).get("python_full_version") or data.get("requires", {}).get(
        "python_version"
    )
    if version:
        found.pythons.append(PythonVersion(str(version), find(file, f'"{version}"', str(version)), "Pipfile"))


def _setup_cfg(file: SourceFile, found: Found) -> None:
    import configparser  # late: few projects have such a file still

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(file.text.content)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    library = _LIBRARY_CLASSIFIER in parser.get("metadata", "classifiers", fallback="")
    _texts(file, found, _lines(parser.get("options", "install_requires", fallback="")), library=library)
    if parser.has_section("options.extras_require"):
        for group, value in parser.items("options.extras_require"):
            _texts(file, found, _lines(value), development=is_development(group), library=library)
    _texts(file, found, _lines(parser.get("options", "tests_require", fallback="")), development=True)
    _pythons(file, found, parser.get("options", "python_requires", fallback=""), "python_requires")


def _lines(value: str) -> list[str]:
    lines = (line.partition(" #")[0].strip() for line in value.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "file:"))]


def _setup_py(tree: Tree, file: SourceFile, found: Found) -> None:
    module = parse(file.text).tree
    names = {
        target.id: node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(module):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != "setup":
            continue
        for word in call.keywords:
            _setup_argument(tree, file, found, word, names)


def _setup_argument(
    tree: Tree, file: SourceFile, found: Found, word: ast.keyword, names: dict[str, ast.expr]
) -> None:
    value = names.get(word.value.id, word.value) if isinstance(word.value, ast.Name) else word.value
    if word.arg in {"install_requires", "tests_require"}:
        texts = list(_strings(value))
        _texts(file, found, texts, development=word.arg == "tests_require")
        elsewhere = any(
            name in file.text.content
            for name in (one.name for one in tree.files if "requirement" in one.name)
        )
        if not isinstance(value, ast.List | ast.Tuple) and not elsewhere:
            found.skipped.append(
                Skipped(f"{file.path}:{word.value.lineno}", f"{word.arg} is worked out when setup.py runs")
            )
    elif word.arg == "extras_require" and isinstance(value, ast.Dict):
        for key, items in zip(value.keys, value.values, strict=True):
            group = key.value if isinstance(key, ast.Constant) else ""
            _texts(file, found, list(_strings(items)), development=is_development(str(group)))
    elif word.arg == "python_requires" and isinstance(value, ast.Constant):
        _pythons(file, found, str(value.value), "python_requires")


def _strings(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.List | ast.Tuple):
        for element in node.elts:
            if isinstance(element, ast.Constant) and isinstance(element.value, str):
                yield element.value


def _pythons(file: SourceFile, found: Found, specifier: str, where: str) -> None:
    """Keep the newest Python that ``specifier`` allows; a lower bound alone says nothing."""
    allowed = []
    requirement = Requirement("python", Location(file.path), Manifest.PROJECT, specifier)
    if not specifier or requirement.allows("3.99"):
        return
    for minor in [*(f"3.{number}" for number in range(40)), "2.7"]:
        if requirement.allows(minor) or requirement.allows(f"{minor}.30"):
            allowed.append(minor)
    if allowed:
        newest = max(allowed, key=lambda version: [int(part) for part in version.split(".")])
        found.pythons.append(PythonVersion(newest, find(file, where), where))


def _conda(file: SourceFile, found: Found) -> None:
    for match in re.finditer(
        r"^\s*-\s*([A-Za-z][\w.-]*)\s*(={1,2}|[<>~!]=?)?\s*([\d][\w.]*)?", file.text.content, re.MULTILINE
    ):
        name, sign, version = match[1], match[2] or "", match[3] or ""
        place = file.text.location(file.path, match.start(1), match.end())
        if name == "python":
            if version and sign.startswith("="):
                found.pythons.append(PythonVersion(version, place, "conda environment"))
            continue
        if name in {"pip", "defaults", "conda-forge", "nodefaults"}:
            continue
        specifier = f"{'==' if sign == '=' else sign}{version}" if version else ""
        found.requirements.append(
            Requirement(normalise(name), place, Manifest.CONDA, specifier, pin_of(specifier))
        )
