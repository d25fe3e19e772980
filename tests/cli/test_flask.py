"""The same verbs hang on Flask's own command line."""

import shutil
import subprocess
import sys
from pathlib import Path

BLOG = Path(__file__).parents[2] / "examples" / "blog"


def test_flask_knows_the_verbs_of_stopper(tmp_path: Path) -> None:
    blog = tmp_path / "blog"
    shutil.copytree(BLOG, blog, ignore=shutil.ignore_patterns("instance", "__pycache__"))

    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "blog", "stopper", "audit", "--area", "sql"],
        cwd=blog,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "sql-injection" in done.stdout
