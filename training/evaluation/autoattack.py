"""AutoAttack accuracy: `pyautoattack`, run batch by batch and resumable.

The package itself saves a state that a resumed run does not continue to the same result, resets torch's global
random generator, and leaves gradients in the weights; here none of that happens.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pyautoattack import AutoAttack, checks
from torch import Tensor, nn

from training.evaluation.accuracies import check_examples, float_logits, pixels, require_finite_logits
from training.evaluation.state import fingerprint, opened
from training.methods.ascent import recordable, without_weight_gradients
from training.methods.batch_norm import evaluating
from training.scalars import real, whole

# The attacks of AutoAttack's standard version, in its order; each tries only what the ones before left standing.
STANDARD = ("apgd-ce", "apgd-t", "fab-t", "square")
PACKAGE_NORMS = {"linf": "Linf", "l2": "L2"}
PACKAGE_ORDERS = {"linf": math.inf, "l2": 2.0}
# The targeted losses rank four logits.
FEWEST_CLASSES = 4
# The attacks project in float32 and far from 0: a radius may come out larger by a few roundings of the pixels.
RADIUS_SLACK = 1e-4
PIXEL_SLACK = 1e-5
LOGGER = logging.getLogger("auto-attack")  # of the package

Progress = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class AutoAttackResult:
    """What AutoAttack left of n examples; every accuracy is a whole number over n.

    `clean`: before any attack. `stages`: accuracy after each stage, in order. `robust`: (n,) bool on the CPU, the
    examples no stage fooled. `largest_norm`: of the perturbations that fooled, at most epsilon up to rounding.
    `seconds`: of each stage, interruptions not counted. `warnings`: the package's own, each once: that the model seems
    to be randomised or dynamic, to return probabilities, to hide its gradients.
    """

    clean: float
    stages: dict[str, float]
    robust: Tensor
    norm: str
    epsilon: float
    seed: int
    batch: int
    largest_norm: float
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """After the last stage."""
        return list(self.stages.values())[-1]

    @property
    def n(self) -> int:
        return len(self.robust)

    @property
    def standard(self) -> bool:
        """Whether all four attacks ran; otherwise `accuracy` is an upper bound of AutoAttack's."""
        return tuple(self.stages) == STANDARD

    @property
    def settings(self) -> dict[str, Any]:
        """How the attack was made, ready for JSON; records are averaged where it agrees."""
        name = "standard" if self.standard else f"{'+'.join(self.stages)} (upper bound)"
        return {
            "norm": self.norm,
            "epsilon": self.epsilon,
            "n": self.n,
            "seed": self.seed,
            "version": name,
            "package": _package(),
            "batch": self.batch,
        }


@torch.inference_mode(False)
def autoattack_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    norm: str = "linf",
    seed: int,
    batch: int = 250,
    stages: tuple[str, ...] = STANDARD,
    state_path: Path | None = None,
    progress: Progress | None = None,
) -> AutoAttackResult:
    """The accuracy AutoAttack leaves, with pixels in [0, 1]: that of `pyautoattack` at the same seed and batch size.

    `images`, `labels`: as `accuracy`; attack the first n by passing the first n. `epsilon` in (0, 1] for "linf" and
    > 0 for "l2". `seed` >= 0: the package seeds every batch with it, so the result depends on `batch` too.
    `stages`: the first ones of `STANDARD`; ("apgd-ce", "apgd-t") gives an upper bound at a third of the cost.
    `state_path`: written atomically after every batch. A later call with the same model, data and settings
    continues there and ends with the same result; more stages may be asked for than before.
    `progress(stage, batches done, batches, accuracy so far)`: called after every batch, its state being saved.
    Afterwards the model's modes, `.grad` and `requires_grad` and torch's random generators are as before.

    Raises: ValueError for arguments outside their range, and for fewer than 4 classes; NonFiniteLogits; ForeignState,
    before any attack, for a state that belongs to another run. RuntimeError if the package returns a perturbation
    outside the ball or the box.
    """
    epsilon, seed = _checked_options(epsilon, norm, seed, stages)
    device, batch = check_examples(model, images, labels, batch), int(batch)
    settings: dict[str, Any] = {"norm": norm, "epsilon": epsilon, "seed": seed, "batch": batch}
    run = {**settings, "package": _package(), **fingerprint(model, images, labels)}
    with evaluating(model), without_weight_gradients(model), _own_randomness(), _collected() as warnings:
        x, y = recordable(pixels(images, device)), recordable(labels.to(device))
        attacks = _attacks(model, x[:1], epsilon, norm, seed)
        state = opened(state_path, run, lambda: _right(model, x, y, batch))
        _check_model(model, x[:batch], y[:batch])
        for name in stages[len(state.stages) :]:
            stage, batches = state.begin(name), state.batches(batch)
            for indices in batches[stage.batches :]:
                since = time.perf_counter()
                fooled, size = _fooled(model, attacks[name], x[indices], y[indices], epsilon, norm)
                stage.robust[indices[fooled]] = False
                stage.largest_norm = max(stage.largest_norm, size)
                stage.batches += 1
                stage.seconds += time.perf_counter() - since
                state.note(warnings)
                state.save(state_path)
                if progress:
                    progress(name, stage.batches, len(batches), stage.accuracy)
            state.end()
            state.save(state_path)
        kept = state.stages[: len(stages)]
        reached = {"clean": state.clean_accuracy, **{stage.name: stage.accuracy for stage in kept}}
        checks.check_square_sr(reached, logger=LOGGER)
        state.note(warnings)
    return AutoAttackResult(
        clean=state.clean_accuracy,
        stages={stage.name: stage.accuracy for stage in kept},
        robust=kept[-1].robust,
        largest_norm=max(stage.largest_norm for stage in kept),
        seconds={stage.name: stage.seconds for stage in kept},
        warnings=tuple(state.warnings),
        **settings,
    )


