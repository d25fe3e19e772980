"""The SARIF report holds what GitHub code scanning asks for, and nothing that it refuses."""

import json
from typing import Any

from stopper.finding import Location
from stopper.reports import sarif


def said(report: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif.render(report))
    return document


def test_the_frame_is_sarif_2_1_0(make: Any) -> None:
    document = said(make())
    assert document["version"] == "2.1.0"
    assert "sarif-2.1.0" in document["$schema"]
    (run,) = document["runs"]
    assert run["tool"]["driver"]["name"] == "Stopper"
    told = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert told[0] == "not looked at: blog/broken.py: this is no Python"
    assert "this ignore has no reason" in told[1]


def test_a_rule_has_texts_help_tags_and_a_score_that_is_a_string(make: Any) -> None:
    (rule,) = said(make())["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "sql-injection"
    assert rule["shortDescription"]["text"]
    assert rule["fullDescription"]["text"]
    assert rule["help"]["text"]
    assert 'db.execute("SELECT ?", (value,))' in rule["help"]["markdown"]
    score = rule["properties"]["security-severity"]
    assert isinstance(score, str)
    assert float(score) > 9.0
    assert rule["properties"]["precision"] == "high"
    assert "external/cwe/cwe-089" in rule["properties"]["tags"]
    assert len(rule["properties"]["tags"]) <= 10


def test_a_result_has_one_place_with_four_numbers_and_a_fingerprint(make: Any) -> None:
    run = said(make())["runs"][0]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["message"]["text"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "blog/views.py"
    assert location["physicalLocation"]["region"] == {
        "startLine": 12,
        "startColumn": 16,
        "endLine": 12,
        "endColumn": 58,
    }
    assert result["partialFingerprints"]["primaryLocationLineHash"] == "0000000000000000:1"
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == 2
    assert result["relatedLocations"][0]["id"] == 1


def test_a_place_without_end_or_with_odd_letters_is_still_a_region_and_a_relative_uri(make: Any) -> None:
    result = said(make(location=Location("a b/#é.py", 3)))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%23%C3%A9.py"
    region = place["region"]
    assert (region["startLine"], region["endLine"]) == (3, 3)
    assert region["endColumn"] > region["startColumn"] >= 1


def test_what_github_would_cut_is_the_least(make: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 2)
    report = make(5)
    kept = [one["partialFingerprints"]["stopper/v1"] for one in said(report)["runs"][0]["results"]]
    assert kept == [one.fingerprint for one in report.findings[:2]]
