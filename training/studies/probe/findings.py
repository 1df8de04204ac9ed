"""What the records of the probe say on four questions about the paper's Lemmas 4 and 5, in numbers.

Intervals are 95 % by Student's t over the seeds: the images and the nets of one seed are no independent runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

from training.results.probe_record import POSITIONS, confirmed
from training.studies.acceleration.comparison import Interval, interval

Record = Mapping[str, Any]
KINDS = {"small-silu": "smooth", "small": "ReLU"}
NORMS = {"linf": "L-infinity", "l2": "L2"}
BASE, RIVALS = "at", {"at-ensgd": "AT+EnSGD", "awp": "AWP"}


def findings(records: Sequence[Record]) -> dict[str, Any]:
    """The answers, and the numbers behind them for the page and the figure; plain values.

    Raises: ValueError for no records.
    """
    if not records:
        raise ValueError("there is no record of the probe: run `python -m training.studies.probe`")
    along = [one for one in records if one["net"]["penalty"] is None]
    flattened = [one for one in records if one["net"]["penalty"] is not None]
    groups = [(kind, norm) for kind in KINDS for norm in NORMS if _of(along, kind, norm)]
    return {
        "settings": _settings(records),
        "seconds": round(sum(one["seconds"] for one in records), 1),
        "confirmed": [
            sum(confirmed(one) for one in records),
            sum(one["smoothness"] is not None for one in records),
        ],
        "positions": [_positions(_of(along, kind, norm), kind, norm) for kind, norm in groups],
        "constants": [
            found for norm in NORMS if (found := _constants(_of(along, "small-silu", norm), norm)) is not None
        ],
        "smoothness": [
            found
            for norm in NORMS
            for rival in RIVALS
            if (found := _compared(_of(along, "small-silu", norm), norm, rival)) is not None
        ],
        "flattening": [
            found
            for norm in NORMS
            for which, some in (("training", along), ("penalty", flattened))
            if (found := _slope(_of(some, "small-silu", norm), norm, which)) is not None
        ],
        "jumps": [
            found
            for kind, norm in groups
            if (found := _jumps(_of(along, kind, norm), kind, norm)) is not None
        ],
        "points": _points(records),
    }


def _of(records: Iterable[Record], kind: str, norm: str) -> list[Record]:
    return [one for one in records if one["net"]["model"] == kind and one["settings"]["norm"] == norm]


def _settings(records: Sequence[Record]) -> dict[str, Any]:
    radii = {one["settings"]["norm"]: one["settings"]["epsilon"] for one in records}
    return {
        "n": sorted({one["settings"]["n"] for one in records}),
        "second": sorted({one["settings"]["second"] for one in records}),
        "epsilon": radii,
        "seeds": _seeds(records),
        "recipes": sorted({one["net"]["recipe"] for one in records}),
        "nets": len({(one["net"]["weights"], one["net"]["recipe"]) for one in records}),
        "records": len(records),
        "hardware": sorted({str(one["hardware"].get("cpu", "?")) for one in records}),
    }


def _positions(records: Sequence[Record], kind: str, norm: str) -> dict[str, Any]:
    """Shares of the positions, over all images and at each epoch, and how many satisfy which lemma."""

    def shares(some: Sequence[Record]) -> dict[str, Any]:
        return {word: _by_seed(some, lambda group, word=word: _share(group, word)) for word in POSITIONS}  # type: ignore[misc]

    epochs = sorted({one["net"]["epoch"] for one in records if one["net"]["checkpoint"] == "epoch"})
    at_epoch = {
        epoch: [one for one in records if (one["net"]["epoch"], one["net"]["checkpoint"]) == (epoch, "epoch")]
        for epoch in epochs
    }
    every = _splits(records)
    settled = [split for split in every if split["at_ball"] is not None]
    converged = sum(len(split["top"]) for split in every)
    return {
        "kind": kind,
        "norm": norm,
        "images": sum(sum(split["positions"].values()) for split in every),
        "nets": len(records),
        "seeds": _seeds(records),
        "shares": shares(records),
        "along": {
            str(epoch): {word: _share(some, word) for word in POSITIONS} for epoch, some in at_epoch.items()
        },
        "at_ball": mean(split["at_ball"] for split in settled) if settled else None,
        "at_pixels": mean(split["at_pixels"] for split in settled) if settled else None,
        "strict": [sum(split["strict"] for split in every), converged],
        "several": [sum(split["several"] for split in every), converged],
        "runner_up": _median(value for split in every for value in split["runner_up"]),
        "gap": _median(value for split in every for value in split["gap"]),
        "nondegenerate": [
            sum(_positive(split["c"]) for split in every),
            sum(_given(split["c"]) for split in every),
        ],
    }


def _constants(records: Sequence[Record], norm: str) -> dict[str, Any] | None:
    """How far the bounds lie above the attack's measured speed, where it moves at all."""

    def ratios(some: Sequence[Record], bound: str) -> list[float]:
        pairs = [(one[bound], one["speed"]) for one in _measured(some)]
        return [allowed / speed for allowed, speed in pairs if allowed and speed]

    if not ratios(records, "tangent"):
        return None
    return {
        "norm": norm,
        "images": len(ratios(records, "tangent")),
        "nets": len(records),
        "seeds": _seeds(records),
        **{
            bound: _geometric_by_seed(records, lambda some, bound=bound: _median(ratios(some, bound)))  # type: ignore[misc]
            for bound in ("tangent", "paper")
        },
        "exceeded": sum(
            ratio < 1 - 1e-4 for bound in ("tangent", "paper") for ratio in ratios(records, bound)
        ),
    }