def _checked_options(epsilon: float, norm: str, seed: int, stages: tuple[str, ...]) -> tuple[float, int]:
    """epsilon and seed as Python's own numbers."""
    if norm not in PACKAGE_NORMS:
        raise ValueError(f"norm = {norm!r} is unknown; the known ones are {', '.join(PACKAGE_NORMS)}")
    radius, number = real(epsilon), whole(seed)
    if radius is None or not 0 < radius <= (1 if norm == "linf" else math.inf) or radius == math.inf:
        raise ValueError(
            f"epsilon = {epsilon}; it must be > 0{' and <= 1' if norm == 'linf' else ' and finite'}, a fraction of "
            "the pixel range: 8 of 255 is 8/255"
        )
    if number is None or number < 0:
        raise ValueError(f"seed = {seed!r}; it must be a whole number >= 0: the package would take the clock")
    if not stages or tuple(stages) != STANDARD[: len(stages)]:
        raise ValueError(
            f"stages = {stages}; they must be the first ones of {', '.join(STANDARD)}: pass STANDARD[:k]"
        )
    return radius, number


def _check_model(model: nn.Module, x: Tensor, y: Tensor) -> None:
    """The package's own doubts about a model, which it logs as warnings. Its check for dynamic models counts calls and
    switches tracing off for the whole process: both are put back."""

    def logits(x: Tensor) -> Tensor:
        return float_logits(model, x)

    checks.check_randomized(logits, x, y, bs=len(x), logger=LOGGER)
    checks.check_range_output(logits, x, logger=LOGGER)
    traced, counted = sys.gettrace(), dict(checks.funcs)
    try:
        checks.funcs.update(dict.fromkeys(checks.funcs, 0))
        checks.check_dynamic(logits, x, logger=LOGGER)
    finally:
        sys.settrace(traced)
        checks.funcs.update(counted)


def _attacks(model: nn.Module, x: Tensor, epsilon: float, norm: str, seed: int) -> dict[str, Any]:
    """The package's four attacks as its standard version sets them up, with fewer targets for fewer classes."""

    def logits(x: Tensor) -> Tensor:
        return float_logits(model, x)

    classes = logits(x).shape[1]
    if classes < FEWEST_CLASSES:
        raise ValueError(
            f"the model has {classes} classes; AutoAttack's targeted loss needs {FEWEST_CLASSES} or more: report "
            "PGD instead"
        )
    whole = AutoAttack(
        logits, norm=PACKAGE_NORMS[norm], eps=epsilon, seed=seed, version="standard", device=x.device
    )
    whole.fab.targeted = True
    for attack in (whole.apgd_targeted, whole.fab):
        attack.n_target_classes = min(attack.n_target_classes, classes - 1)
    return dict(zip(STANDARD, (whole.apgd, whole.apgd_targeted, whole.fab, whole.square), strict=True))


def _right(model: nn.Module, x: Tensor, y: Tensor, batch: int) -> Tensor:
    """(n,) bool on the CPU: which examples the model gets right without an attack."""
    with torch.no_grad():
        pairs = zip(x.split(batch), y.split(batch), strict=True)
        found = [(float_logits(model, some), wanted) for some, wanted in pairs]
    require_finite_logits(torch.stack([logits.isfinite().all() for logits, _ in found]))
    return torch.cat([logits.argmax(dim=1) == wanted for logits, wanted in found]).cpu()


def _fooled(
    model: nn.Module, attack: Any, x: Tensor, y: Tensor, epsilon: float, norm: str
) -> tuple[Tensor, float]:
    """Which examples the attack fools, (N,) bool on the CPU, and the largest norm of what fooled them."""
    with torch.no_grad():
        adversarial = attack.perturb(x, y)
        logits = float_logits(model, adversarial)
    require_finite_logits(logits.isfinite())
    fooled = logits.argmax(dim=1) != y
    adversarial, x = adversarial[fooled], x[fooled]
    delta = (adversarial - x).flatten(1)
    size = float(torch.linalg.vector_norm(delta, PACKAGE_ORDERS[norm], dim=1).max()) if len(x) else 0.0
    inside = bool(((adversarial >= 0) & (adversarial <= 1)).all())
    if not (inside and size <= epsilon * (1 + RADIUS_SLACK) + PIXEL_SLACK):
        raise RuntimeError(
            f"{type(attack).__name__} returned a perturbation of norm {size} for epsilon = {epsilon}, or pixels "
            "outside [0, 1]: its count would be wrong"
        )
    return fooled.cpu(), size


@contextmanager
def _own_randomness() -> Iterator[None]:
    """The package seeds torch's global generators, on every CUDA device; afterwards they are as they were."""
    used = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=used):
        yield


@contextmanager
def _collected() -> Iterator[list[str]]:
    """What the package logs as a warning meanwhile, each text once, instead of on stderr."""
    texts: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() not in texts:
                texts.append(record.getMessage())

    handler = Collector(logging.WARNING)
    before = LOGGER.propagate, LOGGER.level, LOGGER.disabled, logging.root.manager.disable
    LOGGER.propagate, LOGGER.disabled = False, False
    LOGGER.setLevel(logging.WARNING)
    logging.disable(logging.NOTSET)
    LOGGER.addHandler(handler)
    try:
        yield texts
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.propagate, _, LOGGER.disabled, _ = before
        LOGGER.setLevel(before[1])
        logging.disable(before[3])


def _package() -> str:
    return f"pyautoattack {version('pyautoattack')}"
