"""Stopper's own tables: TOML beside the module that asks for it, compiled as a module is.

To read TOML takes fifty times as long as to load what Python compiled of it. So Python's own loader reads the file: it keeps the
compiled form in ``__pycache__``, where it may, and compiles anew when the file's size or time changed.
"""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class _Loader(SourceFileLoader):
    """Compiles a TOML file to a module with one name, ``TABLE``."""

    def source_to_code(self, data: Any, path: Any, *_: Any, **__: Any) -> CodeType:  # type: ignore[override]
        """Return the code that makes the table; called when nothing compiled is kept or the file changed."""
        import tomllib  # late: a table that is compiled needs no reader

        code: CodeType = compile(f"TABLE = {tomllib.loads(bytes(data).decode())!r}", path, "exec")
        return code


def read_table(path: Path) -> dict[str, Any]:
    """Return what a TOML file of Stopper's own holds; its name without the ending must be no module's in the same folder.

    Raises:
        OSError: There is no such file.
        tomllib.TOMLDecodeError: It is not TOML.
    """
    module = ModuleType(f"{__name__}.{path.stem}")
    _Loader(module.__name__, str(path)).exec_module(module)
    table: dict[str, Any] = module.TABLE
    return table
