"""The base score of a CVSS 3 vector, as section 7.1 of the CVSS 3.1 specification has it."""

from __future__ import annotations

import math

_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def base_score(vector: str) -> float | None:
    """Return the base score of ``CVSS:3.1/AV:N/...``; None for another version of CVSS or a broken vector."""
    if not vector.startswith("CVSS:3"):
        return None
    values = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    try:
        weight = {metric: table[values[metric]] for metric, table in _WEIGHTS.items()}
        privileges = _PRIVILEGES[values["S"]][values["PR"]]
    except KeyError:
        return None
    remaining = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    changed = values["S"] == "C"
    impact = 7.52 * (remaining - 0.029) - 3.25 * (remaining - 0.02) ** 15 if changed else 6.42 * remaining
    if impact <= 0:
        return 0.0
    reach = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _round_up(min((impact + reach) * (1.08 if changed else 1.0), 10))


def _round_up(score: float) -> float:
    """Round up to one decimal, in integers, as appendix A of the specification does."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
