"""Ask an ACME server (RFC 8555): an account, an order, the challenges, the certificate."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import josepy
import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from stopper.certs.challenge import Place
from stopper.certs.problems import of_validation, sentence
from stopper.certs.store import Store
from stopper.errors import CertificateError

PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
"""Let's Encrypt's server for trying things: its certificates are not trusted, its limits are wide."""
NONCE_TRIES = 6
"""How often a request is sent again after badNonce; the library itself does it once."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Registration:
    """How to be known at a server."""

    email: str = ""
    eab_kid: str = ""
    """The key identifier of an external account (RFC 8555, section 7.3.4)."""
    eab_key: str = ""
    """Its MAC key, in base64url."""


class Authority:
    """An ACME server, and our account there."""

    def __init__(
        self,
        server: str,
        store: Store,
        *,
        ca: Path | None = None,
        registration: Registration = Registration(),
        seconds: float = 120,
    ) -> None:
        """Take the directory's URL, where accounts are kept, a file of further authorities, and how long an order may take."""
        self.server, self.store, self.registration, self.seconds = server, store, registration, seconds
        self._ca = ca
        self._client: client.ClientV2 | None = None

    def obtain(self, names: Sequence[str], place: Place, key: bytes) -> bytes:
        """Return the chain for a key's certificate, in PEM.

        Args:
            names: The host names, the first one first.
            place: Where the answers of the challenges are shown.
            key: The private key, in PEM.

        Raises:
            CertificateError: It cannot be had; the sentence says what to do next.
        """
        with _explained(", ".join(names)):
            account = self._account()
            order = self._again(lambda: account.new_order(crypto_util.make_csr(key, list(names))))
            shown: list[str] = []
            try:
                for authorization in order.authorizations:
                    if authorization.body.status == messages.STATUS_PENDING:
                        shown.append(self._answer(account, authorization, place))
                deadline = datetime.now() + timedelta(seconds=self.seconds)  # noqa: DTZ005 - the library compares with naive local time
                order = self._again(lambda: account.poll_authorizations(order, deadline))
                with contextlib.suppress(_NotReadyError):
                    self._again(lambda: _begun(account, order))
                order = self._again(lambda: account.poll_finalization(order, deadline))
            finally:
                for token in shown:
                    place.take(token)
            return str(order.fullchain_pem).encode()

    def revoke(self, chain: bytes, reason: int = 0) -> None:
        """Revoke a certificate (RFC 5280, section 5.3.1, for the reasons)."""
        with _explained("the certificate"):
            account = self._account()
            self._again(lambda: account.revoke(x509.load_pem_x509_certificate(chain), reason))

    def suggested(self, chain: bytes) -> datetime | None:
        """Return when the server suggests to renew (RFC 9773), or None where it does not say."""
        try:
            with _explained("renewal information"):
                when, _ = self._account().renewal_time(chain)
        except (CertificateError, errors.ARIError):
            return None
        return when.astimezone(UTC) if when is not None else None

    def _answer(self, account: client.ClientV2, authorization: Any, place: Place) -> str:
        """Show the answer of a challenge and tell the server; return its token."""
        challenge = next(
            (one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01)), None
        )
        name = authorization.body.identifier.value
        if challenge is None:
            raise CertificateError(
                f"{name}: the authority offers no challenge over HTTP for it; a name with * needs DNS, which Stopper does not do"
            )
        assert account.net.key is not None
        response, validation = challenge.response_and_validation(account.net.key)
        token = str(challenge.chall.encode("token"))
        place.put(token, str(validation))
        self._again(lambda: account.answer_challenge(challenge, response))
        return token

    def _account(self) -> client.ClientV2:
        """Return the client with its account: the one that is kept, found again, or a new one."""
        if self._client is not None:
            return self._client
        kept = self.store.account(self.server)
        key = (
            josepy.jwk.JWK.from_json(kept["key"])
            if kept
            else josepy.jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
        )
        verify: Any = str(self._ca) if self._ca else True  # requests takes the path of a file here too
        net = client.ClientNetwork(
            key,
            alg=josepy.jwa.ES256,
            user_agent=f"stopper/{version('stopper')}",
            verify_ssl=verify,
            timeout=30,
        )
        directory = self._again(lambda: client.ClientV2.get_directory(self.server, net))
        account = client.ClientV2(directory, net)
        net.account = self._registered(account, kept)
        self.store.save_account(self.server, {"key": key.to_json(), "uri": net.account.uri})
        self._client = account
        return account

    def _registered(self, account: client.ClientV2, kept: dict[str, Any] | None) -> Any:
        """Return our registration: the server forgets accounts, and may know the key although we forgot its address."""
        if kept and kept.get("uri"):
            known = messages.RegistrationResource(uri=kept["uri"], body=messages.Registration())
            account.net.account = known
            try:
                return self._again(lambda: account.query_registration(known))
            except messages.Error as error:
                if error.code not in ("accountDoesNotExist", "malformed", "unauthorized"):
                    raise
                account.net.account = None
        try:
            return self._again(lambda: account.new_account(self._new(account)))
        except errors.ConflictError as error:
            return messages.RegistrationResource(uri=error.location, body=messages.Registration())

    def _new(self, account: client.ClientV2) -> messages.NewRegistration:
        words: dict[str, Any] = {"terms_of_service_agreed": True}
        if self.registration.email:
            words["email"] = self.registration.email
        if self.registration.eab_kid:
            assert account.net.key is not None
            words["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                account.net.key.public_key(),
                self.registration.eab_kid,
                self.registration.eab_key,
                account.directory,
            )
        return messages.NewRegistration.from_data(**words)

    def _again(self, ask: Callable[[], _T]) -> _T:
        """Return what a request gives, sent again where the server refuses its own nonce or is short of breath."""
        for number in range(NONCE_TRIES):
            try:
                return ask()
            except messages.Error as error:
                if error.code != "badNonce" or number == NONCE_TRIES - 1:
                    raise
                time.sleep(0.05 * number)
        raise AssertionError("the last try returns or raises")


