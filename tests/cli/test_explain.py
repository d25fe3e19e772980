"""`stopper explain` prints a rule's page, lists all rules, and helps with a misspelt one."""

from click.testing import CliRunner

from stopper.cli.main import main
from stopper.rule import discover


def test_a_page_has_why_bad_good_and_references() -> None:
    result = CliRunner().invoke(main, ["explain", "sql-injection"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "sql-injection"
    assert "CWE-89" in lines[3]
    for heading in ("Bad", "Good", "References"):
        assert heading in lines


def test_every_rule_has_a_page_and_stands_in_the_list() -> None:
    listed = CliRunner().invoke(main, ["explain"]).output.splitlines()
    assert [line.split()[0] for line in listed] == [rule.slug for rule in discover()]
    assert len(listed) > 50


def test_an_unknown_rule_suggests_the_nearest() -> None:
    result = CliRunner().invoke(main, ["explain", "sql-injektion"])
    assert result.exit_code == 2
    assert "there is no rule 'sql-injektion'" in result.stderr
    assert "'sql-injection'" in result.stderr
    assert result.stdout == ""
