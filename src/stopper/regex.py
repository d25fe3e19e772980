"""Regular expressions that are compiled when they are first asked.

For those that most projects leave unasked: to compile all of them takes longer than to load the rules that hold them. The others
are ``re``'s own, which are asked in less time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["regex"]

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # noqa: N801 - called as `re.compile` is, and stands for what it returns
        """One regular expression, with the methods of ``re.Pattern``."""

        def __init__(self, pattern: str, flags: int = 0) -> None:
            """Keep the text; what is wrong with it is told when it is first asked."""
            self.pattern = pattern
            self._flags = flags

        def __getattr__(self, name: str) -> Any:
            """Compile, and keep what was asked for at hand."""
            found = getattr(re.compile(self.pattern, self._flags), name)
            setattr(self, name, found)
            return found