class _NotReadyError(Exception):
    """The order is not ready to be finalized yet: polling goes on."""


def _begun(account: client.ClientV2, order: Any) -> Any:
    try:
        return account.begin_finalization(order)
    except messages.Error as error:
        if error.code == "orderNotReady":
            raise _NotReadyError from error
        raise


def new_key(kind: str = "ec") -> bytes:
    """Return a new private key in PEM: P-256, or RSA with 3072 bits where ``kind`` is ``rsa``."""
    key = rsa.generate_private_key(65_537, 3072) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn everything that goes wrong on the way into a CertificateError with the next step."""
    try:
        yield
    except errors.ValidationError as error:
        raise CertificateError(of_validation(error)) from error
    except errors.IssuanceError as error:
        raise CertificateError(sentence(what, error.error.code or "", error.error.detail or "")) from error
    except messages.Error as error:
        raise CertificateError(sentence(what, error.code or "", error.detail or "")) from error
    except errors.TimeoutError as error:
        raise CertificateError(
            f"{what}: the authority had not decided when the time was over; try again in some minutes"
        ) from error
    except requests.exceptions.SSLError as error:
        raise CertificateError(
            f"{what}: the server's own certificate is not trusted; name its authority with --ca ({error})"
        ) from error
    except requests.exceptions.RequestException as error:
        raise CertificateError(
            f"{what}: the ACME server cannot be reached; check the network and --server ({type(error).__name__})"
        ) from error
    except (errors.Error, josepy.errors.Error, json.JSONDecodeError, KeyError) as error:
        raise CertificateError(
            f"{what}: the server's answer could not be understood ({type(error).__name__}: {error})"
        ) from error
