"""The conditions under which a sink counts, for the sinks whose danger depends on more than one argument."""

# ruff: noqa: ARG001 - one signature for every check

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from stopper.records import dataclass
from stopper.regex import regex
from stopper.taint.domain import ALL, CONTAINERS, UNKNOWN, Taint, Value
from stopper.taint.prefixes import LIKELY_LOCAL, SIGNED, local_path
from stopper.taint.programs import has_script, option, runs_shell

_SQL = regex(
    r"\b(select\b.*\bfrom|insert\s+into|update\b.*\bset|delete\s+from|replace\s+into|(?:drop|create|alter|truncate)\s+table|where\b|order\s+by"
    r"|group\s+by|union|values\s*\(|(?:asc|desc)\b)",
    re.IGNORECASE | re.DOTALL,
)
_DATABASE = regex(
    r"^_*(?:curs?|cursor|conn?|connection|cnx|db|dbh|database|engine|sess|session|tx|trans|transaction|pool|mysql|pg)s?\d*$",
    re.IGNORECASE,
)
_SAFELY = regex(r"(?i)(?<!un)safe")
_OBJECTS = tuple(f"request.{name}" for name in "json get_json payload form values args".split())
_HEAD = regex(r"(?im)^(?:subject|to|from|cc|bcc|reply-to):[^\n]*$")
_HTML = re.compile(r"html|svg|^[^/]*$")
_NO_LOG = regex(r"(?i)catalog|dialog|backlog|changelog|blog|login|logout|logic|logo")
_RUN = frozenset(f"['{key}']" for key in ("$where", "$function", "$accumulator", "body", "script"))
_NO_FILTER = frozenset(
    f"['{key}']"
    for key in ("$eq", "$ne", "$set", "$setOnInsert", "$push", "$addToSet", "$inc", "$min", "$max")
)
"""Where a query compares as it is, and where a change says what is written: neither chooses documents by operators."""
_HTML_KEYS = frozenset(("['Html']", "['html']"))
_CONVERSION = regex(r"%[-#0 +]*[\d*]*(?:\.\d+)?([a-zA-Z])")
_BRACED = re.compile(r"\{\w*!?([ra]?)[^{}]*\}")
_DIRECT = 4
"""With how many hops data is plainly the client's; behind more it has become something of the application's."""
_TYPES = ("mimetype", "content_type", "headers")
"""The keywords of an answer that can say what it is."""
_SAFE_LOADERS = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")


@dataclass(slots=True)
class Situation:
    """A call that may be a sink; never written to."""

    value: Value
    """The argument that the taint is in."""
    keywords: Mapping[str, Value]
    args: tuple[Value, ...]
    loader: str = ""
    """The name of what is passed as ``Loader`` or ``parser``, "" when nothing is."""
    html: bool = True
    """Whether nothing in the function sets another content type than HTML."""
    receiver: str = ""
    """The name of the object that is called: ``cursor``."""
    position: int = 0
    """Which argument the taint is in; -1 for the receiver and for keywords."""


Verdict = str
"""``high``, ``medium``, ``low``; "" when the sink does not count."""