def _measured(records: Sequence[Record]) -> list[dict[str, float | None]]:
    """Speed and bounds of every image whose B was measured."""
    found = []
    for split in _splits(records):
        for c, c_paper, cross, tangent, speed in zip(
            split["c"], split["c_paper"], split["cross"], split["cross_tangent"], split["speed"], strict=False
        ):
            found.append(
                {
                    "speed": speed,
                    "tangent": tangent / c if c and c > 0 and speed is not None else None,
                    "paper": cross / c_paper if c_paper and c_paper > 0 and speed is not None else None,
                }
            )
    return found


def _compared(records: Sequence[Record], norm: str, rival: str) -> dict[str, Any] | None:
    """sigma_1(grad^2 L_eps) of a rival over AT's, at the last epoch, seed by seed, with the shares of the two parts."""
    last = max((one["net"]["epoch"] for one in records if one["net"]["checkpoint"] == "epoch"), default=None)
    ended = {
        (_method(one), one["net"]["seed"]): one["smoothness"]
        for one in records
        if one["net"]["epoch"] == last and one["net"]["checkpoint"] == "epoch" and confirmed(one)
    }
    seeds = sorted(seed for method, seed in ended if method == BASE and (rival, seed) in ended)
    if not seeds:
        return None
    return {
        "norm": norm,
        "rival": rival,
        "epoch": last,
        "seeds": seeds,
        "images": sum(ended[rival, seed]["n"] for seed in seeds),
        "base": [ended[BASE, seed]["sigma"] for seed in seeds],
        "sigma": [ended[rival, seed]["sigma"] for seed in seeds],
        **{
            f"ratio_{part}": _geometric(
                [abs(ended[rival, seed][part] / ended[BASE, seed][part]) for seed in seeds]
            )
            for part in ("sigma", "fixed", "motion")
            if all(ended[method, seed][part] for method in (BASE, rival) for seed in seeds)
        },
    }


def _slope(records: Sequence[Record], norm: str, which: str) -> dict[str, Any] | None:
    """The slope of log sigma_1(grad^2 L_eps), and of its parts, against the log of the curvature in x over the nets of
    each seed: the median largest eigenvalue of grad_x^2 l, or the median c of the tangent space."""
    used = [one for one in records if confirmed(one) and _curvature(one, "top") and _curvature(one, "c")]
    seeds = _seeds(used)
    found = {
        f"{part}_by_{x}": _interval(
            [
                slope
                for seed in seeds
                if (slope := _fitted([one for one in used if one["net"]["seed"] == seed], x, part))
                is not None
            ]
        )
        for part in ("sigma", "fixed", "motion")
        for x in ("top", "c")
    }
    if found["sigma_by_top"] is None:
        return None
    return {"norm": norm, "which": which, "nets": len(used), "seeds": seeds, **found}


