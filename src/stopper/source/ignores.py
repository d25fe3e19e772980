"""Read the comments with which a developer answers a finding.

::

    query = f"..."  # stopper: ignore[sql-injection] the table name comes from an enum
    {# stopper: ignore[unsafe-filter] rendered by our own Markdown, which escapes #}
    <!-- stopper: ignore[inline-script] static text -->

A comment may stand on any line of the finding's span, or alone on the lines directly above it. It may name
several rules, divided by commas. A reason is demanded: without one the comment has no effect and is reported.
So is a comment that no longer matches a finding, and one that names no known rule.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping

from stopper.finding import Finding, Location
from stopper.records import dataclass
from stopper.regex import regex

_MARK = "stopper:"
_COMMENT = regex(
    r"(?:\{#-?|<!--|/\*|//|\#|--|;)\s*stopper:\s*ignore\b\s*(?:\[(?P<rules>[^\]\r\n]*)\])?"
    r"(?P<reason>[^\r\n]*?)\s*(?:-?\#\}|--!?>|\*/|$|\#\s*stopper:)",
    re.MULTILINE,
)
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment that asks for findings to be left out."""

    location: Location
    rules: tuple[str, ...]
    """Slugs; empty when the comment names none."""
    reason: str
    alone: bool
    """Nothing but the comment stands on the line, so it also speaks for the line below."""

    @property
    def defect(self) -> str:
        """Return why the comment has no effect, or "" when it has."""
        if not self.rules:
            return "this ignore names no rule; write stopper: ignore[rule] reason"
        if not self.reason:
            return f"this ignore gives no reason; write stopper: ignore[{', '.join(self.rules)}] reason"
        return ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """An ignore comment that its writer should mend."""

    location: Location
    message: str


@dataclass(frozen=True, slots=True)
class Sifted:
    """What the comments make of the findings of a run."""

    kept: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    complaints: tuple[Complaint, ...]


def read(path: str, content: str) -> tuple[Ignore, ...]:
    """Return the ignore comments of one file, in order.

    In Python only real comments count, so that a string which quotes the syntax is no comment.
    """
    if _MARK not in content:
        return ()
    found = _python(content) if path.endswith((".py", ".pyw")) else _plain(content)
    read_ones = (_ignore(path, *one) for one in found)
    return tuple(one for one in read_ones if one is not None)


def sift(
    findings: Iterable[Finding],
    texts: Mapping[str, str],
    *,
    known: Collection[str] | None = None,
    ran: Collection[str] | None = None,
) -> Sifted:
    """Part the findings that a comment answers from the others.

    Args:
        findings: All findings, those of low confidence included: a comment may answer any.
        texts: The content of each file in which comments are looked for, by path.
        known: The slugs of all rules, to tell a misspelt one; None to take any name.
        ran: The slugs of the rules that were run: only their comments can be stale. None for all.
    """
    by_path = {path: comments for path, content in texts.items() if (comments := read(path, content))}
    used: set[tuple[Ignore, str]] = set()
    kept: list[Finding] = []
    ignored: list[Finding] = []
    for finding in findings:
        answers = [one for one in by_path.get(finding.location.path, ()) if _answers(one, finding, by_path)]
        used.update((one, finding.rule) for one in answers)
        (ignored if answers else kept).append(finding)
    complaints = [
        complaint
        for comments in by_path.values()
        for one in comments
        for complaint in _complaints(one, used, known, ran)
    ]
    return Sifted(tuple(kept), tuple(ignored), tuple(complaints))


def _answers(one: Ignore, finding: Finding, by_path: Mapping[str, tuple[Ignore, ...]]) -> bool:
    if one.defect or finding.rule not in one.rules:
        return False
    span = finding.location
    if span.line <= one.location.line <= span.end_line:
        return True
    alone = {other.location.line for other in by_path[span.path] if other.alone}
    between = range(one.location.line, span.line)
    return one.alone and len(between) > 0 and all(line in alone for line in between)


def _complaints(
    one: Ignore, used: set[tuple[Ignore, str]], known: Collection[str] | None, ran: Collection[str] | None
) -> Iterator[Complaint]:
    if one.defect:
        yield Complaint(one.location, one.defect)
        return
    for rule in one.rules:
        if known is not None and rule not in known:
            yield Complaint(one.location, f"this ignore names {rule!r}, and there is no such rule")
        elif (one, rule) not in used and (ran is None or rule in ran):
            yield Complaint(one.location, f"this ignore is stale: {rule} finds nothing here; remove it")


def _python(content: str) -> list[tuple[int, int, str, bool]]:
    """Return line, column, comment and whether it stands alone, for each comment that the tokeniser sees.

    A file that is not Python is read line by line: findings in it want answers too.
    """
    found: list[tuple[int, int, str, bool]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(content).readline):
            if token.type == tokenize.COMMENT and _MARK in token.string:
                line, column = token.start
                found.append((line, column + 1, token.string, not token.line[:column].strip()))
    except (tokenize.TokenError, SyntaxError, RecursionError):
        return list(_plain(content))
    return found


def _plain(content: str) -> Iterator[tuple[int, int, str, bool]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", content), 1):
        if _MARK not in line:
            continue
        for match in _COMMENT.finditer(line):
            alone = not line[: match.start()].strip() and not line[match.end() :].strip()
            yield number, match.start() + 1, match[0], alone


def _ignore(path: str, line: int, column: int, comment: str, alone: bool) -> Ignore | None:
    location = Location(path, line, column, line, column + len(comment))
    match = _COMMENT.search(comment)
    if match is None:
        return None
    rules = tuple(word for word in re.split(r"[,\s]+", match["rules"] or "") if word)
    reason = match["reason"].strip().strip(":- ")
    return Ignore(location, rules, reason if _WORD.search(reason) else "", alone)
