"""A hash that is meant to protect something must not be MD5 or SHA-1.

Two texts of one MD5, or of one SHA-1, can be made at will. Where the hash only sorts, caches or labels that does no harm, and
``usedforsecurity=False`` says so, to the reader and to Pythons that allow no others.

Bad::

    import hashlib
    from flask import Flask

    app = Flask(__name__)

    def sign(order):
        return hashlib.md5(order).hexdigest()

Good::

    import hashlib
    from flask import Flask

    app = Flask(__name__)

    def sign(order):
        return hashlib.sha256(order).hexdigest()

Good::

    import hashlib
    from flask import Flask

    app = Flask(__name__)

    def colour(order):
        return hashlib.md5(order, usedforsecurity=False).hexdigest()[:6]

References:
    - CWE-327
    - CWE-328
    - ASVS 5.0 V11.4.1
    - https://docs.python.org/3/library/hashlib.html#hashlib.new
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import constant, function_text, own_calls
from stopper.rules.secrets._hashes import BROKEN, hashes_password, is_excused, is_token
from stopper.source.code import Call
from stopper.source.project import Project

_BROKEN = tuple(f"hashlib.{name}" for name in sorted(BROKEN))
_OTHERS = tuple(
    f"{home}.Hash.{name}.new"
    for home in ("Crypto", "Cryptodome")
    for name in ("MD2", "MD4", "MD5", "SHA", "SHA1")
)
_SECRET = regex(r"passw|pwd|passphrase|token|secret", re.IGNORECASE)
_PURPOSE = regex(
    r"(?<![a-z])(?:e?tags?|check_?sums?|md5(?:_?sum)?|sha1(?:_?sum)?|shas?|digests?|cache\w*|keys?|fingerprints?|gravatars?|avatars?"
    r"|e?mails?|files?|filenames?|paths?|contents?|streams?|chunks?|blobs?|blocks?|bod(?:y|ies)|images?|pictures?|uuid|slugs?"
    r"|colou?rs?|buckets?|shards?|partition|dedup\w*|versions?|revisions?|names?|urls?|identifiers?|ids?)(?![a-z])",
    re.IGNORECASE,
)


class BrokenHash(Rule):
    """Look for MD5 and SHA-1 where nothing around says that the hash is a label; weak-password-hash tells of passwords and tokens."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (327, 328)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such hash in application code."""
        for call in own_calls(project, *_BROKEN, *_OTHERS, "hashlib.new"):
            name = _algorithm(call)
            if name not in BROKEN or is_excused(call) or _is_label(call) or _is_told(call, project):
                continue
            yield self.found(
                call.location,
                f"{name} is broken, and nothing here says whether this hash protects anything",
                confidence=Confidence.LOW,
                remedy="hashlib.sha256(data)  # or usedforsecurity=False where it is only a label",
                context=f"{call.function} {name}",
            )


def _algorithm(call: Call) -> str:
    """Return the name of the hash, in small letters."""
    if call.name != "hashlib.new":
        name = call.name.removesuffix(".new").rpartition(".")[2].lower()
        return {"sha": "sha1", "md2": "md4"}.get(name, name)
    return str(constant(call.argument(0, "name"))).lower().replace("-", "")


def _is_label(call: Call) -> bool:
    """Tell whether the function, the line or the file says that the hash names, compares or sorts something."""
    words = call.code.replace(call.target.source, "")
    home = re.sub(r"(?i)md5|sha-?1", " ", call.module.name.rpartition(".")[2])
    where = call.function.rpartition(".")[2]
    texts = (where, words, call.source, home, _fed(call))
    return "digest()[" in call.code or any(_PURPOSE.search(_spaced(text)) for text in texts)


def _fed(call: Call) -> str:
    """Return the lines that feed a hash which was begun with nothing."""
    lines = function_text(call).splitlines() if not call.arguments else []
    return " ".join(line for line in lines if ".update(" in line)


def _spaced(text: str) -> str:
    """Return a text without what names the algorithm, and with the words of its names apart."""
    bare = re.sub(
        r"(?i)hashlib\.\w+|\w+\.new|hex_?digest|digest|name=|[\"'](?:md4|md5|sha-?1)[\"']", " ", text
    )
    return bare.replace("_", " ")


def _is_told(call: Call, project: Project) -> bool:
    """Tell whether weak-password-hash tells of a hash."""
    if not call.arguments and _SECRET.search(_fed(call)):
        return True
    return call.name.startswith("hashlib.") and (hashes_password(call, project) or is_token(call))