def _fitted(records: Sequence[Record], x: str, part: str) -> float | None:
    """The least-squares slope of log |part| on log x."""
    pairs = [
        (math.log(_curvature(one, x) or 1), math.log(abs(one["smoothness"][part])))
        for one in records
        if one["smoothness"][part]
    ]
    if len({first for first, _ in pairs}) < 3:
        return None
    left, right = mean(first for first, _ in pairs), mean(second for _, second in pairs)
    spread = sum((first - left) ** 2 for first, _ in pairs)
    return sum((first - left) * (second - right) for first, second in pairs) / spread


def _curvature(record: Record, name: str) -> float | None:
    """The median over the training images of the largest curvature in x, or of c; None unless positive."""
    found = _median(record["splits"]["train"][name])
    return found if found is not None and found > 0 else None


def _jumps(records: Sequence[Record], kind: str, norm: str) -> dict[str, Any] | None:
    seen = [one["jumps"] for one in records if one["jumps"] is not None]
    images = sum(one["n"] for one in seen)
    if not images:
        return None
    return {
        "kind": kind,
        "norm": norm,
        "images": images,
        "nets": len(seen),
        "moved": sum(one["moved"] for one in seen),
        "refaced": sum(one["refaced"] for one in seen),
        "jump": _median(value for one in seen for value in one["jump"]),
        "leap": _median(value for one in seen for value in one["leap"]),
    }


def _points(records: Sequence[Record]) -> dict[str, Any]:
    """What the figure draws beside the shares: speeds against bounds, and one point a net."""
    smooth = [one for one in records if one["net"]["model"] == "small-silu"]
    return {
        "speeds": {
            norm: [one for one in _measured(_of(smooth, "small-silu", norm)) if one["speed"]]
            for norm in NORMS
        },
        "nets": [
            {
                "recipe": one["net"]["recipe"],
                "penalty": one["net"]["penalty"],
                "seed": one["net"]["seed"],
                "epoch": one["net"]["epoch"],
                "checkpoint": one["net"]["checkpoint"],
                "norm": one["settings"]["norm"],
                "top": _curvature(one, "top"),
                "c": _curvature(one, "c"),
                **{part: one["smoothness"][part] for part in ("sigma", "fixed", "motion")},
            }
            for one in smooth
            if confirmed(one)
        ],
    }


def _by_seed(
    records: Sequence[Record], measure: Callable[[Sequence[Record]], float | None]
) -> dict[str, Any] | None:
    values = (measure([one for one in records if one["net"]["seed"] == seed]) for seed in _seeds(records))
    return _interval([value for value in values if value is not None])


def _geometric_by_seed(
    records: Sequence[Record], measure: Callable[[Sequence[Record]], float | None]
) -> dict[str, Any] | None:
    values = (measure([one for one in records if one["net"]["seed"] == seed]) for seed in _seeds(records))
    return _geometric([value for value in values if value])


def _geometric(values: Sequence[float]) -> dict[str, Any] | None:
    found = _interval([math.log(value) for value in values])
    return found and {
        name: value if name == "n" or value is None else math.exp(value) for name, value in found.items()
    }


def _interval(values: Sequence[float]) -> dict[str, Any] | None:
    if not values:
        return None
    found: Interval = interval(list(values))
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _share(records: Sequence[Record], word: str) -> float:
    counted = [split["positions"] for split in _splits(records)]
    return sum(one[word] for one in counted) / sum(sum(one.values()) for one in counted)


def _splits(records: Iterable[Record]) -> list[Mapping[str, Any]]:
    return [split for one in records for split in one["splits"].values()]


def _seeds(records: Iterable[Record]) -> list[int]:
    return sorted({one["net"]["seed"] for one in records})


def _method(record: Record) -> str:
    return record["net"]["recipe"].partition("-")[2]


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return median(found) if found else None


def _positive(values: Iterable[float | None]) -> int:
    return sum(value is not None and value > 0 for value in values)


def _given(values: Iterable[float | None]) -> int:
    return sum(value is not None for value in values)
