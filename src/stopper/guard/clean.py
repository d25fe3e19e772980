"""Clean HTML that users wrote: what formats a text stays, what could act does not.

The cleaner is nh3 (ammonia). Its own defaults allow some 25 URL schemes and images from anywhere, which tell another site who
reads a page and when; here http, https, mailto and tel are allowed, and images of the own site.
"""

from __future__ import annotations

from typing import Final, Literal

import nh3
from markupsafe import Markup

TAGS: Final = frozenset(
    (
        "a abbr b blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins "
        "kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead time tr u ul var"
    ).split()
)
"""Elements that format a text; none of them runs, loads, sends or embeds anything, save an image."""

ATTRIBUTES: Final = {
    "*": {"lang", "dir", "title"},
    "a": {"href"},
    "blockquote": {"cite"},
    "del": {"datetime"},
    "img": {"src", "alt", "width", "height"},
    "ins": {"datetime"},
    "li": {"value"},
    "ol": {"start", "type", "reversed"},
    "q": {"cite"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
"""Attributes by element. Neither `style` nor `class` nor `id` is among them: they let a text look like a part of the page."""

SCHEMES: Final = frozenset(("http", "https", "mailto", "tel"))
REL: Final = "nofollow noopener noreferrer ugc"
"""What each link says of itself: that the site does not vouch for it, and tells it nothing."""

Images = Literal["own", "any", "none"]
"""Which images stay: those of the own site, those of any site, or none."""


def clean(text: object, images: Images = "own") -> Markup:
    """Return HTML that a user wrote without what could act; in templates: `{{ comment|clean }}`.

    Args:
        text: HTML, or None for nothing. Text that is no HTML stays as it is, with `<` and `&` escaped.
        images: Which images stay: `own`, `any` or `none`.
    """
    if images not in {"own", "any", "none"}:
        raise ValueError(f'clean() knows no images {images!r}: write "own", "any" or "none"')
    tags = TAGS - {"img"} if images == "none" else TAGS

    def kept(element: str, attribute: str, value: str) -> str | None:
        if element == "img" and attribute == "src" and images == "own" and not _is_own(value):
            return None
        return value

    cleaned = nh3.clean(
        "" if text is None else str(text),
        tags=set(tags),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items() if tag in tags or tag == "*"},
        attribute_filter=kept,
        url_schemes=set(SCHEMES),
        link_rel=REL,
    )
    return Markup(cleaned)  # noqa: S704 - it was cleaned just now


def _is_own(url: str) -> bool:
    """Tell whether an address leads to the own site, as a browser reads it: no scheme, and no host."""
    plain = (
        url.translate({ord(one): None for one in "\t\r\n"})
        .strip("".join(map(chr, range(33))))
        .replace("\\", "/")
    )
    return (
        not plain.startswith("//") and ":" not in plain.partition("/")[0].partition("?")[0].partition("#")[0]
    )
