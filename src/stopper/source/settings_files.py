"""Read environment variables and start commands from the files that deploy an app."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator

from stopper.finding import Location
from stopper.source.branches import ANY, DEVELOPMENT
from stopper.source.code import Code, Expr
from stopper.source.files import Role, SourceFile, Tree
from stopper.source.module import Bound
from stopper.source.settings_model import Command, Variable, environment_of

_ASSIGN = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_DOCKER_ENV = re.compile(r"^[ \t]*(?:ENV|ARG)[ \t]+((?:[^\n\\]|\\\r?\n|\\.)+)", re.MULTILINE | re.IGNORECASE)
_PAIR = re.compile(r"([A-Za-z_]\w*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|\S*)")
_OLD_ENV = re.compile(r"([A-Za-z_]\w*)[ \t]+(.+)")
_DOCKER_RUN = re.compile(
    r"^[ \t]*(?:CMD|ENTRYPOINT)[ \t]+((?:[^\n\\]|\\\r?\n|\\.)+)", re.MULTILINE | re.IGNORECASE
)
_YAML_ENV = re.compile(r"^([ \t]*)(?:environment|env):[ \t]*$", re.MULTILINE)
_YAML_ITEM = re.compile(
    r"[ \t]*(?:-[ \t]+)?[\"']?([A-Za-z_]\w*)[\"']?[ \t]*(?::[ \t]+|=)[ \t]*(.*?)[\"']?[ \t]*$"
)
_YAML_RUN = re.compile(r"^[ \t]*(?:command|entrypoint):[ \t]*(\S.*)$", re.MULTILINE)
_UNIT_ENV = re.compile(r"^[ \t]*Environment=(.+)$", re.MULTILINE)
_UNIT_RUN = re.compile(r"^[ \t]*ExecStart=[-@+!]*(.+)$", re.MULTILINE)
_PROCESS = re.compile(r"^[ \t]*[\w-]+:[ \t]*(.+)$", re.MULTILINE)
_SCRIPT_RUN = re.compile(
    r"^[ \t]*(?:exec[ \t]+)?((?:\S*/)?(?:gunicorn|uwsgi|waitress-serve|hypercorn|uvicorn|flask)[ \t](?:[^\n\\]|\\\r?\n|\\.)+)",
    re.MULTILINE,
)
_INI = re.compile(r"^[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_PROGRAMS = ("gunicorn", "uwsgi", "flask", "waitress-serve", "hypercorn", "uvicorn")


def variables_in(tree: Tree) -> Iterator[Variable]:
    """Yield the environment variables that files of the tree set."""
    for file in tree.files:
        if file.role in {Role.TEST, Role.DOCS}:
            continue
        name = file.name.lower()
        if name.startswith((".env", ".flaskenv")) or name.endswith(".env"):
            yield from _assignments(file, ".flaskenv" if name == ".flaskenv" else ".env")
        elif _is_docker(name):
            yield from _docker_variables(file)
        elif _is_compose(file):
            yield from _yaml_variables(file)
        elif name.endswith(".service"):
            yield from _pairs(file, _UNIT_ENV, "systemd")


def _is_docker(name: str) -> bool:
    return (
        name.startswith(("dockerfile", "containerfile")) or name.endswith(".dockerfile")
    ) and not name.endswith((".md", ".py"))


def _is_compose(file: SourceFile) -> bool:
    name = file.name.lower()
    return name.endswith((".yml", ".yaml")) and (
        "compose" in name or name.startswith(("docker-stack", "app.y", "render.y"))
    )


def _variable(file: SourceFile, name: str, value: str, start: int, how: str) -> Variable:
    end = file.text.content.find("\n", start)
    bare = value.strip()
    bare = (
        bare[1:-1]
        if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'"
        else re.sub(r"\s+#.*$", "", bare)
    )
    place = file.text.location(file.path, start, end if end >= 0 else len(file.text.content))
    return Variable(name, bare, place, environment_of(file.name), how)


def _assignments(file: SourceFile, how: str) -> Iterator[Variable]:
    for match in _ASSIGN.finditer(file.text.content):
        yield _variable(file, match[1], match[2], match.start(1), how)


def _docker_variables(file: SourceFile) -> Iterator[Variable]:
    for match in _DOCKER_ENV.finditer(file.text.content):
        pairs = list(_PAIR.finditer(match[1]))
        for pair in pairs:
            yield _variable(file, pair[1], pair[2], match.start(1) + pair.start(1), "Dockerfile")
        old = _OLD_ENV.match(match[1]) if not pairs else None
        if old is not None:
            yield _variable(file, old[1], old[2], match.start(1), "Dockerfile")


def _pairs(file: SourceFile, pattern: re.Pattern[str], how: str) -> Iterator[Variable]:
    for match in pattern.finditer(file.text.content):
        for pair in _PAIR.finditer(match[1].strip().strip("\"'")):
            yield _variable(file, pair[1], pair[2], match.start(1), how)


def _yaml_variables(file: SourceFile) -> Iterator[Variable]:
    """Read ``environment:`` blocks, maps and lists alike, by their indentation: values that are maps themselves are left out."""
    text = file.text
    for match in _YAML_ENV.finditer(text.content):
        line, _ = text.position(match.start())
        inner: int | None = None
        for number in range(line + 1, len(text.starts) + 1):
            content = text.line(number)
            depth = len(content) - len(content.lstrip())
            if not content.strip() or content.lstrip().startswith("#"):
                continue
            if depth < len(match[1]) or (depth == len(match[1]) and not content.lstrip().startswith("-")):
                break
            inner = depth if inner is None else inner
            item = _YAML_ITEM.fullmatch(content) if depth == inner else None
            if item is not None:
                yield _variable(
                    file, item[1], item[2].strip("\"'"), text.starts[number - 1] + depth, "compose"
                )


def commands_in(tree: Tree, code: Code) -> Iterator[Command]:
    """Yield the commands with which files of the tree start the app."""
    for file in tree.files:
        if file.role in {Role.TEST, Role.DOCS}:
            continue
        for pattern, how in _patterns(file):
            for match in pattern.finditer(file.text.content):
                yield from _command(file, match[1], match.start(1), match.end(1), how)
        if file.name.lower().startswith("uwsgi") and file.name.lower().endswith(".ini"):
            yield _uwsgi(file)
    for module in code.modules:
        if re.fullmatch(r"gunicorn(?:[._-]?\w+)*\.py", module.file.name) and module.role is Role.APP:
            yield _gunicorn(code, module.path)


def _patterns(file: SourceFile) -> Iterable[tuple[re.Pattern[str], str]]:
    name = file.name.lower()
    if _is_docker(name):
        yield _DOCKER_RUN, "Dockerfile"
    elif _is_compose(file):
        yield _YAML_RUN, "compose"
    elif name.startswith("procfile"):
        yield _PROCESS, "Procfile"
    elif name.endswith(".service"):
        yield _UNIT_RUN, "systemd"
    elif name.endswith((".sh", ".bash")):
        yield _SCRIPT_RUN, "script"


def _command(file: SourceFile, text: str, start: int, end: int, how: str) -> Iterator[Command]:
    words = _words(text.replace("\\\n", " ").replace("\\\r\n", " "))
    for index, word in enumerate(words):
        program = word.rpartition("/")[2]
        if program in _PROGRAMS and _starts(program, words[index + 1 :]):
            argv = tuple(words[index:])
            environment = (
                DEVELOPMENT if environment_of(file.name) == DEVELOPMENT else environment_of(file.name)
            )
            made = Command(program, argv, file.text.location(file.path, start, end), environment, how)
            workers = made.option("-w", "--workers", "--processes", "-p", "--threads")
            bind = (
                made.option("-b", "--bind", "--host", "-h", "--listen", "--http", "--http-socket", "--socket")
                or ""
            )
            yield Command(program, argv, made.location, environment, how, _number(workers), bind)
            return


def _starts(program: str, rest: list[str]) -> bool:
    return "run" in rest if program == "flask" else bool(rest)


def _words(text: str) -> list[str]:
    if text.startswith("["):
        try:
            parsed = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            parsed = None
        if isinstance(parsed, list):
            flat = [str(word) for word in parsed]
            return _words(flat[-1]) if len(flat) > 1 and flat[-2] in {"-c", "-lc"} else flat
    try:
        return shlex.split(text.strip().removesuffix("]"), comments=False)
    except ValueError:
        return text.split()


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None


def _uwsgi(file: SourceFile) -> Command:
    options = _INI.findall(file.text.content)
    given = dict(options)
    argv = ("uwsgi", *(f"--{name}={value}" for name, value in options))
    bind = next((given[name] for name in ("http", "http-socket", "socket", "https") if name in given), "")
    workers = _number(given.get("processes", given.get("workers")))
    return Command("uwsgi", argv, Location(file.path), environment_of(file.name), "uwsgi.ini", workers, bind)


def _gunicorn(code: Code, path: str) -> Command:
    module = code.by_path[path]
    values: dict[str, object] = {}
    for name, bindings in module.scope.bindings.items():
        last = bindings[-1]
        if last.how is Bound.ASSIGN and last.value is not None:
            values[name] = Expr(last.value, module.scope, code.names).value.in_production()
    argv = ("gunicorn", *(f"--{name.replace('_', '-')}={value}" for name, value in values.items()))
    workers, bind = values.get("workers"), values.get("bind")
    environment = environment_of(module.file.name)
    return Command(
        "gunicorn", argv, Location(path), environment if environment != ANY else ANY, "gunicorn.conf.py",
        workers if isinstance(workers, int) else None, bind if isinstance(bind, str) else "",
    )  # fmt: skip
