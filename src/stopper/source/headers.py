"""Where application code writes response headers by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Location
from stopper.source.files import Role
from stopper.source.project import Project


def stored_headers(project: Project, *names: str) -> Iterator[tuple[str, Location]]:
    """Yield each response header of the names given, in lower case, that application code writes, and where; reading one does not count."""
    written = re.compile(rf"(?<!get\()(['\"])({'|'.join(map(re.escape, names))})\1", re.IGNORECASE)
    for module in project.modules:
        if module.role is not Role.APP or not any(
            name in module.text.lowered for name in map(str.lower, names)
        ):
            continue
        for match in written.finditer(module.text.content):
            yield match[2].lower(), module.text.location(module.path, *match.span())
