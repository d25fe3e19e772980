"""Tell which of many texts may hold a secret, by looking at many as one.

The versions of a history bring a few lines each, and nearly none of them a secret. A call for each costs more than what it looks
at; joined, one call looks at thousands. What is told here is judged again by itself, so that a neighbour changes nothing. (Files
are long enough to be looked at one by one.)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from stopper.finding import Confidence
from stopper.source.credentials import named_in, named_lines, passwords_in_urls, suspected
from stopper.source.suspects import lines_holding, with_random

BATCH = 1_000_000
"""How many characters are looked at as one text; more would only take more memory."""


def may_hold(texts: Sequence[str], naming: Sequence[bool], *, surely: bool = False) -> list[int]:
    """Return the indices of the texts that may hold a secret, in order.

    Args:
        texts: What is looked at; a secret lies in one of them and does not reach into the next.
        naming: Of which texts the names say what their values are.
        surely: Whether what a name tells must leave little doubt.
    """
    found: set[int] = set()
    for these in _batches(texts):
        found |= _Joined(texts, these).with_credentials()
        found |= _Joined(texts, [index for index in these if naming[index]]).with_names(surely=surely)
    return sorted(found)


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the indices of texts to join: the methods of a text with other signs than ASCII take several times as long."""
    for ascii_only in (True, False):
        batch: list[int] = []
        size = 0
        for index, text in enumerate(texts):
            if text.isascii() is not ascii_only:
                continue
            if batch and size + len(text) > BATCH:
                yield batch
                batch, size = [], 0
            batch.append(index)
            size += len(text)
        if batch:
            yield batch


class _Joined:
    """Some of the texts, one a line's end after the other."""

    def __init__(self, texts: Sequence[str], these: Sequence[int]) -> None:
        self.these = these
        self.text = "\n".join([texts[index] for index in these])
        self.starts = list(accumulate((len(texts[index]) + 1 for index in these), initial=0))

    def with_credentials(self) -> set[int]:
        """Return the texts that match a provider's form, hold a URL with a password or speak of a private key."""
        spans = list(lines_holding(self.text, "PRIVATE KEY"))
        spans += [(one.start, one.end) for one in passwords_in_urls(self.text)]
        for provider, start, end in suspected(self.text):
            spans += [match.span() for match in provider.pattern.finditer(self.text, start, end)]
        return self._holding(spans)

    def with_names(self, *, surely: bool) -> set[int]:
        """Return the texts in which a name tells a secret."""
        lines = named_lines(self.text)
        found = named_in(self.text, with_random(self.text, lines) if surely else lines, bare=True)
        return self._holding(
            (one.start, one.end) for one in found if not surely or one.confidence is Confidence.HIGH
        )

    def _holding(self, spans: Iterable[tuple[int, int]]) -> set[int]:
        """Return the texts to which the spans belong."""
        found: set[int] = set()
        for start, end in spans:
            first, last = bisect_right(self.starts, start), bisect_right(self.starts, end - 1)
            found.update(self.these[first - 1 : last])
        return found
