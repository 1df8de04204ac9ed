"""What a record of the probe holds, the smoothness of one net's adversarial loss at some digits, and its check.

A record holds

    net        : {"recipe": name, "digest", "seed", "model", "penalty": weight of the input-gradient penalty or null,
                 "checkpoint": "best_test" | "epoch", "epoch": finished epochs, "weights": hash of them}
    settings   : {"norm", "epsilon", "n": images of each split, "second": of which B was measured, "restarts", "seed"}
    splits     : {"train", "test"} -> {"positions": {word: number of images}, "strict": images whose constraints all
                 press, "several": images with more than one local maximum, of those that converged; "runner_up",
                 "gap": the loss of the best maximum less that of the next one, and of plain PGD; "at_ball",
                 "at_pixels": mean share of coordinates held; "top", "c", "c_paper", "cross", "cross_tangent", "speed":
                 lists as in `training.studies.probe.curvature.SecondOrder`, null for what does not exist}
    smoothness : as `training.studies.probe.smoothness.Smoothness`, on the training images; null where nothing converged
    jumps      : {"n", "moved", "refaced", "leap": [...], "jump": [...]} over one step of SGD; null where not looked for
    commit, versions, hardware, threads, seconds : of this computation
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

POSITIONS = ("interior", "sphere", "faces", "corner", "kink", "unresolved")
NET = {"recipe", "digest", "seed", "model", "penalty", "checkpoint", "epoch", "weights"}
SETTINGS = {"norm", "epsilon", "n", "second", "restarts", "seed"}
LISTS = ("top", "c", "c_paper", "cross", "cross_tangent", "speed", "runner_up", "gap")
SPLIT = {"positions", "strict", "several", "at_ball", "at_pixels", *LISTS}
SMOOTHNESS = {"n", "sigma", "fixed", "motion", "along_fixed", "along_motion", "difference"}
FIELDS = {
    *("net", "settings", "splits", "smoothness", "jumps"),
    *("commit", "versions", "hardware", "threads", "seconds"),
}
# Relative: how far the curvature by differences, with attacks found again, may lie from the computed one.
AGREES = 0.01


def validate_probe(record: Any) -> None:
    """Passes a record of the probe that is complete and agrees with itself.

    Raises: ValueError naming the field, its value and what is required.
    """
    _has(record, FIELDS, "record")
    _has(record["net"], NET, "net")
    _has(record["settings"], SETTINGS, "settings")
    _has(record["splits"], {"train", "test"}, "splits")
    for name, split in record["splits"].items():
        _has(split, SPLIT, f"splits.{name}")
        _counts(split, f"splits.{name}", record["settings"]["n"])
    if record["smoothness"] is not None:
        _has(record["smoothness"], SMOOTHNESS, "smoothness")


def probe_key(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record is of; two with the same key hold the same measurement."""
    return {"net": record["net"], "settings": record["settings"]}


def confirmed(record: Mapping[str, Any]) -> bool:
    """Whether differences of gradients, with attacks found again, confirm the turning of grad L_eps."""
    found = record["smoothness"]
    return found is not None and abs(found["difference"] - found["sigma"]) <= AGREES * abs(found["sigma"])


def _counts(split: Mapping[str, Any], where: str, n: int) -> None:
    positions = split["positions"]
    if set(positions) != set(POSITIONS) or sum(positions.values()) != n:
        raise ValueError(f"{where}.positions = {positions}, need {n} images over {', '.join(POSITIONS)}")
    for name in LISTS:
        good = isinstance(split[name], list) and len(split[name]) <= n
        if not good or not all(value is None or math.isfinite(value) for value in split[name]):
            raise ValueError(f"{where}.{name} = {split[name]!r}, need at most {n} numbers or nulls")


def _has(value: Any, fields: set[str], where: str) -> None:
    if not isinstance(value, Mapping) or set(value) != fields:
        found = ", ".join(sorted(value)) if isinstance(value, Mapping) else type(value).__name__
        raise ValueError(f"{where} holds {found}; need {', '.join(sorted(fields))}")
