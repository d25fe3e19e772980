"""Which exceptions, and what of them, is written for the client to read."""

from __future__ import annotations

import re
from typing import Final

from stopper.taint.flow import Flow

WORDED: Final = frozenset(("UploadRefusedError",))
"""Exceptions of libraries whose text is written for users, and says so."""
_FIELDS: Final = frozenset(("description", "code", "name"))
"""What an HTTPException holds for the client: what abort() was given, or the status's own words."""
_KEY: Final = re.compile(r"""(["'])\w+\1""")
"""A text that is one word, such as the key of a dictionary."""


def only_worded(flow: Flow) -> bool:
    """Tell whether the answer takes nothing of the exception but what an HTTPException holds for the client."""
    name = flow.source.rpartition(" ")[2]
    if not name.isidentifier() or flow.sink.line != flow.sink.end_line:
        return False
    code = _KEY.sub("", flow.steps[-1].code)
    used = re.findall(rf"\b{name}\b(?:\.(\w+))?(?!\s*=)", code)
    return "description" in used and set(used) <= _FIELDS
