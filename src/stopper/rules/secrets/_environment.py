"""What the rules about files of environment variables share: whether such a file gives anything away."""

from __future__ import annotations

from stopper.source.credentials import (
    is_placeholder,
    is_secret_name,
    passwords_in_urls,
    provider_credentials,
)

_SHORTEST = 3
"""How many characters a value has that could keep anything secret."""
_PATHS = ("/", "./", "../", "~", "http://", "https://")


def gives_secret(text: str) -> bool:
    """Tell whether a file of environment variables gives a secret a value: more than a digit, a path or a placeholder."""
    return any(map(_is_secret, text.splitlines()))


def _is_secret(line: str) -> bool:
    if provider_credentials(line) or passwords_in_urls(line):
        return True
    name, _, value = line.strip().removeprefix("export ").partition("=")
    value = value.strip().strip("\"'")
    given = len(value) >= _SHORTEST and not value.startswith(_PATHS) and not is_placeholder(value)
    return given and is_secret_name(name.strip())
