"""What is encrypted must stay secret: no broken ciphers, and no code books.

DES, RC4, Blowfish and their like can be broken with today's machines. ECB encrypts equal blocks alike, so that what was encrypted
shows through, and blocks can be swapped. RSA keys of fewer than 2048 bits can be factored.

Use `cryptography.fernet.Fernet`, or AES in GCM mode with a fresh nonce.

Bad::

    import os

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/seal")
    def seal():
        encryptor = Cipher(algorithms.AES(bytes.fromhex(os.environ["KEY"])), modes.ECB()).encryptor()
        return encryptor.update(request.get_data()).hex()

Good::

    import os

    from cryptography.fernet import Fernet
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/seal")
    def seal():
        return Fernet(os.environ["KEY"]).encrypt(request.get_data())

Bad::

    import os

    from Crypto.Cipher import DES
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/seal")
    def seal():
        return DES.new(bytes.fromhex(os.environ["KEY"]), DES.MODE_CBC).encrypt(request.get_data()).hex()

References:
    - CWE-327
    - CWE-326
    - ASVS 5.0 V11.3.1
    - https://cryptography.io/en/latest/fernet/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.code import Call
from stopper.source.project import Project

_BROKEN = ("ARC2", "ARC4", "Blowfish", "CAST", "DES", "DES3", "XOR")
_MODERN = "cryptography.hazmat.primitives.ciphers"
_OLD = ("ARC4", "Blowfish", "CAST5", "IDEA", "RC2", "SEED", "TripleDES")
_CIPHERS = (
    *(f"{package}.Cipher.{name}.new" for package in ("Crypto", "Cryptodome") for name in _BROKEN),
    *(f"{_MODERN}.algorithms.{name}" for name in _OLD),
    *(f"cryptography.hazmat.decrepit.ciphers.algorithms.{name}" for name in _OLD),
    *("pyDes.des", "pyDes.triple_des"),
)
_BOOKS = ("Crypto.Cipher.AES.new", "Cryptodome.Cipher.AES.new", f"{_MODERN}.modes.ECB")
_KEYS = {
    "cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key": (1, "key_size"),
    "cryptography.hazmat.primitives.asymmetric.dsa.generate_private_key": (0, "key_size"),
    "Crypto.PublicKey.RSA.generate": (0, "bits"),
    "Cryptodome.PublicKey.RSA.generate": (0, "bits"),
}


class WeakEncryption(Rule):
    """Look for ciphers that are broken, for ECB, and for RSA keys that are short."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (327, 326)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that makes a weak cipher or a short key."""
        for call in own_calls(project, *_CIPHERS, *_BOOKS, *_KEYS):
            message = _weakness(call)
            if message:
                yield self.found(
                    call.location, message, confidence=Confidence.HIGH, remedy="cryptography.fernet.Fernet(key)",
                    context=f"{call.function} {call.name}",
                )  # fmt: skip


def _weakness(call: Call) -> str:
    """Return what is weak about what a call makes, "" where nothing is."""
    if call.name in _KEYS:
        size = constant(call.argument(*_KEYS[call.name]))
        return f"a key of {size} bits can be factored" if isinstance(size, int) and size < 2048 else ""
    if call.name in _CIPHERS:
        name = call.name.removesuffix(".new").rpartition(".")[2]
        return f"{name} is broken: what it encrypts can be read without the key"
    if call.name.endswith(".new"):
        mode = call.argument(1, "mode")
        if mode is None or not (mode.name or mode.source).endswith("MODE_ECB"):
            return ""
    return "ECB encrypts equal blocks alike, so that what was encrypted shows through"
