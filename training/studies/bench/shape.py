"""What results/training_bench.json holds, so that an earlier file is checked before a new timing is added to it."""

from __future__ import annotations

from typing import Any

from support.shapes import COUNT, INDEX, NOT_NEGATIVE, POSITIVE, SHARE, Misfit, Shape, fit

FORMAT = 1
PIECES = {"attack": "attack", "other": "loss, gradient, AWP", "update": "update", "data": "data"}
SPREAD: dict[str, Shape] = dict.fromkeys(("median", "low", "high"), POSITIVE)
ENGINE: dict[str, Shape] = {
    "seconds_a_step": SPREAD,
    **dict.fromkeys(("images_a_second", "seconds_an_epoch", "flops_a_second"), POSITIVE),
    **dict.fromkeys(("share_of_peak", "peak_memory", "start_up_seconds"), NOT_NEGATIVE),
    "precision": str,
    "pieces": {**dict.fromkeys(PIECES, NOT_NEGATIVE), "attack": POSITIVE},
    "evaluation": {"images": COUNT, "seconds": POSITIVE, "seconds_a_10000": POSITIVE},
    "used": {str: str},
}
COMMON: dict[str, Shape] = {
    **dict.fromkeys(("what", "recipe", "data", "commit"), str),
    "batch": COUNT,
    "threads": COUNT,
    "device": frozenset({"cpu", "cuda"}),
    "hardware": {"cpu": str, "accelerator": (str, None)},
    "versions": {str: str},
}
STEPS: dict[str, Shape] = {
    "steps": COUNT,
    "rounds": COUNT,
    "images_an_epoch": COUNT,
    "engines": {"fast": ENGINE, "reference": ENGINE},
    "ratio": SPREAD,
    "rates": {str: POSITIVE, "copy": POSITIVE},
    "floor": {
        "seconds_a_step": {"arithmetic": POSITIVE, "bandwidth": POSITIVE},
        **dict.fromkeys(("flops_a_step", "bytes_a_step", "gap"), POSITIVE),
        "byte_model": str,
    },
}
TF32 = {"seconds_a_step": SPREAD, "ratio": SPREAD}
STAGE = {"name": str, "accuracy": SHARE, "seconds": NOT_NEGATIVE, "passed": NOT_NEGATIVE}
AUTOATTACK = {"images": COUNT, "epoch": INDEX, "clean": SHARE, "stages": [STAGE, ...], "bound": {"name": str}}
KINDS = {"steps": STEPS, "autoattack": AUTOATTACK}


def check_file(content: Any) -> None:
    """Passes what the bench has written. Raises: Misfit, a ValueError that says where it is something else."""
    fit(content, {"format": int, "entries": [COMMON]})
    if content["format"] != FORMAT:
        raise Misfit(f"= {content['format']}, need {FORMAT}", ("format",))
    for place, entry in enumerate(content["entries"]):
        where = ("entries", place)
        if entry["what"] not in KINDS:
            raise Misfit(f"= {entry['what']!r}, need one of {', '.join(KINDS)}", (*where, "what"))
        fit(entry, KINDS[entry["what"]], where)
        # Missing in timings from before it was clocked, null in those of a CPU.
        if entry.get("tf32_convolutions") is not None:
            fit(entry["tf32_convolutions"], TF32, (*where, "tf32_convolutions"))
