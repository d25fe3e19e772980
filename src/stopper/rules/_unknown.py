"""Values of which the code does not show where they come from."""

from __future__ import annotations

import re

from stopper.regex import regex
from stopper.source.assembly import is_checked, is_closed, sources_of
from stopper.source.code import Expr

ORIGIN = "where that comes from is not seen here"
"""What a finding says that rests on no flow."""
_OWN = ("sys.executable", "sys.argv[0]", "__file__")
_LOCATED = ("shutil.which", "distutils.spawn.find_executable")
_TYPED = re.compile(r"\bsys\.argv\[(?!0\])|(?<![\w.])(?:raw_)?input\(")
_CONFIGURED = regex(
    r"(?<![a-z])(?:config|settings|conf|options)(?![a-z])|^(?:self|cls)\._?[a-z_]+$", re.IGNORECASE
)


def is_unknown(expr: Expr | None) -> bool:
    """Tell whether an expression may be anything: not what the author wrote, set up, or looked up in a list."""
    return expr is not None and not is_closed(expr) and not is_own(expr) and not is_checked(expr)


def is_own(expr: Expr) -> bool:
    """Tell whether an expression is the interpreter, a program found by its constant name, or a setting."""
    if expr.name in _OWN or _CONFIGURED.search(expr.source):
        return True
    call = expr.call
    given = call.argument(0) if call is not None and call.name in _LOCATED else None
    return given is not None and is_closed(given)


def is_typed_in(expr: Expr) -> bool:
    """Tell whether an expression is read from the command line or the terminal: no flow from a view tells of that."""
    return any(_TYPED.search(text) for text in sources_of(expr))
