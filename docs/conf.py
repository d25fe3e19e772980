"""Configure Sphinx; the pages of the rules and of the commands are written before each build."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

from stopper import __version__

sys.path.insert(0, str(Path(__file__).parent))

project = "Stopper"
author = copyright = "The Stopper authors"
release = version = __version__
html_theme = "furo"
html_title = f"Stopper {release}"
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
highlight_language = "text"
suppress_warnings = ["misc.highlighting_failure"]  # Bad examples may be broken on purpose


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx reads the folder."""
    import generate

    generate.write(Path(app.srcdir) / "rules")