def verdict(check: str, taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Return how sure the sink counts for ``taint``; "" when it does not."""
    method = _CHECKS.get(check)
    return default if method is None else method(taint, situation, default)


def _driver(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a statement's text: an object that a query builder made is no text."""
    return "" if situation.value.shape in ("dict", "list", "tuple") else default


def _sql_text(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    if situation.value.shape:
        return ""
    if _SQL.search(situation.value.literal):
        return default
    whole = "built" not in taint.marks and "object" not in taint.marks
    return default if whole and _DATABASE.match(situation.receiver) else ""


def _coerced(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a SQLAlchemy clause: only text that was joined here is text of SQL."""
    return default if "built" in taint.marks and not situation.value.shape else ""


def _bind_name(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the name of a login at a directory: ``ann@example.com`` is an account and has no parts to break out of."""
    del taint
    literal = situation.value.literal
    return "low" if "@" in literal and "=" not in literal else default


def _query_object(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    paths = [path for path, value in _leaves(situation.value) if taint in value.every()]
    if any(path & _RUN for path in paths):
        return default
    if paths and all(path & _NO_FILTER for path in paths):
        return ""
    code = "script" in taint.marks
    return default if code or ("object" in taint.marks and "built" not in taint.marks) else ""


def _leaves(value: Value, path: frozenset[str] = frozenset()) -> Iterator[tuple[frozenset[str], Value]]:
    if value.taints or not value.fields:
        yield path, value
    for name, part in value.fields:
        yield from _leaves(part, path | {name})


def _whole_object(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check data that is stored whole: the client chooses the names of its fields."""
    whole = taint in situation.value.taints or (
        situation.value.shape == "dict" and taint in situation.value.part("**").taints
    )
    return default if whole and "built" not in taint.marks and taint.source.startswith(_OBJECTS) else ""


def _subprocess(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    shell = situation.keywords.get("shell")
    in_shell = shell is not None and bool(shell.known and shell.constant)
    value = situation.value
    if value.shape not in ("list", "tuple"):
        return "high" if in_shell or "built" not in taint.marks else "medium"
    if in_shell or taint in value.taints or taint in value.part("[0]").every():
        return "high"
    return "high" if runs_shell(taint, [part for _, part in value.items()]) else ""


def _arguments(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    value = situation.value
    if value.shape not in ("list", "tuple") or _subprocess(taint, situation, default):
        return ""
    return option(taint, [part for _, part in value.items()], default)


def _flat(situation: Situation) -> list[Value]:
    """Return the program and its arguments in one list; numbers, such as a spawn mode, and callables are left out."""
    found: list[Value] = []
    for value in situation.args:
        found += [part for _, part in value.items()] if value.shape in ("list", "tuple") else [value]
    return [value for value in found if value.every() or isinstance(value.constant, str)]


def _program(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check ``os.exec``, ``os.spawn`` and their like: what is run, or what a shell is told to run."""
    parts = _flat(situation)
    if not parts:
        return default
    return default if taint in parts[0].every() or runs_shell(taint, parts) else ""


def _program_arguments(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    if _program(taint, situation, default):
        return ""
    return option(taint, _flat(situation), default)


def _shell_words(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a shell that is called by name with its arguments: ``sh.bash("-c", script)``."""
    return "" if has_script(taint, list(situation.args)) else default


def _attribute(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check an attribute chosen by name: of an object that the client did not send."""
    owner = situation.args[0] if situation.args else None
    return "" if owner is None or owner.every() or "built" in taint.marks else default


def _html(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check what becomes an answer: a list is sent as JSON."""
    return "" if situation.value.shape == "list" else _body(taint, situation, default)


def _body(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the body of a response: the parts of a list are sent one after the other."""
    given = [situation.keywords[key] for key in _TYPES if key in situation.keywords]
    if any(not _is_html(value) for value in (*given, *situation.args[1:])):
        return ""
    if default == "high" and any(map(_is_open, (*given, *situation.args[2:]))):
        default = "low" if len(taint.trace) > _DIRECT and any(map(_is_computed, given)) else "medium"
    value = situation.value
    if value.shape == "dict" or ("object" in taint.marks and "built" not in taint.marks):
        return ""
    return default if situation.html else ""


def _sent_file(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a file that is sent back: what a client uploaded is a page where it is shown as what the client says it is."""
    attached, kind = (situation.keywords.get(key) for key in ("as_attachment", "mimetype"))
    if not _is_content(taint) or (attached is not None and attached.constant is not False):
        return ""
    return default if kind is not None and _is_html(kind) else ""


def _type(value: Value) -> Value:
    """Return the content type among headers; what is no dict of headers, or names no type, is returned itself."""
    found = dict(value.fields)
    for key in ("['Content-Type']", "['content-type']", "['Content-type']"):
        if key in found:
            return found[key]
    return value


def _is_open(value: Value) -> bool:
    """Tell whether nothing is known of a content type, or of headers among which one may stand."""
    told = _type(value)
    return not told.shape and not told.fields and told.constant is UNKNOWN


def _is_computed(value: Value) -> bool:
    """Tell whether headers name a content type that the code works out: beside data that it works on, that is seldom HTML."""
    told = _type(value)
    return told is not value and _is_open(told) and not told.every()


def _is_html(value: Value) -> bool:
    """Tell whether a content type, or a dict of headers, still says HTML."""
    told = _type(value)
    if told is value and value.shape:
        return True
    if told.taints and all(ALL in taint.clean for taint in told.taints):
        return False  # one of a list
    return any(not isinstance(one, str) or _HTML.search(one) for one in told.choices or (told.constant,))


def _header_name(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the name of a header: Werkzeug refuses line breaks in values, not in names."""
    return default if situation.position in (0, -1) and not situation.value.shape else ""


def _header_names(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check headers that are given together: only names that the client chooses count."""
    value = situation.value
    if any(name.startswith(".") for name, _ in value.fields):
        return ""  # an object among other things: what a key that is not known could have stood for, and no headers
    keys = [part for name, part in value.fields if name in ("[keys]", "**")]
    if value.shape == "dict":
        return default if any(taint in part.every() for part in keys) else ""
    if value.shape in ("list", "tuple"):
        pairs = [part for _, part in value.fields if part.shape in ("tuple", "list")]
        return default if any(taint in pair.part("[0]").every() for pair in pairs) else ""
    return ""


def _upload(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    named = "path" in taint.marks or "built" in taint.marks or ".filename" in taint.source
    if situation.value.classes or taint not in situation.value.taints:
        return ""  # an object that is kept, such as a row of a database
    return _path(taint, situation, default) if named else ""


def _path(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    if _is_content(taint):
        return ""
    if "no-dots" in taint.marks and taint.marks & {"relative", "prefixed"}:
        return ""
    return "medium" if "segment" in taint.marks and default == "high" else default


def _is_content(taint: Taint) -> bool:
    """Tell whether this is a stream or what is in it, and no path; the names in an archive are paths."""
    named = ".filename" in taint.source or taint.marks & {"path", "built", "field"}
    upload = taint.source.startswith("request.files") and not named
    return "member" not in taint.marks and bool(upload or taint.marks & {"stream", "archive", "zip"})


def _probe(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a question about a file: it tells the client no more than whether the file is there."""
    return _path(taint, situation, default) if "path" in taint.marks or "built" in taint.marks else ""


def _path_object(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return _path(taint, situation, default) if "path" in taint.marks else ""


def _whole(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if "built" not in taint.marks and "object" not in taint.marks else ""


def _location(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check where a redirect leads: a value that was looked at, although not closely enough, counts a little."""
    if "redirect" in (local := local_path(taint.marks)):
        return ""
    return "low" if local or LIKELY_LOCAL in taint.clean else default


def _location_header(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check headers that are given together: where the one that redirects leads."""
    status = [value.constant for value in situation.args[1:2] if isinstance(value.constant, int)]
    if any(code // 100 != 3 for code in status):
        return ""
    led = [part for name, part in situation.value.fields if name.lower() == "['location']"]
    return _location(taint, situation, default) if any(taint in part.every() for part in led) else ""


def _location_set(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check one header that is set by name: where it leads, or where it leads in a while."""
    name = situation.args[0].constant if situation.args else ""
    named = name.lower() if isinstance(name, str) else ""
    return _location(taint, situation, default) if named in ("location", "refresh") else ""


def _module_file(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the file of a module: what can lead to no other folder is a choice among one's own."""
    return "" if "path" in taint.clean else default


def _url(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a URL that is fetched: a segment behind a fixed host does no harm, a path there only a little."""
    if "prefixed" in taint.marks:
        return "" if taint.marks & {"urlquoted", "query"} else "low"
    return default


def _table(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a reader of tables: it fetches what begins with an address, and takes all else for a file."""
    return "" if _is_content(taint) or taint.marks & {"behind", "path"} else _url(taint, situation, default)


def _request_path(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the path that a connection asks for: quoted it is one segment of a host that is fixed."""
    if "connection" in taint.marks:
        return default
    return "" if "urlquoted" in taint.marks else "low"


def _curl_url(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return _url(taint, situation, default)


def _deserializer(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    safe = situation.keywords.get("safe")
    return "" if (safe is not None and safe.constant is True) or _SAFELY.search(situation.loader) else default


def _allow_pickle(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    allowed = situation.keywords.get("allow_pickle")
    return default if allowed is not None and allowed.constant is True else ""


def _weights_only(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check torch.load: since 2.6 it loads weights only, unless it is told otherwise."""
    asked = situation.keywords.get("weights_only")
    if asked is None:
        return "medium"
    return default if asked.constant is False else ""


def _yaml(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return "" if situation.loader.rpartition(".")[2] in _SAFE_LOADERS else default


def _lxml(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check lxml: since 5.0 its default parser refuses external entities, so that one counts a little only."""
    asked = situation.keywords.get("resolve_entities")
    told = situation.loader if asked is None else f"resolve_entities={asked.constant}"
    if "resolve_entities=False" in told or "defused" in situation.loader:
        return ""
    if "resolve_entities=True" in told or "no_network=False" in situation.loader:
        return default
    return "low"


def _round_trip(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check ruamel's own interface: only ``YAML(typ="unsafe")`` makes objects."""
    return default if "unsafe" in situation.loader else ""


def _xml_parser(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if "external" in situation.loader else ""


def _xmltodict(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    disabled = situation.keywords.get("disable_entities")
    return default if disabled is not None and disabled.constant is False else ""


def _none_harms(given: Value, kind: str) -> bool:
    """Tell whether something is known of a value's elements, and that none can harm."""
    return given.shape != "" and all(one.safe_for(kind) for one in given.every())


def _tar_filter(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    chosen = situation.keywords.get("filter")
    members = situation.keywords.get("members") or next(iter(situation.args[1:2]), None)
    if members is not None and situation.position == -1 and _none_harms(members, "archive"):
        return ""
    if "zip" in taint.marks or (
        chosen is not None and (chosen.constant in ("data", "tar") or not chosen.known)
    ):
        return ""
    return default


def _unchecked(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check data that is trusted from now on: whether anything was asked about it before."""
    if taint.marks & {"asked", SIGNED}:
        return ""
    return default if len(taint.trace) <= _DIRECT and not taint.marks & {"kept", "stored"} else "low"


def _session_key(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a key of the session: one that begins with fixed text is in a room of its own."""
    return "" if "behind" in taint.marks else _unchecked(taint, situation, default)


def _cell(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a cell of a spreadsheet: behind other text it is no formula."""
    return "" if "behind" in taint.marks else default


def _log(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    if _conversion(situation) in ("r", "a", "d", "i", "f", "x") or situation.value.shape in CONTAINERS:
        return ""
    if "object" not in taint.marks or "built" in taint.marks:
        return "low" if taint.marks & {"one-line", "looked-up"} else default
    # An object is written as Python writes it, with its line ends escaped; what stands in it may be text.
    return "low" if "field" in taint.marks else ""


def _conversion(situation: Situation) -> str:
    """Return how a log message writes the argument: ``r`` for ``%r``."""
    text = situation.args[0].constant if situation.args else ""
    if situation.position < 1 or not isinstance(text, str):
        return ""
    found = _CONVERSION.findall(text) or _BRACED.findall(text)
    return found[situation.position - 1] if situation.position <= len(found) else ""


def _logger(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    name = _NO_LOG.sub("", situation.receiver)
    return _log(taint, situation, default) if "log" in name.lower() else ""


def _password(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if re.search(r"(?i)passw|passphrase|pwd", taint.source) else ""


def _keys(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a dictionary of which only the names matter."""
    found = dict(situation.value.fields)
    named = found.get("[keys]")
    if taint in situation.value.taints or (named is not None and taint in named.every()):
        return default
    spread = found.get("**") or (found.get("[*]") if named is None else None)
    return default if spread is not None and taint in spread.every() else ""


def _variable(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check the name of an environment variable."""
    return _keys(taint, situation, default) if situation.value.shape else _whole(taint, situation, default)


def _mail_text(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a message that is written as text: what stands above the empty line is a header."""
    before, gap, _ = situation.value.literal.partition("\0")
    in_head = _HEAD.search(before) and "\n\n" not in before.replace("\r", "")
    return default if gap and in_head else ""


def _mail_part(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a part of a mail: whether it is said to be HTML."""
    named = [
        situation.keywords[key] for key in ("subtype", "_subtype", "mimetype") if key in situation.keywords
    ]
    told = [value.constant for value in (*named, *situation.args) if isinstance(value.constant, str)]
    return default if any(text in ("html", "text/html") for text in told) else ""


def _mail_tree(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a mail that is described by a dictionary: what stands under ``html``."""
    leaves = _leaves(situation.value)
    return default if any(taint in leaf.every() and path & _HTML_KEYS for path, leaf in leaves) else ""


_CHECKS: dict[str, Callable[[Taint, Situation, Verdict], Verdict]] = {
    "allow-pickle": _allow_pickle, "arguments": _arguments, "attribute": _attribute,
    "bind-name": _bind_name, "body": _body, "cell": _cell, "coerced": _coerced,
    "curl-url": _curl_url, "deserializer": _deserializer, "driver": _driver, "header-name": _header_name,
    "header-names": _header_names, "html": _html, "keys": _keys, "location": _location,
    "location-header": _location_header, "location-set": _location_set, "module-file": _module_file, "log": _log, "logger": _logger,
    "lxml": _lxml, "mail-part": _mail_part, "mail-tree": _mail_tree, "mail-text": _mail_text, "password": _password, "path": _path,
    "path-object": _path_object, "probe": _probe, "program": _program, "program-arguments": _program_arguments,
    "name": lambda taint, _, default: "" if "built" in taint.marks else default,
    "query-object": _query_object, "request-path": _request_path, "round-trip": _round_trip, "sent-file": _sent_file, "shell-words": _shell_words,
    "session-key": _session_key, "sql-text": _sql_text, "subprocess": _subprocess, "table": _table, "tar-filter": _tar_filter,
    "unchecked": _unchecked, "upload": _upload, "url": _url, "variable": _variable, "weights-only": _weights_only,
    "whole": _whole, "whole-object": _whole_object, "xml-parser": _xml_parser, "xmltodict": _xmltodict, "yaml": _yaml,
}  # fmt: skip
LOADING = frozenset(("deserializer", "round-trip", "yaml", "lxml", "xml-parser"))
"""The checks that ask what is passed as the loader or the parser."""
NAMES = frozenset(_CHECKS)
"""Every check that a model may name."""
