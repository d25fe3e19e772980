"""Remember hits in Redis or Valkey, in one round trip a request, and go on without it when it is gone.

The connection is that of the ``limits`` library, so that every URL it knows works (``redis://``, ``rediss://``, ``redis+unix://``,
``redis+sentinel://``, ``redis+cluster://``, ``valkey://`` ...). The script is our own: one call slides, judges and counts all limits of a
request by the server's clock, where the library needs one to three calls a limit.

A server that does not answer is left alone for a while that doubles from one second to sixteen; until it is back the local memory decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from limits.errors import ConfigurationError as LimitsConfigurationError
from limits.storage import storage_from_string

from stopper.errors import ConfigurationError
from stopper.guard.rates import Terms
from stopper.guard.stores import Store, Verdict

SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys")
"""How the URLs of storages that speak Redis' protocol begin."""

TIMEOUT: Final = 0.25
"""Seconds to wait for a connection or an answer, at most: what one request in a while pays when the server is gone."""

PAUSES: Final = (1.0, 16.0)
"""Seconds for which a server is left alone after it has failed: at first, and at most."""

SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local windows, tightest, left, part, wait = {}, 0, 0, 2, 0
for i, key in ipairs(KEYS) do
  local amount, period = tonumber(ARGV[i * 4 - 3]), tonumber(ARGV[i * 4 - 2])
  local cost = tonumber(ARGV[i * 4])
  local raw = redis.call('GET', key)
  local hits, total = raw and cmsgpack.unpack(raw) or {}, 0
  local kept = {}
  for at = 1, #hits, 2 do
    if hits[at] > now - period and hits[at] <= now + 60000 then
      kept[#kept + 1], kept[#kept + 2] = hits[at], hits[at + 1]
      total = total + hits[at + 1]
    end
  end
  if total >= amount then
    return {i - 1, i - 1, 0, kept[1] + period - now}
  end
  local rest = amount - total - cost
  if rest / amount < part then
    tightest, left, part = i - 1, rest, rest / amount
    wait = kept[1] and kept[1] + period - now or period
  end
  windows[i] = kept
end
for i, key in ipairs(KEYS) do
  if ARGV[i * 4] == '1' then
    local period, grain, hits = ARGV[i * 4 - 2], tonumber(ARGV[i * 4 - 1]), windows[i]
    local last = #hits - 1
    if grain > 0 and last > 0 and math.floor(now / grain) == math.floor(hits[last] / grain) then
      hits[last], hits[last + 1] = now, hits[last + 1] + 1
    else
      hits[last + 2], hits[last + 3] = now, 1
    end
    redis.call('SET', key, cmsgpack.pack(hits), 'PX', period)
  end
end
return {-1, tightest, left, wait}
"""
"""Do what ``stopper.guard.stores.Memory.hit`` does, in milliseconds. A window is a list: time, count, time, count ..."""


class Remote(Store):
    """The memory of a Redis or Valkey server that all machines share, and the local one while it is gone."""

    def __init__(
        self,
        url: str,
        prefix: str,
        local: Callable[[], Store],
        told: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is connected before the first request.

        Args:
            url: Where the server is, as ``limits`` writes it.
            prefix: What the keys begin with; two apps on one server need two.
            local: Returns the memory to use while the server is gone.
            told: Called with "degraded" or "recovered" and a sentence.
            clock: Seconds that only grow.

        Raises:
            ConfigurationError: The URL is none, or the client library is not installed.
        """
        self.name = (
            url.partition(":")[0].partition("+")[0].replace("rediss", "redis").replace("valkeys", "valkey")
        )
        cluster = "+cluster" in url.partition(":")[0]
        # All keys of a call must be on one node of a cluster; the braces say so.
        self._prefix = f"{{{prefix}}}:" if cluster else f"{prefix}:"
        self._local = local
        self._told = told
        self._clock = clock
        self._lock = threading.Lock()
        self._script, self._client, self._errors = _connect(url)
        self._pause = 0.0
        self._again_at = 0.0

    def hit(self, keys: Sequence[str], terms: Sequence[Terms]) -> Verdict:
        """Count a request under every key whose limit has room for it, or under none."""
        if self._pause and not self._is_time():
            return self._local().hit(keys, terms)
        prefix = self._prefix
        values: list[float] = []
        for term in terms:
            values += (term.amount, term.seconds * 1000, term.grain * 1000, term.cost)
        try:
            full, tightest, left, wait = self._script([prefix + key for key in keys], values)
        except self._errors as error:
            self._leave(error)
            return self._local().hit(keys, terms)
        if self._pause:
            self._return()
        return Verdict(full, tightest, left, wait / 1000)

    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys, here and there."""
        self._local().forget(keys)
        if self._pause and not self._is_time():
            return
        try:
            self._client.delete(*(self._prefix + key for key in keys))
        except self._errors as error:
            self._leave(error)

    def close(self) -> None:
        """Let go of the connections; the next use makes new ones."""
        self._client.close()

    def _is_time(self) -> bool:
        """Tell whether this caller, alone, is to try the server again."""
        now = self._clock()
        if now < self._again_at:
            return False
        with self._lock:
            if now < self._again_at:
                return False
            self._again_at = now + self._pause
            return True

    def _leave(self, error: Exception) -> None:
        """Leave the server alone for a while, each time for longer."""
        first, longest = PAUSES
        with self._lock:
            new = not self._pause
            self._pause = first if new else min(self._pause * 2, longest)
            self._again_at = self._clock() + self._pause
        if new:
            reason = f"{type(error).__name__}: {error}"
            self._told(
                "degraded",
                f"{self.name} does not answer ({reason}); limits go on in this machine's {self._local().name}",
            )

    def _return(self) -> None:
        with self._lock:
            back, self._pause = bool(self._pause), 0.0
        if back:
            self._told("recovered", f"{self.name} answers again; limits are kept there")


def _connect(url: str) -> tuple[Any, Any, tuple[type[Exception], ...]]:
    """Return the registered script, the client it runs on, and the errors that mean that the server is gone.

    ``limits`` has no types for what its connections return.
    """
    try:
        storage: Any = storage_from_string(url, **_options(url))
        client = storage.get_connection()
        failures = storage.base_exceptions
    except (LimitsConfigurationError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"STOPPER_STORAGE: {_public(url)} cannot be used: {error}; write for example "
            '"redis://localhost:6379/0", and install the client with: pip install "stopper[redis]"'
        ) from error
    known = failures if isinstance(failures, tuple) else (failures,)
    return client.register_script(SCRIPT), client, (*known, OSError)


def _options(url: str) -> dict[str, Any]:
    """Return what keeps a server that is gone from holding up requests: short waits, and one fresh connection instead of a stale one."""
    options: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    scheme = url.partition(":")[0]
    if "+" in scheme and not scheme.endswith("+unix"):
        return options
    package = "valkey" if scheme.startswith("valkey") else "redis"
    pause = import_module(f"{package}.backoff").NoBackoff()
    return {**options, "retry": import_module(f"{package}.retry").Retry(pause, 1)}


def _public(url: str) -> str:
    """Return the URL without its user and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
