"""Stopper: the Flask security checklist as software."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stopper.guard.extension import Stopper as Stopper

__version__ = "0.1.0"
__all__ = ["Stopper", "__version__"]


def __getattr__(name: str) -> object:
    """Import the Flask extension when it is first asked for, so that the command line need not wait for Flask."""
    if name != "Stopper":
        raise AttributeError(f"module 'stopper' has no attribute {name!r}")
    from stopper.guard.extension import Stopper

    return Stopper
