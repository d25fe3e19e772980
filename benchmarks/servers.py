"""Judges that are not ours: MDN's Observatory and Google's CSP Evaluator, asked by drivers of a few lines.

Both come from `npm install --ignore-scripts @mdn/mdn-http-observatory csp_evaluator` in a folder of one's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCAN = """
import { retrieve } from "P/src/retriever/retriever.js";
import { ALL_TESTS } from "P/src/constants.js";
import * as grader from "P/src/grader/grader.js";
const [host, http, https, path] = process.argv.slice(2);
const requests = await retrieve(host, { httpPort: Number(http), httpsPort: Number(https), path });
const results = (await Promise.all(ALL_TESTS.map((test) => test(requests)))).filter((one) => one);
const modifiers = results.map((one) => grader.getScoreModifier(one.result));
const base = 100 + modifiers.filter((one) => one < 0).reduce((a, b) => a + b, 0);
const full = 100 + modifiers.reduce((a, b) => a + b, 0);
const { score, grade } = grader.getGradeForScore(base >= 90 ? full : base);
console.log(JSON.stringify({ score, grade, tests: Object.fromEntries(results.map((one) => [one.constructor.name, one.result])) }));
"""
EVALUATE = """
import { CspEvaluator } from "N/csp_evaluator/dist/evaluator.js";
import { CspParser } from "N/csp_evaluator/dist/parser.js";
import { Version } from "N/csp_evaluator/dist/csp.js";
const found = new CspEvaluator(new CspParser(process.argv[2]).csp, Version.CSP3).evaluate();
console.log(JSON.stringify(found.map((one) => ({ severity: one.severity, directive: one.directive, value: one.value, type: one.type }))));
"""
SEVERITIES = {
    10: "HIGH",
    20: "SYNTAX",
    30: "MEDIUM",
    40: "HIGH_MAYBE",
    45: "STRICT_CSP",
    50: "MEDIUM_MAYBE",
    60: "INFO",
    100: "NONE",
}
"""What the evaluator's numbers mean (csp_evaluator's finding.ts)."""
MEDIUM_OR_ABOVE = ("HIGH", "MEDIUM", "HIGH_MAYBE", "MEDIUM_MAYBE")
INFO_OR_BELOW = ("INFO", "NONE")


@dataclass(frozen=True)
class Weak:
    """What the evaluator says of one source of a policy."""

    severity: str
    directive: str
    value: str

    def __str__(self) -> str:
        return f"{self.directive} {self.value}".strip()


def observatory(
    node: Path | None, folder: Path, ports: tuple[int, int], ca: Path
) -> dict[str, object] | None:
    """Return what the Observatory says of localhost, or None where it was not given or gave nothing.

    Args:
        node: The folder that holds node_modules.
        folder: Where the driver may be written.
        ports: The ports of plain HTTP and of HTTPS.
        ca: The authority of the server's certificate.
    """
    if node is None:
        return None
    package = node / "node_modules" / "@mdn" / "mdn-http-observatory"
    for name, text in (("hsts-preload.json", "{}"), ("tld-list.json", '["test"]')):
        if not (package / "conf" / name).exists():
            (package / "conf" / name).write_text(text)
    (folder / "scan.mjs").write_text(SCAN.replace('"P/', f'"{package}/'))
    command = ["node", str(folder / "scan.mjs"), "localhost", *map(str, ports), "/"]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(ca)},
        check=False,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(run.stderr[-2000:], file=sys.stderr)
        return None
    said: dict[str, object] = json.loads(lines[-1])
    return said


def evaluated(node: Path | None, folder: Path, policy: str) -> list[Weak] | None:
    """Return all that Google's evaluator says of a policy, or None where it was not given or failed."""
    if node is None or not policy:
        return None if node is None else []
    (folder / "csp.mjs").write_text(EVALUATE.replace('"N/', f'"{node}/node_modules/'))
    run = subprocess.run(
        ["node", str(folder / "csp.mjs"), policy], capture_output=True, text=True, check=False
    )
    if run.returncode:
        print(run.stderr[-1000:], file=sys.stderr)
        return None
    return [
        Weak(SEVERITIES.get(one["severity"], "HIGH"), one["directive"], one.get("value") or "")
        for one in json.loads(run.stdout)
    ]
