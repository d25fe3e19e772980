"""Cells: who reads one again when it has grown, and who need not."""

from __future__ import annotations

from stopper.taint.domain import Taint, Value
from stopper.taint.shared import Shared

NAME = "app.User.name"
SENT = Value((Taint("request.args['name']"),))
STORED = Value((Taint("request.args['name']", marks=frozenset(("stored",))),))


def test_what_was_read_before_a_cell_grew_is_outdated() -> None:
    shared = Shared()
    shared.get(NAME)
    shared.put(NAME, SENT)
    shared.end_round()
    assert shared.outdated(shared.reading[-1])


def test_what_was_read_after_a_cell_grew_is_not_outdated() -> None:
    shared = Shared()
    shared.put(NAME, SENT)
    shared.end_round()
    shared.get(NAME)
    assert not shared.outdated(shared.reading[-1])


def test_another_cell_of_the_same_class_does_not_matter() -> None:
    shared = Shared()
    shared.get("app.User.id")
    shared.put(NAME, SENT)
    shared.end_round()
    assert not shared.outdated(shared.reading[-1])


def test_who_reads_a_whole_table_is_outdated_by_each_of_its_columns() -> None:
    shared = Shared()
    shared.under("table users")
    shared.put("table users.name", STORED)
    shared.end_round()
    assert shared.outdated(shared.reading[-1])


def test_who_does_not_look_at_what_was_stored_is_outdated_by_other_data_only() -> None:
    shared = Shared()
    shared.fresh(NAME)
    shared.put(NAME, STORED)
    shared.end_round()
    assert not shared.outdated(shared.reading[-1])
    shared.put(NAME, SENT)
    shared.end_round()
    assert shared.outdated(shared.reading[-1])


def test_the_same_data_once_more_changes_nothing() -> None:
    shared = Shared()
    shared.put(NAME, SENT)
    shared.end_round()
    shared.get(NAME)
    shared.put(NAME, SENT)
    shared.end_round()
    assert not shared.outdated(shared.reading[-1])


def test_who_rests_on_another_takes_the_earlier_of_two_readings() -> None:
    shared = Shared()
    shared.put("app.User.id", SENT)
    shared.end_round()
    shared.get(NAME)
    shared.rest_on({NAME: 0})
    shared.put(NAME, SENT)
    shared.end_round()
    assert shared.reading[-1] == {NAME: 0}
    assert shared.outdated(shared.reading[-1])
