"""`stopper debug`: how the taint engine reads a file, stage by stage."""

from __future__ import annotations

from pathlib import Path

import click

from stopper.errors import UsageError

STAGES = ("ir", "calls", "summaries")
"""The stages, in the order of the work."""


@click.command("debug", short_help="Show how the taint engine reads a file.")
@click.argument("stage", type=click.Choice(STAGES))
@click.argument("file", type=click.Path(path_type=Path))
def command(stage: str, file: Path) -> None:
    """Print one STAGE of the taint engine for FILE.

    ir: the operations that its functions become. calls: who calls whom, as far as names say. summaries: what each function does
    with tainted parameters. The file is read as part of the folder that you stand in, or else of its own.
    """
    from stopper.source.files import walk
    from stopper.source.project import Project
    from stopper.taint.printing import printed

    if not file.is_file():
        raise UsageError(f"there is no file {file}; name a Python file of the project")
    here = Path.cwd()
    inside = file.resolve().is_relative_to(here.resolve())
    wanted = file.resolve()
    projects = (Project(walk(place)) for place in (here if inside else wanted.parent, wanted))
    project, module = next(
        (
            (project, one)
            for project in projects
            for one in project.modules
            if one.file.absolute.resolve() == wanted
        ),
        (None, None),
    )
    if project is None or module is None:
        raise UsageError(f"{file} is not read as Python of this project; name a file that ends in .py")
    click.echo(printed(project, module, stage), nl=False)
