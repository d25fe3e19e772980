"""What a page's place does with data: whether it harms there, as Jinja escapes it and as the browser reads it.

Autoescape holds text and quoted attributes. It does not hold a URL that the data starts (``javascript:``), a script, an event
handler, a style, a value without quotes, or the inside of a tag; there the data harms although it is escaped.
"""

from __future__ import annotations

from stopper.records import dataclass
from stopper.source.markup import HTMLContext
from stopper.source.template import Output
from stopper.taint.domain import Taint

MARKUP = "markup"
"""The mark of data that Jinja takes for HTML and does not escape."""
JSON = "json"
"""The mark of data that ``|tojson`` has written as a script's literal."""
QUOTED = "urlquoted"
"""The mark of data that is percent-encoded."""
PLACES = frozenset(("page", "page-url", "page-script", "page-style", "page-attribute"))
"""The kinds of places in a page; each needs its own escaping."""

_RUNS = frozenset(("href", "src", "action", "formaction", "data", "xlink:href"))
_NEVER_RUNS = frozenset(("img", "link", "source", "video", "audio", "input", "image", "track"))
_TEXT = frozenset((HTMLContext.TEXT, HTMLContext.QUOTED_ATTRIBUTE, HTMLContext.RCDATA))
_ESCAPED = "escaped as HTML, which does not hold it "


@dataclass(frozen=True, slots=True)
class Harm:
    """What data does at a place of a page."""

    kind: str
    """One of ``PLACES``."""
    place: str
    """The place as a reader knows it: ``the attribute href``."""
    confidence: str = "high"
    near: str = ""
    """Why the escaping on the way does not fit; "" where there is none."""

    @property
    def sink(self) -> str:
        """Return the place, and why the escaping does not hold the data there."""
        return f"{self.place}, {self.near}" if self.near else self.place


def harm(taint: Taint, output: Output) -> Harm | None:
    """Return what ``taint`` does where ``output`` writes it; None when the place holds it."""
    found = _found(taint, output, raw=_raw(taint, output))
    if found is None or QUOTED in taint.marks:
        return found
    return None if taint.safe_for(found.kind) else found


def _raw(taint: Taint, output: Output) -> bool:
    """Tell whether the data comes out as it is: not escaped before, and not by Jinja."""
    if taint.safe_for("html"):
        return False
    return not output.autoescaped or MARKUP in taint.marks


def _found(taint: Taint, output: Output, *, raw: bool) -> Harm | None:
    place = output.place
    script = output.prefix.lstrip().lower().startswith("javascript:")
    if QUOTED in taint.marks:
        return _percent(taint, output) if script else None
    if output.context is HTMLContext.EVENT_HANDLER or script:
        return _handler(taint, output, raw=raw)
    if output.context in (HTMLContext.SCRIPT, HTMLContext.SCRIPT_STRING):
        return _script(taint, output, raw=raw)
    if output.context is HTMLContext.STYLE:
        return Harm("page-style", "a style", "high", "" if raw else _near("in a style"))
    if output.context is HTMLContext.COMMENT:
        return _comment(output, raw=raw)
    if output.context is HTMLContext.UNQUOTED_ATTRIBUTE:
        return Harm("page-attribute", f"the attribute {place.attribute} without quotes", "high")
    if output.context is HTMLContext.ATTRIBUTE_NAME:
        return Harm("page-attribute", f"the inside of the tag {place.tag}", "high")
    if JSON in taint.marks and place.quote == '"':
        return Harm("page-attribute", f"the attribute {place.attribute} in double quotes", "high")
    if raw:
        return Harm("page", _named(output))
    if place.attribute == "srcdoc":
        return Harm(
            "page",
            "a page of its own",
            near="escaped as HTML, which srcdoc takes back before it reads the page",
        )
    return _url(taint, output)


def _percent(taint: Taint, output: Output) -> Harm | None:
    """Judge data that is quoted for a URL where a ``javascript:`` address holds it; elsewhere it holds no character that harms."""
    if "quoted-twice" in taint.marks:
        return None
    near = "quoted for a URL, which the browser takes back before it runs the script"
    return Harm("page-script", f"the script of {output.place.attribute}", "high", near)


def _named(output: Output) -> str:
    place = output.place
    if output.context is HTMLContext.TEXT:
        return "the page as HTML"
    if output.context is HTMLContext.RCDATA:
        return f"the element {place.tag} as HTML"
    return f"the attribute {place.attribute} as HTML"


def _url(taint: Taint, output: Output) -> Harm | None:
    place = output.place
    runs = place.attribute in _RUNS and place.tag not in _NEVER_RUNS
    if output.context is not HTMLContext.URL or not runs or not output.leads:
        return None
    if place.attribute == "data" and place.tag != "object":
        return None
    if "host" in taint.marks or _own_address(taint):
        return None
    return Harm("page-url", f"the start of the attribute {place.attribute}", near=_near("from javascript:"))


def _own_address(taint: Taint) -> bool:
    """Tell whether the data is the request's own path or URL, which can have no other scheme."""
    return taint.source.rpartition(".")[2] in ("path", "full_path", "url", "base_url", "script_root")


def _handler(taint: Taint, output: Output, *, raw: bool) -> Harm | None:
    if JSON in taint.marks:
        if output.place.quote == "'":
            return None
        return Harm("page-attribute", f"the attribute {output.place.attribute} in double quotes")
    near = "" if raw else "escaped as HTML, which the browser takes back before it runs the script"
    return Harm("page-script", f"the script of {output.place.attribute}", "high", near)


def _script(taint: Taint, output: Output, *, raw: bool) -> Harm | None:
    if JSON in taint.marks:
        return None
    if output.context is HTMLContext.SCRIPT:
        return Harm("page-script", "a script as code", "high", "" if raw else _near("in a script"))
    if output.place.quote == "`":
        return Harm("page-script", "a template literal of a script")
    if raw:
        return Harm("page-script", "a string of a script")
    return Harm(
        "page-script", "a string of a script", "medium", _near("from a backslash in a script's string")
    )


def _comment(output: Output, *, raw: bool) -> Harm | None:
    if output.place.tag == "script":
        return Harm("page-script", "a comment of a script", "medium", "" if raw else _near("in a script"))
    return Harm("page", "a comment as HTML") if raw else None


def _near(where: str) -> str:
    return _ESCAPED + where
