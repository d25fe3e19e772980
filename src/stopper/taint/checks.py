"""The conditions under which a sink counts, for the sinks whose danger depends on more than one argument."""

# ruff: noqa: ARG001 - one signature for every check

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stopper.taint.domain import Taint, Value

_SQL = re.compile(
    r"\b(select\b.*\bfrom|insert\s+into|update\b.*\bset|delete\s+from|drop\s+table|create\s+table|alter\s+table|where\b|order\s+by"
    r"|union|values\s*\()",
    re.IGNORECASE | re.DOTALL,
)
_SHELLS = frozenset(
    [
        "sh",
        "bash",
        "zsh",
        "ksh",
        "dash",
        "cmd",
        "cmd.exe",
        "powershell",
        "python",
        "python3",
        "perl",
        "ruby",
        "node",
        "ssh",
    ]
)
_SAFE_LOADERS = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")


@dataclass(frozen=True, slots=True)
class Situation:
    """A call that may be a sink."""

    value: Value
    """The argument that the taint is in."""
    keywords: Mapping[str, Value]
    args: tuple[Value, ...]
    loader: str
    """The name of what is passed as ``Loader`` or ``parser``, "" when nothing is."""
    html: bool
    """Whether nothing in the function sets another content type than HTML."""


Verdict = str
"""``high``, ``medium``, ``low``; "" when the sink does not count."""


def verdict(check: str, taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Return how sure the sink counts for ``taint``; "" when it does not."""
    method = _CHECKS.get(check)
    return default if method is None else method(taint, situation, default)


def _sql_text(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if _SQL.search(situation.value.literal) else ""


def _coerced(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check a SQLAlchemy clause: only text that was joined here is text of SQL."""
    return default if "built" in taint.marks else ""


def _query_object(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    code = dict(situation.value.fields).get("['$where']")
    if code is not None and taint in code.every():
        return default
    return default if "object" in taint.marks and "built" not in taint.marks else ""


def _subprocess(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    shell = situation.keywords.get("shell")
    in_shell = shell is not None and bool(shell.known and shell.constant)
    value = situation.value
    if value.shape not in ("list", "tuple"):
        return "high" if in_shell or "built" not in taint.marks else "medium"
    first = value.part("[0]")
    if in_shell or taint in first.every() or taint in value.taints:
        return "high"
    program = str(first.constant).rpartition("/")[2] if first.known else ""
    return "high" if program in _SHELLS else ""


def _arguments(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    value = situation.value
    if value.shape not in ("list", "tuple") or _subprocess(taint, situation, default):
        return ""
    return (
        ""
        if any(part.known and part.constant == "--" for _, part in value.fields) or "built" in taint.marks
        else default
    )


def _html(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    for key in ("mimetype", "content_type", "headers"):
        given = situation.keywords.get(key)
        if given is not None and not _is_html(given):
            return ""
    if any(not _is_html(value) for value in situation.args[1:]):
        return ""
    value = situation.value
    if value.shape in ("dict", "list") or ("object" in taint.marks and "built" not in taint.marks):
        return ""
    return default if situation.html else ""


def _is_html(value: Value) -> bool:
    """Tell whether a content type, or a dict of headers, still says HTML."""
    found = dict(value.fields)
    for key in ("['Content-Type']", "['content-type']"):
        if key in found:
            value = found[key]
            break
    else:
        if value.shape:
            return True
    return not isinstance(value.constant, str) or "html" in value.constant or "/" not in value.constant


def _upload(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if "path" in taint.marks or "built" in taint.marks or ".filename" in taint.source else ""


def _path(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    if "stream" in taint.marks:
        return ""
    return "medium" if "segment" in taint.marks else default


def _path_object(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return _path(taint, situation, default) if "path" in taint.marks else ""


def _whole(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if "built" not in taint.marks and "object" not in taint.marks else ""


def _yaml(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return "" if situation.loader.rpartition(".")[2] in _SAFE_LOADERS else default


def _lxml(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    """Check lxml: since 5.0 its default parser refuses external entities, so the parser must ask for them."""
    return default if "resolve_entities" in situation.loader else ""


def _xml_parser(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return default if "external" in situation.loader else ""


def _tar_filter(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    chosen = situation.keywords.get("filter")
    return "" if chosen is not None and chosen.constant in ("data", "tar") else default


def _log(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return "" if "object" in taint.marks and "built" not in taint.marks else default


def _request_path(taint: Taint, situation: Situation, default: Verdict) -> Verdict:
    return "low"


_CHECKS: dict[str, Callable[[Taint, Situation, Verdict], Verdict]] = {
    "sql-text": _sql_text, "coerced": _coerced, "query-object": _query_object, "subprocess": _subprocess, "arguments": _arguments,
    "html": _html, "upload": _upload, "path": _path, "path-object": _path_object, "whole": _whole, "yaml": _yaml, "lxml": _lxml,
    "xml-parser": _xml_parser, "tar-filter": _tar_filter, "log": _log, "request-path": _request_path,
}  # fmt: skip
NAMES = frozenset(_CHECKS)
"""Every check that a model may name."""
