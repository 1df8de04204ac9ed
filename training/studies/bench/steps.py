"""Clocks the steps of a recipe under both engines in turn, and the floor below them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing
from training.studies.bench.stopwatch import Stopwatch, spread
from training.studies.bench.work import (
    BYTE_MODEL,
    Work,
    clock,
    copy_rate,
    precision_of,
    product_rate,
    step_work,
)

ROUNDS = 5  # blocks of each engine, in turn, so that a machine that slows down slows both
STEPS = {"cuda": 100, "cpu": 10}
EVALUATED = 10_000
TF32_CONVOLUTIONS = "reference with TF32 convolutions"


def steps_entry(
    used: Recipe,
    data: Dataset,
    computing: dict[str, Computing],
    options: argparse.Namespace,
    tell: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """What both engines take for the recipe's steps, in this process and in turn, beside the floor of the device.

    `tell` is called with what begins.
    """
    tell("counting the work of a step")
    device = data.train_images.device
    images = _evaluated(used, data, computing["fast"], options)
    classes, channels = len(data.classes), data.train_images.shape[1]
    work = {
        engine: step_work(used, classes, channels, one, weight_gradients=one.choice.weight_gradients)
        for engine, one in computing.items()
    }
    steps = max(1, (options.steps or STEPS.get(device.type, STEPS["cpu"])) // ROUNDS)
    tell("building both engines")
    watches = {engine: Stopwatch(used, data, one) for engine, one in computing.items()}
    third = public_codes(used, data, computing["reference"])
    blocks = _in_turn(watches | third, steps, tell)
    tell("rates of the device")
    rates = {
        name: product_rate(device, name) for name in dict.fromkeys(map(precision_of, computing.values()))
    }
    rates["copy"] = copy_rate(device)
    engines = {
        engine: _engine(used, data, watch, blocks[engine], work[engine], rates, images, tell)
        for engine, watch in watches.items()
    }
    medians = {engine: one["seconds_a_step"]["median"] for engine, one in engines.items()}
    needed = work["fast"]
    floor = {
        "arithmetic": needed.flops / rates[precision_of(computing["fast"])],
        "bandwidth": needed.bytes / rates["copy"],
    }
    return {
        "what": "steps",
        "steps": steps * ROUNDS,
        "rounds": ROUNDS,
        "clock": "wall" if clock(device) is time.perf_counter else "processor time",
        "engines": engines,
        "ratio": _ratio(blocks, "reference"),
        # None where there is no TF32.
        "tf32_convolutions": {
            "seconds_a_step": spread(blocks[TF32_CONVOLUTIONS]),
            "ratio": _ratio(blocks, TF32_CONVOLUTIONS),
        }
        if third
        else None,
        "rates": rates,
        "floor": {
            "seconds_a_step": floor,
            "flops_a_step": needed.flops,
            "bytes_a_step": needed.bytes,
            "byte_model": BYTE_MODEL,
            "gap": medians["fast"] / max(floor.values()),
        },
    }


def public_codes(used: Recipe, data: Dataset, reference: Computing) -> dict[str, Stopwatch]:
    """On a GPU the reference once more with the convolutions of the public codes, who leave torch its TF32 there; {}
    on a CPU, which has none."""
    if reference.kind != "cuda":
        return {}
    return {TF32_CONVOLUTIONS: Stopwatch(used, data, reference, tf32_convolutions=True)}


def _in_turn(
    watches: dict[str, Stopwatch], steps: int, tell: Callable[[str], None]
) -> dict[str, list[float]]:
    """Seconds a step of every block of each."""
    blocks: dict[str, list[float]] = {name: [] for name in watches}
    for number in range(1, ROUNDS + 1):
        for name, watch in watches.items():
            tell(f"round {number} of {ROUNDS}, {name}")
            blocks[name].append(watch.block(steps))
    return blocks


def _ratio(blocks: dict[str, list[float]], slower: str) -> dict[str, float]:
    """How many times as long as the fast engine, round by round."""
    return spread([b / a for a, b in zip(blocks["fast"], blocks[slower], strict=True)])


def _engine(
    used: Recipe,
    data: Dataset,
    watch: Stopwatch,
    blocks: Sequence[float],
    work: Work,
    rates: dict[str, float],
    images: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    tell(f"evaluation and pieces, {watch.computing.engine}")
    seconds = spread(blocks)
    precision = precision_of(watch.computing)
    evaluation = watch.evaluation(images)
    return {
        "seconds_a_step": seconds,
        "images_a_second": used.batch / seconds["median"],
        "seconds_an_epoch": seconds["median"] * len(data.train_images) / used.batch,
        "flops_a_step": work.flops,
        "flops_a_second": work.flops / seconds["median"],
        "precision": precision,
        "share_of_peak": work.flops / seconds["median"] / rates[precision],
        "peak_memory": watch.memory,
        "start_up_seconds": watch.start_up,
        "pieces": watch.pieces(),
        "evaluation": {
            "images": images,
            "seconds": evaluation,
            "seconds_a_10000": evaluation / images * 10_000,
        },
        "used": dict(watch.parts.machine.used),
        "note": watch.parts.machine.note,
    }


def _evaluated(used: Recipe, data: Dataset, computing: Computing, options: argparse.Namespace) -> int:
    """How many test images the evaluation is clocked on: with --evaluation all of them, else one batch."""
    there = len(data.test_images)
    if options.examples is not None and options.examples > there:
        raise ValueError(
            f"examples = {options.examples}: there are {there} test images, ask for at most these"
        )
    if options.examples is not None:
        return options.examples
    batch = computing.choice.evaluation_batch if computing.kind == "cuda" else used.batch
    return min(there, EVALUATED if options.evaluation else batch)
