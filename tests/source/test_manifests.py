"""What a project depends on is read from every kind of manifest, and a lock answers for what a manifest leaves open."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import packaging.requirements
import packaging.utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopper.source.files import walk
from stopper.source.manifests import Manifests, read
from stopper.source.requirement import Manifest, Requirement, is_development, normalise, parse_requirement


@pytest.fixture
def manifests_of(tmp_path: Path):
    def build(**files: str) -> Manifests:
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text).lstrip("\n"))
        return read(walk(tmp_path))

    return build


def one(manifests: Manifests, name: str, path: str) -> Requirement:
    [found] = [each for each in manifests.named(name) if each.location.path == path]
    return found


def test_a_requirements_file_is_read_line_by_line(manifests_of):
    manifests = manifests_of(
        **{
            "requirements.txt": """
            # the web
            Flask==3.1.3  # pinned
            Flask_Login[extra]>=0.6,<1 ; python_version > "3.8"
            -e git+https://example.com/billing.git@main#egg=Example.Billing
            ./local
            """
        }
    )

    flask, login, billing = manifests.requirements
    assert (flask.name, flask.pinned, flask.hashed, flask.location.line) == ("flask", "3.1.3", False, 2)
    assert (login.name, login.pinned, login.marker) == ("flask-login", None, 'python_version > "3.8"')
    assert (billing.name, billing.url.startswith("git+https://")) == ("example-billing", True)
    assert manifests.skipped == ()


def test_hashes_on_continued_lines_belong_to_their_requirement(manifests_of):
    manifests = manifests_of(
        **{
            "requirements.txt": """
            flask==3.1.3 \\
                --hash=sha256:00 \\
                --hash=sha256:01
                # via -r requirements.in
            click==8.1.7 \\
                --hash=sha256:02
                # via flask
            """
        }
    )

    flask, click = manifests.requirements
    assert flask.hashed
    assert click.hashed
    assert flask.direct
    assert not click.direct
    assert click.location.line == 5


def test_includes_and_constraints_are_followed(manifests_of):
    manifests = manifests_of(
        **{
            "requirements.txt": "-r base/common.txt\n-c constraints.txt\n",
            "base/common.txt": "flask\n",
            "constraints.txt": "flask==3.1.3\n",
        }
    )

    flask = one(manifests, "flask", "base/common.txt")
    assert not flask.development
    assert one(manifests, "flask", "constraints.txt").kind is Manifest.CONSTRAINTS


def test_a_file_that_production_includes_is_production(manifests_of):
    manifests = manifests_of(
        **{
            "requirements.txt": "-r requirements-build.txt\n",
            "requirements-build.txt": "flask==3.1.3\n",
            "requirements-dev.txt": "pytest==8.0\n-r requirements.txt\n",
        }
    )

    assert not one(manifests, "flask", "requirements-build.txt").development
    assert one(manifests, "pytest", "requirements-dev.txt").development


def test_an_include_that_is_missing_or_circular_ends_and_is_told(manifests_of):
    manifests = manifests_of(**{"requirements.txt": "-r requirements.txt\n-r gone.txt\nflask==3.1.3\n"})

    assert [each.name for each in manifests.requirements] == ["flask"]
    assert [each.what for each in manifests.skipped] == ["requirements.txt:2"]


def test_a_line_that_is_no_requirement_is_skipped_and_the_rest_is_read(manifests_of):
    manifests = manifests_of(**{"requirements.txt": "flask === = 3\nclick==8.1.7\n"})

    assert [each.name for each in manifests.requirements] == ["click"]
    assert manifests.skipped[0].what == "requirements.txt:1"


PYPROJECT = """
    [project]
    name = "blog"
    requires-python = ">=3.8,<3.9"
    dependencies = [
        "Flask>=3",
        "gunicorn",
    ]
    [project.optional-dependencies]
    postgres = ["psycopg"]
    test = ["pytest"]
    [dependency-groups]
    lint = ["ruff", {include-group = "test"}]
    """
UV_LOCK = """
    version = 1

    [[package]]
    name = "blog"
    source = { virtual = "." }
    dependencies = [{ name = "flask" }]

    [package.dev-dependencies]
    lint = [{ name = "ruff" }]

    [[package]]
    name = "click"
    version = "8.1.7"
    source = { registry = "https://pypi.org/simple" }
    sdist = { url = "https://example.com/click.tar.gz", hash = "sha256:00" }

    [[package]]
    name = "flask"
    version = "3.1.3"
    source = { registry = "https://pypi.org/simple" }
    dependencies = [{ name = "click" }]
    sdist = { url = "https://example.com/flask.tar.gz", hash = "sha256:00" }

    [[package]]
    name = "ruff"
    version = "0.14.0"
    source = { registry = "https://pypi.org/simple" }
    """


def test_pyproject_tells_production_from_development(manifests_of):
    manifests = manifests_of(**{"pyproject.toml": PYPROJECT})

    development = {each.name: each.development for each in manifests.requirements}
    assert development == {"flask": False, "gunicorn": False, "psycopg": False, "pytest": True, "ruff": True}
    assert one(manifests, "flask", "pyproject.toml").location.line == 5
    assert [each.version for each in manifests.python_versions] == ["3.8"]


def test_a_lower_bound_alone_names_no_python(manifests_of):
    manifests = manifests_of(**{"pyproject.toml": '[project]\nname = "blog"\nrequires-python = ">=3.8"\n'})

    assert manifests.python_versions == ()


def test_uv_lock_answers_for_what_pyproject_leaves_open(manifests_of):
    manifests = manifests_of(**{"pyproject.toml": PYPROJECT, "uv.lock": UV_LOCK})

    flask = one(manifests, "flask", "pyproject.toml")
    assert (flask.pinned, flask.hashed, flask.lock.path) == ("3.1.3", True, "uv.lock")
    assert one(manifests, "gunicorn", "pyproject.toml").pinned is None
    assert not one(manifests, "click", "uv.lock").direct
    assert not one(manifests, "click", "uv.lock").development
    assert one(manifests, "ruff", "uv.lock").development
    assert manifests.named("blog") == ()


def test_a_lock_of_another_app_does_not_answer(manifests_of):
    manifests = manifests_of(**{"one/pyproject.toml": PYPROJECT, "two/uv.lock": UV_LOCK})

    assert one(manifests, "flask", "one/pyproject.toml").pinned is None


def test_compiled_requirements_answer_for_their_source(manifests_of):
    manifests = manifests_of(**{"requirements.in": "flask==1.1\n", "requirements.txt": "flask==3.1.3\n"})

    assert one(manifests, "flask", "requirements.in").pinned == "3.1.3"
    assert [each.pinned for each in manifests.versions()] == ["3.1.3"]


def test_poetry_is_read_with_its_lock_and_its_carets(manifests_of):
    manifests = manifests_of(
        **{
            "pyproject.toml": """
            [tool.poetry.dependencies]
            python = "^3.11"
            flask = "^2.2"
            requests = { version = "~1.4.2", extras = ["socks"] }
            [tool.poetry.group.dev.dependencies]
            pytest = "*"
            [[tool.poetry.source]]
            name = "own"
            url = "https://packages.example.com/simple"
            priority = "supplemental"
            """,
            "poetry.lock": """
            [[package]]
            name = "flask"
            version = "2.3.3"
            files = [{file = "flask.whl", hash = "sha256:00"}]
            [package.dependencies]
            click = ">=8"

            [[package]]
            name = "click"
            version = "8.1.7"

            [[package]]
            name = "pytest"
            version = "8.0"
            """,
        }
    )

    flask = one(manifests, "flask", "pyproject.toml")
    assert (flask.specifier, flask.pinned) == (">=2.2,<3", "2.3.3")
    assert one(manifests, "requests", "pyproject.toml").specifier == ">=1.4.2,<1.5"
    assert one(manifests, "pytest", "poetry.lock").development
    assert not one(manifests, "click", "poetry.lock").development
    assert [(each.option, each.safe_order) for each in manifests.indexes] == [("extra-index-url", False)]


def test_pipfile_is_read_with_its_lock(manifests_of):
    manifests = manifests_of(
        **{
            "Pipfile": """
            [[source]]
            url = "https://pypi.org/simple"
            verify_ssl = false
            [packages]
            flask = "*"
            [dev-packages]
            pytest = "*"
            [requires]
            python_version = "3.8"
            """,
            "Pipfile.lock": """
            {"default": {"flask": {"version": "==3.1.3", "hashes": ["sha256:00"]}},
             "develop": {"pytest": {"version": "==8.0"}}}
            """,
        }
    )

    flask = one(manifests, "flask", "Pipfile")
    assert (flask.pinned, flask.hashed) == ("3.1.3", True)
    assert one(manifests, "pytest", "Pipfile.lock").development
    assert [each.version for each in manifests.python_versions] == ["3.8"]
    assert [each.verified for each in manifests.indexes] == [False]


def test_pylock_is_read(manifests_of):
    manifests = manifests_of(
        **{
            "pylock.toml": """
            lock-version = "1.0"
            [[packages]]
            name = "flask"
            version = "3.1.3"
            wheels = [{name = "flask.whl", hashes = {sha256 = "00"}}]
            """
        }
    )

    [flask] = manifests.requirements
    assert (flask.pinned, flask.hashed, flask.location.line) == ("3.1.3", True, 3)


def test_setup_py_is_read_and_never_run(manifests_of, tmp_path: Path):
    manifests = manifests_of(
        **{
            "setup.py": f"""
            from setuptools import setup
            open({str(tmp_path / "ran")!r}, "w")
            needed = ["Flask>=2", "click==8.1.7"]
            setup(install_requires=needed, extras_require={{"test": ["pytest"]}}, python_requires="<3.8")
            """
        }
    )

    assert {each.name: each.pinned for each in manifests.requirements} == {
        "flask": None,
        "click": "8.1.7",
        "pytest": None,
    }
    assert [each.version for each in manifests.python_versions] == ["3.7"]
    assert not (tmp_path / "ran").exists()


def test_what_setup_py_works_out_is_skipped(manifests_of):
    manifests = manifests_of(**{"setup.py": "from setuptools import setup\nsetup(install_requires=load())\n"})

    assert manifests.skipped[0].what == "setup.py:2"


def test_setup_cfg_is_read(manifests_of):
    manifests = manifests_of(
        **{
            "setup.cfg": """
            [options]
            install_requires =
                flask==3.1.3
                # a comment
                click
            [options.extras_require]
            dev = pytest
            """
        }
    )

    assert {each.name: each.development for each in manifests.requirements} == {
        "flask": False,
        "click": False,
        "pytest": True,
    }


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "Pipfile", "poetry.lock", "uv.lock", "pylock.toml", "Pipfile.lock", "setup.cfg"],
)
@pytest.mark.parametrize("text", ["[[[", "package = 3\ndefault = 4\n[tool]\npoetry = 5\n", "{"])
def test_a_malformed_manifest_is_skipped_with_its_reason(manifests_of, name: str, text: str):
    manifests = manifests_of(**{name: text, "requirements.txt": "flask==3.1.3\n"})

    assert [each.name for each in manifests.requirements] == ["flask"]
    assert all(each.reason for each in manifests.skipped)
    if text == "[[[":
        assert [each.what for each in manifests.skipped] == [name]


def test_a_dockerfile_names_images_python_and_indexes(manifests_of):
    manifests = manifests_of(
        Dockerfile="""
            ARG PYTHON=3.8
            FROM node:22 AS assets
            FROM python:${PYTHON}-slim AS base
            RUN pip install --extra-index-url=https://packages.example.com/simple -r requirements.txt
            FROM base
            """
    )

    assert [(each.name, each.tag, each.final) for each in manifests.images] == [
        ("node", "22", False),
        ("python", "3.8-slim", True),
    ]
    assert [each.version for each in manifests.python_versions] == ["3.8"]
    assert [each.url for each in manifests.indexes] == ["https://packages.example.com/simple"]


def test_platform_files_name_a_python(manifests_of):
    manifests = manifests_of(
        **{"runtime.txt": "python-3.9.1\n", ".python-version": "3.10\n", "app.yaml": "runtime: python37\n"}
    )

    assert {each.version for each in manifests.python_versions} == {"3.9.1", "3.10", "3.7"}


@pytest.mark.parametrize(
    "name", ["requirements-dev.txt", "test-requirements.in", "requirementsdocs.txt", "dev", "tests", "lint"]
)
def test_names_that_say_development(name: str):
    assert is_development(name)


@pytest.mark.parametrize("name", ["requirements.txt", "latest", "postgres", "production", "device"])
def test_names_that_do_not(name: str):
    assert not is_development(name)


@pytest.mark.parametrize(
    ("specifier", "below"),
    [("<3", True), ("==2.*", True), ("~=2.3.0", True), (">=3.1.2,<4", False), ("", False), (">=2", False)],
)
def test_whether_every_allowed_version_is_older(specifier: str, below: bool):
    from stopper.finding import Location

    assert Requirement("flask", Location("a"), Manifest.PROJECT, specifier).stays_below("3.1.1") is below


@given(
    st.sampled_from(("", " ", "\t", "\n")),
    st.text("aZ9._-é", min_size=1, max_size=4),
    st.sampled_from(
        ("", " ", "==", " == ", "===", ">=", "~=", "== ==", "[a]==", "[a, b] >=", "!=", "<", ";", " @ ", "(")
    ),
    st.sampled_from(
        (
            "",
            "1",
            "1.0",
            "01.2.3",
            "1.0a1",
            "1.0.post2",
            "1.*",
            "1.0+b",
            "1!2",
            "v1",
            "1.0-1",
            "1 ",
            "1,<2",
            "1.4 , != 1.5,<2",
            "1,",
            "1..2",
        )
    ),
)
@settings(max_examples=600, deadline=None)
def test_a_plain_requirement_is_read_as_the_standard_has_it(
    start: str, name: str, sign: str, version: str
) -> None:
    text = f"{start}{name}{sign}{version}"
    try:
        standard = packaging.requirements.Requirement(text)
    except packaging.requirements.InvalidRequirement:
        assert parse_requirement(text) is None
        return
    parsed = parse_requirement(text)

    assert parsed is not None
    assert (parsed.name, parsed.specifier) == (standard.name, str(standard.specifier))
    assert normalise(parsed.name) == packaging.utils.canonicalize_name(standard.name)
