"""A limit on how often somebody may call a view."""

import functools
import time
from collections import defaultdict

from flask import abort, request

HITS = defaultdict(list)


def throttle(times, seconds):
    """Answer 429 to a visitor who posts to a view too often."""

    def decorate(view):
        @functools.wraps(view)
        def wrapped(**kwargs):
            if request.method == "POST":
                now = time.time()
                key = (view.__name__, request.remote_addr)
                HITS[key] = [hit for hit in HITS[key] if hit > now - seconds]
                if len(HITS[key]) >= times:
                    abort(429)
                HITS[key].append(now)
            return view(**kwargs)

        return wrapped

    return decorate
