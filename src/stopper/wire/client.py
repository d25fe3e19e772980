"""The only HTTP client of Stopper: one host, safe methods, and a budget of requests and seconds that it never exceeds.

Redirects are never followed by themselves. Whatever a server does (slow, endless, malformed, hostile answers) ends with an ``Exchange``.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

import httpx

from stopper import __version__
from stopper.errors import UsageError
from stopper.records import dataclass, field
from stopper.wire.exchange import Exchange

AGENT = f"Stopper/{__version__} (security check of this site; asked for by whoever runs it)"
BODY_BYTES = 512 * 1024
"""How much of an answer is read."""
SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Budget:
    """What a look at a site may cost at most."""

    requests: int = 80
    seconds: float = 30.0
    """For all requests together."""
    each: float = 8.0
    """For one request, from the connection to the last byte, in seconds."""
    at_once: int = 4
    """How many requests may be under way at the same time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The host that may be asked, and its two ports."""

    host: str
    port: int
    plain_port: int = 80
    """The port that answers plain HTTP."""
    scheme: str = "https"

    @classmethod
    def of(cls, url: str, plain_port: int | None = None) -> Origin:
        """Return the origin of a URL.

        Raises:
            UsageError: The URL is none, or has no host.
        """
        parts = _split(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise UsageError(f"--url {url!r}: write it whole, as in https://blog.example.org/")
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        plain = plain_port or (port if parts.scheme == "http" else 80)
        return cls(parts.hostname, port, plain, parts.scheme)

    def url(self, path: str, scheme: str | None = None) -> str:
        """Return the URL of a path on this host."""
        scheme = scheme or self.scheme
        port = self.port if scheme == self.scheme else self.plain_port
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
        return f"{scheme}://{host}{shown}{path if path.startswith('/') else f'/{path}'}"

    def holds(self, url: str) -> bool:
        """Tell whether a URL stays on this host and its two ports."""
        try:
            parts = _split(url)
        except UsageError:
            return False
        if parts.scheme not in DEFAULT_PORTS or (parts.hostname or "").lower() != self.host.lower():
            return False
        return (parts.port or DEFAULT_PORTS[parts.scheme]) in (self.port, self.plain_port)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no URL: {error}") from error
    return parts


@dataclass(slots=True)
class Spent:
    """What a look has cost so far."""

    requests: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the time since the first question, in seconds."""
        return time.monotonic() - self.began


class Client:
    """Ask one host within a budget; used as ``async with``."""

    def __init__(
        self, origin: Origin, budget: Budget, *, ca: Path | None = None, active: bool = False
    ) -> None:
        """Take the host, the budget, a file of further authorities, and whether unsafe methods are allowed."""
        self.origin = origin
        self.budget = budget
        self.active = active
        self.spent = Spent()
        self.verified = True
        """Whether the certificate was trusted; the first refusal is remembered, and the look goes on without."""
        self.refusal = ""
        """Why the certificate was not trusted."""
        self._ca = ca
        self._slots = asyncio.Semaphore(budget.at_once)
        self._http = self._session(verify=True)

    async def __aenter__(self) -> Self:
        """Open nothing yet: connections are made when something is asked."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self,
        purpose: str,
        path: str,
        *,
        method: str = "GET",
        scheme: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Exchange:
        """Return the answer to one request; what the budget does not allow is an exchange without an answer."""
        url = path if "://" in path else self.origin.url(path, scheme)
        given = tuple((headers or {}).items())
        blank = Exchange(purpose, method, url, given)
        if not self.origin.holds(url):
            return _failed(blank, "not asked: another host")
        if method not in SAFE and not self.active:
            return _failed(blank, "not asked: only --active sends it")
        if self.spent.requests >= self.budget.requests or self.spent.seconds >= self.budget.seconds:
            return _failed(blank, "not asked: the budget is spent")
        self.spent.requests += 1
        async with self._slots:
            return await self._timed(blank, body)

    async def _timed(self, blank: Exchange, body: bytes | None) -> Exchange:
        left = min(self.budget.each, max(0.0, self.budget.seconds - self.spent.seconds))
        began = time.monotonic()
        try:
            async with asyncio.timeout(left):
                return await self._exchange(blank, body, began)
        except TimeoutError:
            return _failed(blank, f"no whole answer within {left:.0f} seconds")
        except httpx.ConnectError as error:
            if self.verified and "CERTIFICATE_VERIFY_FAILED" in str(error):
                return await self._unverified(blank, body, str(error))
            return _failed(blank, f"no connection: {error}")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            return _failed(blank, f"{type(error).__name__}: {error}"[:300])

    async def _unverified(self, blank: Exchange, body: bytes | None, why: str) -> Exchange:
        """Go on without trust: what a site with a wrong certificate sends is still worth reading. It counts as a request more."""
        self.verified, self.refusal = False, why
        await self._http.aclose()
        self._http = self._session(verify=False)
        self.spent.requests += 1
        return await self._timed(blank, body)

    async def _exchange(self, blank: Exchange, body: bytes | None, began: float) -> Exchange:
        async with self._http.stream(
            blank.method, blank.url, headers=dict(blank.sent), content=body
        ) as answer:
            received, cut = bytearray(), False
            error = ""
            try:
                # Not decoded: nothing grows beyond what was sent.
                async for piece in answer.aiter_raw(16_384):
                    received += piece
                    if len(received) > BODY_BYTES:
                        cut = True
                        break
            except (httpx.HTTPError, TimeoutError) as problem:
                error = f"not read to its end: {type(problem).__name__}"
                cut = True
            headers = tuple((name.lower(), value) for name, value in answer.headers.multi_items())
            text = bytes(received[:BODY_BYTES]).decode(_charset(answer), "replace")
            return Exchange(
                blank.purpose,
                blank.method,
                blank.url,
                blank.sent,
                answer.status_code,
                headers,
                text,
                cut,
                time.monotonic() - began,
                error,
            )

    def _session(self, *, verify: bool) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(self._ca) if self._ca else None)
        if self._ca:
            context.load_default_certs()
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return httpx.AsyncClient(
            verify=context, follow_redirects=False, trust_env=False, timeout=self.budget.each,
            headers={"User-Agent": AGENT, "Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "identity"},
        )  # fmt: skip


def _charset(answer: httpx.Response) -> str:
    try:
        return answer.encoding or "utf-8"
    except LookupError:
        return "utf-8"


def _failed(blank: Exchange, why: str) -> Exchange:
    return Exchange(blank.purpose, blank.method, blank.url, blank.sent, error=why)
