"""Write the pages that come from the code: one for each rule, one with every command and option, one with the guard's settings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from stopper.cli.main import main
from stopper.finding import Area
from stopper.guard.guard import Guard
from stopper.guard.guards import GUARDS
from stopper.guard.settings import PREFIX, Common, Settings
from stopper.page import Example
from stopper.rule import Rule, discover

LEXERS = {
    ".py": "python",
    ".html": "html+jinja",
    ".toml": "toml",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".sh": "sh",
}
NAMES = {
    Area.SECRETS: "Secrets",
    Area.HEADERS: "Security headers",
    Area.SQL: "SQL injection",
    Area.XSS: "Cross-site scripting",
    Area.LIMITS: "Rate limits",
    Area.TRANSPORT: "HTTPS and cookies",
    Area.INPUTS: "Inputs",
    Area.DEPENDENCIES: "Dependencies",
}


def write(folder: Path) -> None:
    """Write every generated page; remove those of rules that are gone."""
    folder.mkdir(exist_ok=True)
    pages = {f"{rule.slug}.rst": rule_page(rule) for rule in discover()}
    pages["index.rst"] = index_page(discover())
    pages["commands.rst"] = commands_page()
    pages["settings.rst"] = settings_page()
    for stale in {path.name for path in folder.glob("*.rst")} - set(pages):
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def rule_page(rule: Rule) -> str:
    """Return the reStructuredText of one rule."""
    content = rule.page
    parts = [f"{rule.slug}\n{'=' * len(rule.slug)}", f"**{prose(content.title)}**"]
    weaknesses = ", ".join(f"CWE-{number}" for number in rule.cwe)
    parts.append(f":Area: {NAMES[rule.area]}\n:Severity: {rule.severity}\n:Weakness: {weaknesses}")
    parts.append(f":How it looks: {' '.join(prose(type(rule).__doc__ or '').split())}")
    parts.append("Why it matters\n--------------\n\n" + prose(content.why))
    parts.append("Bad\n---\n\n" + "\n\nor\n\n".join(map(example, content.bad)))
    parts.append("Good\n----\n\n" + "\n\nor\n\n".join(map(example, content.good)))
    parts.append("References\n----------\n\n" + "\n".join(f"* {prose(one)}" for one in content.references))
    parts.append(
        "Ignore it\n---------\n\n.. code-block:: python\n\n"
        f"   ...  # stopper: ignore[{rule.slug}] say here why it is right in this place\n\n"
        "See :doc:`/ignoring`."
    )
    return "\n\n".join(parts) + "\n"


def example(one: Example) -> str:
    """Return an example, one block a file."""
    blocks = []
    for name, text in one.files.items():
        lexer = LEXERS.get(Path(name).suffix, "text")
        body = "\n".join(f"   {line}".rstrip() for line in text.splitlines()) or "   (empty)"
        blocks.append(f".. code-block:: {lexer}\n   :caption: {name}\n\n{body}")
    return "\n\n".join(blocks)


def prose(text: str) -> str:
    """Return text with its code in literals and everything else safe from being read as markup."""
    parts = re.split(r"(``.+?``|`[^`]+`)", text, flags=re.DOTALL)
    return "".join(
        f"``{part.strip('`')}``" if part.startswith("`") else re.sub(r"([\\*|`]|_\b)", r"\\\1", part)
        for part in parts
    )


def index_page(found: Sequence[Rule]) -> str:
    """Return the page that lists every rule, area by area."""
    parts = [
        "Rules\n=====",
        f"{len(found)} rules, in the order of the checklist. Each has the page that the report links to.",
    ]
    for area in Area:
        name = NAMES[area]
        entries = "\n".join(f"   {rule.slug}" for rule in found if rule.area == area)
        parts.append(f"{name}\n{'-' * len(name)}\n\n.. toctree::\n   :maxdepth: 1\n\n{entries}")
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Return the page with every command and its options, as `--help` tells them."""
    parts = ["Commands\n========", "``stopper --help`` and ``stopper COMMAND --help`` say the same."]
    context = click.Context(main, info_name="stopper")
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None and not command.hidden:
            parts.append(command_section(click.Context(command, parent=context, info_name=name)))
    return "\n\n".join(parts) + "\n"


def command_section(context: click.Context) -> str:
    """Return the section of one command."""
    title = f"stopper {context.info_name}"
    parts = [
        f"{title}\n{'-' * len(title)}",
        f".. code-block:: text\n\n   {context.command.get_usage(context)}",
    ]
    paragraphs = (context.command.help or "").replace("\b", "").strip().split("\n\n")
    parts += [prose(" ".join(one.split())) for one in paragraphs]
    for option in context.command.params:
        if isinstance(option, click.Option) and not option.hidden:
            words = ", ".join(f"``{word}``" for word in [*option.opts, *option.secondary_opts])
            parts.append(f"{words}\n   {prose(' '.join((option.help or '').split()))}")
    return "\n\n".join(parts)


PLACES = (
    "A setting ``proxies`` is the keyword of ``Stopper(app, proxies=1)``, the key ``STOPPER_PROXIES`` of ``app.config``, and the "
    "variable ``STOPPER_PROXIES`` of the environment; the first of the three that is set counts. One that is misspelt, of the "
    "wrong type or out of range is an error when the app starts, and the error says what to write."
)


def settings_page() -> str:
    """Return the page with every setting of the guard."""
    parts = [
        "Settings of the guard\n=====================",
        PLACES,
        "Every guard\n-----------\n\n" + "\n\n".join(map(setting_entry, fields_of(Common))),
    ]
    parts += [guard_section(guard) for guard in GUARDS]
    return "\n\n".join(parts) + "\n"


def guard_section(guard: type[Guard]) -> str:
    """Return the section of one guard."""
    told = (sys.modules[guard.__module__].__doc__ or "").partition("\n\n")[0]
    parts = [f"{guard.name}\n{'-' * len(guard.name)}", prose(" ".join(told.split()))]
    if guard.switch:
        key = PREFIX + guard.name.upper()
        parts.append(
            f"``{key}``\n   Its mode: ``enforce``, ``report`` or ``off``; that of ``STOPPER_MODE`` unless it is set."
        )
    parts += map(setting_entry, fields_of(guard.Settings))
    return "\n\n".join(parts)


def fields_of(kind: type[Settings]) -> list[tuple[dataclasses.Field[object], str]]:
    """Return the fields of a dataclass of settings with the docstrings that stand under them."""
    tree = ast.parse(inspect.getsource(kind))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    told = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            told[node.target.id] = str(after.value.value) if is_text else ""
    return [(field, told.get(field.name, "")) for field in dataclasses.fields(kind)]


def setting_entry(entry: tuple[dataclasses.Field[object], str]) -> str:
    """Return one setting: its key, its type and default, and what it does."""
    field, told = entry
    default = field.default if field.default is not dataclasses.MISSING else {}
    example = field.metadata.get("example")
    shown = f" For example ``{example!r}``." if example is not None else ""
    text = prose(" ".join(told.split())).replace("````", "``")
    return f"``{PREFIX}{field.name.upper()}``\n   (``{field.type}``; unless it is set: ``{plain(default)}``) {text}{shown}"


def plain(default: object) -> str:
    """Return a default as a reader would write it."""
    return repr(str(default)) if isinstance(default, str) else repr(default)
