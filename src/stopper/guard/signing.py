"""Sign as itsdangerous does, with what does not change computed once: the derived keys, and the signer itself.

What is signed is read by itsdangerous, and the other way round: only the time it takes differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.serializer import Serializer

SHORT: Final = 200
"""A payload of fewer bytes is not compressed: it would hardly get shorter."""


class Signer(TimestampSigner):
    """A signer that derives each key once."""

    def derive_key(self, secret_key: Any = None) -> bytes:
        """Return the key that is derived from one of the secret keys, the newest unless one is named."""
        known: dict[bytes, bytes] = self.__dict__.setdefault("_derived", {})
        key = self.secret_keys[-1] if secret_key is None else secret_key
        found = known.get(key)
        if found is None:
            found = known[key] = super().derive_key(key)
        return found


class Tokens(URLSafeTimedSerializer):
    """A serializer with one signer for as long as it lives; it keeps no state between calls, so threads may share it."""

    def __init__(
        self,
        keys: Sequence[str | bytes],
        salt: str,
        serializer: Any = None,
        digest: Callable[..., Any] = hashlib.sha1,
        derivation: str = "django-concat",
    ) -> None:
        kwargs = {"key_derivation": derivation, "digest_method": digest}
        super().__init__(list(keys), salt=salt, serializer=serializer, signer=Signer, signer_kwargs=kwargs)  # type: ignore[arg-type]
        self._signer = super().make_signer(salt)

    def make_signer(self, salt: str | bytes | None = None) -> Any:
        """Return the signer; another one for another salt."""
        return self._signer if salt is None else super().make_signer(salt)

    def iter_unsigners(self, salt: str | bytes | None = None) -> Iterator[Any]:
        """Yield the one signer, which knows all keys."""
        yield self.make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        """Return a payload, compressed only where that is worth its time."""
        plain = Serializer.dump_payload(self, obj)
        return base64_encode(plain) if len(plain) < SHORT else super().dump_payload(obj)
