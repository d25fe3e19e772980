"""An ignore comment answers a finding when it names the rule and a reason, wherever in the span it stands."""

from __future__ import annotations

import pytest

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.source.ignores import Sifted, read, sift

OK = "# stopper: ignore[sql-injection] the name comes from an enum"


def finding(line: int = 1, end: int = 0, path: str = "app.py") -> Finding:
    place = Location(path, line, 1, end)
    return Finding("sql-injection", Area.SQL, Severity.HIGH, Confidence.HIGH, "m", place)


def sifted(text: str, *findings: Finding, path: str = "app.py", **given: set[str]) -> Sifted:
    return sift(findings, {path: text}, **given)


def test_a_comment_with_a_reason_answers_its_line() -> None:
    result = sifted(f"run(q)  {OK}\n", finding())
    assert (len(result.ignored), result.kept, result.complaints) == (1, (), ())


@pytest.mark.parametrize(
    "comment", ["# stopper: ignore[sql-injection]", "# stopper: ignore[sql-injection] --"]
)
def test_without_a_reason_it_has_no_effect_and_is_told(comment: str) -> None:
    result = sifted(f"run(q)  {comment}\n", finding())
    assert len(result.kept) == 1
    assert "gives no reason" in result.complaints[0].message


def test_without_a_rule_it_has_no_effect_and_is_told() -> None:
    result = sifted("run(q)  # stopper: ignore it is fine\n", finding())
    assert len(result.kept) == 1
    assert "names no rule" in result.complaints[0].message


def test_a_stale_one_is_told_unless_its_rule_did_not_run() -> None:
    (complaint,) = sifted(f"x = 1  {OK}\n").complaints
    assert "stale" in complaint.message
    assert complaint.location.line == 1
    assert sifted(f"x = 1  {OK}\n", ran={"csrf-missing"}).complaints == ()


def test_a_misspelt_rule_is_told() -> None:
    (complaint,) = sifted("x = 1  # stopper: ignore[sql-injektion] why\n", known={"sql-injection"}).complaints
    assert "'sql-injektion'" in complaint.message


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_comment_anywhere_in_a_span_of_several_lines_counts(line: int) -> None:
    lines = ["run(", "    q,", ")"]
    lines[line - 1] += f"  {OK}"
    assert sifted("\n".join(lines), finding(1, 3)).kept == ()


def test_a_comment_alone_answers_the_line_below_and_one_after_code_does_not() -> None:
    assert sifted(f"{OK}\nrun(q)\n", finding(2)).kept == ()
    assert len(sifted(f"x = 1  {OK}\nrun(q)\n", finding(2)).kept) == 1


def test_a_string_that_quotes_the_syntax_is_no_comment() -> None:
    assert read("app.py", f'text = """\n{OK}\n"""\nother = "{OK}"\n') == ()


@pytest.mark.parametrize(
    "comment",
    ["{# stopper: ignore[sql-injection] why #}", "<!-- stopper: ignore[sql-injection] why -->"],
)
def test_templates_have_comments_of_their_own(comment: str) -> None:
    (one,) = read("a.html", f"<p>{comment}</p>\n")
    assert (one.rules, one.reason) == (("sql-injection",), "why")


def test_one_comment_may_name_several_rules() -> None:
    (one,) = read("app.py", "x = 1  # stopper: ignore[sql-injection, csrf-missing] why\n")
    assert one.rules == ("sql-injection", "csrf-missing")
