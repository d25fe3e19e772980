"""Tell which of many short texts may hold a secret, by looking at all of them as one text.

The versions of a history bring a few lines each, and nearly none of them a secret. A call for each costs more than what it looks
at; joined, one call looks at thousands. What is told here is judged again by itself, so that a neighbour changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from stopper.finding import Confidence
from stopper.source.credentials import named_in, named_lines, passwords_in_urls, suspected
from stopper.source.suspects import with_random


def may_hold(texts: Sequence[str], naming: Sequence[bool]) -> list[int]:
    """Return the indices of the texts that may hold a secret of which there is little doubt, in order.

    Args:
        texts: What is looked at; a secret lies in one of them and does not reach into the next.
        naming: Of which texts the names say what their values are.
    """
    found: set[int] = set()
    for ascii_only in (True, False):  # the methods of a text with other signs take several times as long
        these = [index for index, text in enumerate(texts) if text.isascii() is ascii_only]
        found |= _Joined(texts, these).with_credentials()
        found |= _Joined(texts, [index for index in these if naming[index]]).with_names()
    return sorted(found)


class _Joined:
    """Some of the texts, one a line's end after the other."""

    def __init__(self, texts: Sequence[str], these: Sequence[int]) -> None:
        self.these = these
        self.text = "\n".join([texts[index] for index in these])
        self.starts = list(accumulate((len(texts[index]) + 1 for index in these), initial=0))

    def with_credentials(self) -> set[int]:
        """Return the texts that match a provider's form or hold a URL with a password."""
        spans = [(one.start, one.end) for one in passwords_in_urls(self.text)]
        for provider, start, end in suspected(self.text):
            spans += [match.span() for match in provider.pattern.finditer(self.text, start, end)]
        return self._holding(spans)

    def with_names(self) -> set[int]:
        """Return the texts in which a name surely tells a secret."""
        lines = with_random(self.text, named_lines(self.text))
        found = named_in(self.text, lines, bare=True)
        return self._holding((one.start, one.end) for one in found if one.confidence is Confidence.HIGH)

    def _holding(self, spans: Iterable[tuple[int, int]]) -> set[int]:
        """Return the texts to which the spans belong."""
        found: set[int] = set()
        for start, end in spans:
            first, last = bisect_right(self.starts, start), bisect_right(self.starts, end - 1)
            found.update(self.these[first - 1 : last])
        return found
