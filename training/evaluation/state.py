"""What an AutoAttack that was cut short knows after each batch, for one model, data set and settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from support.files import replace_file
from support.own_files import read_json
from support.shapes import INDEX, NOT_NEGATIVE, Shape

FORMAT = 1
STAGE: dict[str, Shape] = {
    **dict.fromkeys(("name", "robust"), str),
    "batches": INDEX,
    **dict.fromkeys(("largest_norm", "seconds"), NOT_NEGATIVE),
}
STATE: dict[str, Shape] = {
    "format": int,
    "run": dict,
    "clean": str,
    "stages": [STAGE],
    "current": (STAGE, None),
    "warnings": [str],
}


class ForeignState(ValueError):
    """A file that holds no state of AutoAttack, or that of another run."""


@dataclass
class Stage:
    """One attack: the examples (n,) bool it left standing, out of those that stood before it."""

    name: str
    robust: Tensor
    batches: int = 0
    largest_norm: float = 0.0
    seconds: float = 0.0

    @property
    def accuracy(self) -> float:
        return int(self.robust.sum()) / len(self.robust)


@dataclass
class State:
    """The stages that ended, and the one under way. `run`: what must agree for a state to be continued."""

    run: dict[str, Any]
    clean: Tensor
    stages: list[Stage] = field(default_factory=list)
    current: Stage | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def clean_accuracy(self) -> float:
        return int(self.clean.sum()) / len(self.clean)

    def begin(self, name: str) -> Stage:
        """The stage under way, a new one if there is none."""
        if self.current is None:
            self.current = Stage(name, self._before().clone())
        return self.current

    def batches(self, size: int) -> list[Tensor]:
        """The indices each batch of the stage under way attacks.

        What stood before the stage decides them, not what fell since: a resumed stage has the same batches.
        """
        indices = self._before().nonzero().flatten()
        return list(indices.split(size)) if len(indices) else []

    def note(self, warnings: list[str]) -> None:
        """Keep those texts that are new."""
        self.warnings += [text for text in warnings if text not in self.warnings]

    def end(self) -> None:
        if self.current is not None:
            self.stages.append(self.current)
            self.current = None

    def save(self, path: Path | None) -> None:
        """Replaces the file as a whole: it holds the state before or after, whenever the process dies."""
        if path is None:
            return
        replace_file(path, json.dumps(self._as_json()))

    def _before(self) -> Tensor:
        return self.stages[-1].robust if self.stages else self.clean

    def _as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "clean": _packed(self.clean),
            "stages": [_stage_as_json(stage) for stage in self.stages],
            "current": None if self.current is None else _stage_as_json(self.current),
            "warnings": self.warnings,
        }


def opened(path: Path | None, run: dict[str, Any], clean: Callable[[], Tensor]) -> State:
    """The state in the file, or a new one, with `clean()` (n,) bool the examples to attack, where there is none.

    Raises: ForeignState for a file that holds something else, or the state of another run.
    """
    if path is None or not path.exists():
        return State(run, clean())
    advice = "delete the file to start anew, or pass another path"
    try:
        content = read_json(path, STATE)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        theirs = content["run"]
        differing = sorted(name for name in run.keys() | theirs.keys() if run.get(name) != theirs.get(name))
        state = None if differing else _state_from_json(content, run["n"])
    except ValueError as error:
        why = str(error).removeprefix(str(path)).lstrip(", ")
        raise ForeignState(f"state_path = {path} holds no state of AutoAttack ({why}): {advice}") from error
    if state is None:
        raise ForeignState(
            f"state_path = {path} belongs to a run with other {', '.join(differing)}: {advice}"
        )
    return state


def fingerprint(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Any]:
    """n and the SHA-256 of weights with buffers, and of images with labels."""
    weights = [(name, value) for name, value in model.state_dict().items() if isinstance(value, Tensor)]
    return {
        "n": len(images),
        "weights": _digest(weights),
        "data": _digest([("images", images), ("labels", labels)]),
    }


def _digest(tensors: list[tuple[str, Tensor]]) -> str:
    total = hashlib.sha256()
    for name, value in tensors:
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        # As bytes first: numpy knows no bfloat16.
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _state_from_json(content: dict[str, Any], n: int) -> State:
    return State(
        content["run"],
        _unpacked(content["clean"], n),
        [_stage_from_json(stage, n) for stage in content["stages"]],
        None if content["current"] is None else _stage_from_json(content["current"], n),
        list(content["warnings"]),
    )


def _stage_as_json(stage: Stage) -> dict[str, Any]:
    return {**vars(stage), "robust": _packed(stage.robust), "accuracy": stage.accuracy}


def _stage_from_json(content: dict[str, Any], n: int) -> Stage:
    fields = {name: content[name] for name in ("name", "batches", "largest_norm", "seconds")}
    return Stage(robust=_unpacked(content["robust"], n), **fields)


def _packed(flags: Tensor) -> str:
    return np.packbits(flags.numpy()).tobytes().hex()


def _unpacked(text: str, n: int) -> Tensor:
    packed = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    if len(packed) != -(-n // 8):
        raise ValueError(f"{8 * len(packed)} flags for {n} examples")
    bits = np.unpackbits(packed, count=n)
    return torch.from_numpy(bits.astype(bool))
