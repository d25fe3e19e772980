"""List every guard, in the order in which they look at a request."""

from __future__ import annotations

from typing import Final

from stopper.guard.guard import Guard
from stopper.guard.headers import Headers

GUARDS: Final[tuple[type[Guard], ...]] = (Headers,)
"""The guards; the checks of the first run first."""

NAMES: Final = tuple(guard.name for guard in GUARDS)
"""The names of the guards, as `stopper.exempt` and `STOPPER_<NAME>` take them."""
