"""The documentation cannot drift: what is in the code is in it, and what it shows works."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import shutil
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner

from stopper.audit import audit
from stopper.cli.main import main
from stopper.config import KEYS
from stopper.guard.guards import GUARDS
from stopper.guard.settings import Common
from stopper.reports import text
from stopper.rule import discover

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.rst").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def generator() -> ModuleType:
    """Return the module that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the generated pages by their names."""
    folder = tmp_path_factory.mktemp("rules")
    generator().write(folder)
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.rst")}


def commands_in(text: str) -> list[str]:
    """Return the commands that a Markdown page shows, without prompts and comments."""
    lines = [line.removeprefix("$ ").strip() for block in SHELL.findall(text) for line in block.splitlines()]
    return [
        shlex.join(shlex.split(line, comments=True)) for line in lines if shlex.split(line, comments=True)
    ]


def subcommands() -> list[click.Command]:
    """Return every command of the command line that a user is shown."""
    context = click.Context(main)
    found = [main.get_command(context, name) for name in main.list_commands(context)]
    return [command for command in found if command is not None and not command.hidden]


def test_every_rule_has_a_page_and_stands_in_the_list(pages: dict[str, str]) -> None:
    slugs = {rule.slug for rule in discover()}

    assert slugs == set(pages) - {"index", "commands", "settings"}
    assert slugs <= set(pages["index"].split())


def test_every_rule_page_holds_the_rule_s_own_words(pages: dict[str, str]) -> None:
    for rule in discover():
        assert f"stopper: ignore[{rule.slug}]" in pages[rule.slug]
        for example in (*rule.page.bad, *rule.page.good):
            for name in example.files:
                assert f":caption: {name}" in pages[rule.slug]


def test_every_option_of_the_command_line_says_what_it_does_and_is_documented(pages: dict[str, str]) -> None:
    for command in subcommands():
        options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]

        assert command.help, f"{command.name} says nothing"
        assert [one.name for one in options if not one.help] == []
        assert [word for one in options for word in one.opts if f"``{word}``" not in pages["commands"]] == []


def test_every_setting_of_the_guard_is_documented(pages: dict[str, str]) -> None:
    module = generator()
    kinds = [Common, *(guard.Settings for guard in GUARDS)]
    told = {field.name: text for kind in kinds for field, text in module.fields_of(kind)}

    assert [name for name, text in told.items() if not text] == [], "write a docstring under the field"
    assert [name for name in told if f"``STOPPER_{name.upper()}``" not in pages["settings"]] == []
    assert len(told) > 40


def test_the_code_on_the_page_of_the_guard_runs() -> None:
    page = (ROOT / "docs" / "guard.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", page)
    shown: dict[str, Any] = {"__name__": "shown"}
    for block in blocks:
        exec(textwrap.dedent(block), shown)

    app = shown["app"]
    app.testing = True
    answer = app.test_client().get("/plain", base_url="https://www.example.com")
    assert re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])[1] in answer.text  # type: ignore[index]
    assert len(blocks) == 5


def test_no_setting_has_the_key_of_a_guard_or_of_another_setting() -> None:
    kinds = [Common, *dict.fromkeys(guard.Settings for guard in GUARDS)]
    names = [field.name for kind in kinds for field in dataclasses.fields(kind)]

    assert sorted(names) == sorted(set(names))
    assert [guard.name for guard in GUARDS if guard.switch and guard.name in names] == []


def test_every_key_of_the_configuration_is_documented() -> None:
    documented = re.findall(r"^``([\w-]+)``$", CONFIGURATION, flags=re.MULTILINE)

    assert sorted(documented) == sorted(KEYS)


@pytest.mark.parametrize("line", [line for line in commands_in(README) if line.startswith("stopper ")])
def test_a_stopper_command_in_the_readme_works(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blog = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", blog)
    monkeypatch.chdir(blog)
    (blog / "pyproject.toml").write_text("[tool.stopper]\nonline = false\n", encoding="utf-8")

    result = CliRunner().invoke(main, shlex.split(line)[1:])

    assert result.exit_code in {0, 1}, result.output


def test_the_readme_shows_only_commands_that_a_test_knows() -> None:
    unknown = [line for line in commands_in(README) if line.split()[0] not in {"stopper", "make", "pip"}]

    assert unknown == []


def test_the_report_in_the_readme_is_what_the_audit_says() -> None:
    """Line by line, the seconds aside: what stands there is the head of the report and one of its findings."""
    block = README.partition("```text\n")[2].partition("```")[0].strip().splitlines()
    said = re.sub(
        r", [\d.]+ s$", "", text.render(audit(ROOT / "examples" / "blog")), flags=re.MULTILINE
    ).splitlines()
    at = block.index("")  # between the files read and the areas
    areas = block.index("", at + 1)
    found = block[areas + 1 :]

    assert [line.replace("Stopper  ", "") for line in block[:1]] == ["examples/blog"]
    assert block[1:areas] == said[1:areas]
    assert found == said[said.index(found[0]) :][: len(found)]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_a_make_word_that_is_shown_is_in_the_makefile(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    words = [line.split()[1] for line in commands_in(text) if line.startswith("make ")]

    assert words
    assert [word for word in words if f"\n{word}:" not in MAKEFILE] == []


def shown(name: str) -> str:
    """Return what stands in the README between the marks of a benchmark."""
    return README.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


def test_each_verdict_on_an_application_is_one_of_three_and_says_why_it_is_not_right() -> None:
    slugs = {rule.slug for rule in discover()}
    told = tomllib.loads((ROOT / "benchmarks" / "applications.toml").read_text(encoding="utf-8"))
    for name, app in told["app"].items():
        marks = [mark for group in app["judged"] for mark in group["findings"]]
        assert len(marks) == len(set(marks)), name
        for group in app["judged"]:
            assert group["verdict"] in ("right", "arguable", "false"), group
            assert group["verdict"] == "right" or group["why"], group
            assert group["rule"] in slugs, group


@pytest.mark.parametrize("name", ["accuracy", "first_sight", "speed"])
def test_the_table_in_the_readme_is_the_one_that_was_measured(name: str) -> None:
    file = ROOT / "benchmarks" / f"{name}.md"
    measured = file.read_text(encoding="utf-8").strip() if file.exists() else ""

    assert shown(name) == measured, f"run benchmarks/{name}.py --readme"


def test_the_readme_shows_no_table_that_nobody_measured() -> None:
    rest = README.replace(shown("accuracy"), "").replace(shown("first_sight"), "").replace(shown("speed"), "")

    assert "|---" not in rest.partition("## See it")[2]


def test_the_numbers_beside_the_judges_are_those_that_they_gave() -> None:
    judged = (ROOT / "benchmarks" / "judges.md").read_text(encoding="utf-8")
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("guard.rst", "live.rst")]
    told = [one for page in pages for one in page.split("\n\n") if "benchmarks/judges.py" in one]

    assert len(told) == 2
    assert [
        number
        for one in told
        for number in re.findall(r"\d+", one)
        if not re.search(rf"\b{number}\b", judged)
    ] == []
