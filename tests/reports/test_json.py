"""The JSON report is a public interface: its keys, their order and its bytes do not change unasked."""

import json
from typing import Any

from stopper.reports.json import render

PLACE = ["path", "line", "column", "end_line", "end_column"]


def test_every_key_of_the_schema_is_there(make: Any) -> None:
    said = json.loads(render(make()))
    assert said["schema"] == "stopper-report/1"
    assert {"target", "areas", "grade", "findings", "skipped", "suppressed", "notes", "stats"} < set(said)
    assert list(said["stats"]) == ["files", "lines", "templates", "routes", "seconds"]
    assert said["skipped"] == [{"what": "blog/broken.py", "reason": "this is no Python"}]
    (finding,) = said["findings"]
    assert {
        *("rule", "area", "severity", "confidence", "cwe", "message", "location", "flow", "route"),
        *("evidence", "fingerprint", "fix", "proof"),
    } <= set(finding)
    assert list(finding["location"]) == PLACE
    assert [list(step) for step in finding["flow"]] == [["path", "line", "column", "note"]] * 2
    assert finding["route"] == {"rule": "/post", "methods": ["GET"], "endpoint": "post"}
    assert finding["proof"] is None


def test_all_eight_areas_stand_in_it_with_state_and_counts(make: Any) -> None:
    areas = {one["area"]: one for one in json.loads(render(make()))["areas"]}
    assert len(areas) == 8
    assert (areas["sql"]["state"], areas["xss"]["state"], areas["limits"]["state"]) == (
        "open",
        "unseen",
        "closed",
    )
    assert areas["sql"]["counts"] == {"critical": 1, "high": 0, "medium": 0, "low": 0, "info": 0}


def test_keys_stay_when_there_is_nothing_to_say(make: Any) -> None:
    full = json.loads(render(make()))["findings"][0]
    bare = json.loads(render(make(route=None, fix=None, flow=(), evidence=(), cwe=(), remedy="")))["findings"]
    assert set(bare[0]) == set(full)
    assert (bare[0]["route"], bare[0]["fix"], bare[0]["flow"]) == (None, None, [])


def test_the_same_report_gives_the_same_ascii_bytes(make: Any) -> None:
    first = render(make(3, message="\xe9\u200b \x1b \ud800"))
    assert first == render(make(3, message="\xe9\u200b \x1b \ud800"))
    assert first.isascii()
    assert first.endswith("}\n")
    assert "\x1b" not in first
