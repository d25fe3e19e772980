"""Stopper: the Flask security checklist as software."""

__version__ = "0.1.0"
