"""A `Recipe` is everything that decides one cell of a table: frozen, checked, and named by a digest of its fields."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

DATASETS = ("cifar10", "cifar100", "svhn", "fashion-mnist", "digits", "images")
MODELS = ("preact-resnet18", "wide-resnet34-10", "strided", "small", "small-silu")
METHODS = ("at", "awp", "trades", "trades-awp")
OPTIMIZERS = ("sgd", "ensgd", "2ndensgd")
PRESETS = ("paper", "code")
OUTER_STEPS = ("paper", "paper-eq11")
BN_POLICIES = ("train", "eval", "frozen", "code")
AUGMENTATIONS = ("none", "reflect-crop-flip", "zero-crop-flip", "zero-crop-flip-rotate")
ATTACKS = ("autoattack", "pgd20")
NORMS = ("linf", "l2")

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a training run but its seed, its data files and its hardware.

    name       : of the recipe, such as `cifar10-rn18-awp-ensgd`
    cells      : the tables that hold its published number, such as ("Table 1", "Table 3"); () for none
    attack     : what that number is measured with, "autoattack" or "pgd20"
    dataset    : one of DATASETS; model : one of MODELS; method : one of METHODS; optimizer : one of OPTIMIZERS
    epochs, batch, lr : the last partial batch of an epoch is kept; lr is eta, of SGD and of EntropySGD's outer step
    drops      : numbers of finished epochs after which lr is divided by 10
    momentum, weight_decay : of SGD, also where it runs before or after EntropySGD
    norm, epsilon : of every attack, "linf" or "l2", epsilon as a fraction of the pixel range
    step_size_train, steps_train, step_size_test, steps_test : of the training attack and of the test PGD
    beta       : weight of TRADES' divergence; None without TRADES
    augmentation : one of AUGMENTATIONS
    normalisation : (means, standard deviations) per channel inside the model; None leaves pixels in [0, 1]
    bn_policy_attack : batch norm during the training attack, "train", "eval", "frozen" (train mode without touching
                 the running statistics), or "code", which also makes the public code's extra train-mode forwards: AT
                 attacks under "train", then one on x + delta, and one on x after the update; TRADES attacks under
                 "eval" and makes a second one on x
    gamma_awp  : AWP's radius relative to each weight tensor's norm; None without AWP
    inner_steps, gamma, eta_inner, noise, alpha : EntropySGD's L, scope, eta', epsilon_E and averaging weight on the
                 new iterate (Algorithm 1); None with plain SGD, as the six fields after them
    inner_momentum, inner_weight_decay, outer_momentum, outer_weight_decay : of its steps
    outer_step : "paper", eta (theta - mean), or "paper-eq11", eta gamma (theta - mean), for order 1
    eta_inner_decays : whether eta' is divided together with lr
    preset     : whose formulas decide the rest of EntropySGD and how AWP meets the step, "paper" or "code"
    refresh_bn : whether one train-mode pass over the training set renews the running statistics before evaluation
    warmup_epochs : of plain SGD without AWP or EntropySGD, at the start
    switch_to_sgd : number of finished epochs after which EntropySGD gives way to SGD; None for never
    validation : number of training images held out; 0 for none
    test_examples : number of test images evaluated, the first ones; None for all
    train_examples : number of training images used, drawn in proportion to the classes from those not held out, the
                 same ones for every seed; None for all

    `digest` is a hash of all of them, so a changed recipe no longer matches its old records.

    Raises: ValueError naming the field, for a value outside these ranges or fields that contradict each other.
    """

    name: str
    dataset: str
    model: str
    cells: tuple[str, ...] = ()
    attack: str = "autoattack"
    method: str = "at"
    optimizer: str = "sgd"
    epochs: int = 200
    batch: int = 128
    lr: float = 0.1
    drops: tuple[int, ...] = (100, 150)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    norm: str = "linf"
    epsilon: float = 8 / 255
    step_size_train: float = 2 / 255
    steps_train: int = 10
    step_size_test: float = 2 / 255
    steps_test: int = 20
    beta: float | None = None
    augmentation: str = "none"
    normalisation: Normalisation | None = None
    bn_policy_attack: str = "train"
    gamma_awp: float | None = None
    inner_steps: int | None = None
    gamma: float | None = None
    eta_inner: float | None = None
    noise: float | None = None
    alpha: float | None = None
    inner_momentum: float | None = None
    inner_weight_decay: float | None = None
    outer_momentum: float | None = None
    outer_weight_decay: float | None = None
    outer_step: str | None = None
    eta_inner_decays: bool | None = None
    preset: str = "paper"
    refresh_bn: bool = False
    warmup_epochs: int = 0
    switch_to_sgd: int | None = None
    validation: int = 0
    test_examples: int | None = None
    train_examples: int | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def small(self) -> bool:
        """Whether the net is one of the small ones, which gain nothing from a second thread."""
        return self.model in ("strided", "small", "small-silu")

    @property
    def entropy_settings(self) -> dict[str, Any]:
        """The keyword arguments of `EntropySGD`, lr and order included.

        Raises: ValueError for a recipe of plain SGD.
        """
        if self.optimizer == "sgd":
            raise ValueError(f"recipe {self.name!r} trains with plain SGD, need optimizer ensgd or 2ndensgd")
        order = 2 if self.optimizer == "2ndensgd" else 1
        settings = {field: getattr(self, field) for field in ENTROPY_FIELDS}
        return {"lr": self.lr, "order": order, "preset": self.preset, **settings}

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any field (`digest_of` of all of them)."""
        return digest_of(asdict(self))


def digest_of(fields: Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a recipe's fields as JSON, keys sorted, no spaces.

    Tuples count as lists, so a recipe that went through a JSON file keeps its digest. A field of LATER counts only
    where it is set, so recipes without it keep the digest from before there was such a field.
    """
    counted = {name: value for name, value in fields.items() if name not in LATER or value is not None}
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


LATER = ("train_examples",)
CHOICES = {
    "dataset": DATASETS,
    "model": MODELS,
    "method": METHODS,
    "optimizer": OPTIMIZERS,
    "preset": PRESETS,
    "bn_policy_attack": BN_POLICIES,
    "augmentation": AUGMENTATIONS,
    "attack": ATTACKS,
    "norm": NORMS,
}
ENTROPY_FIELDS = (
    *("inner_steps", "gamma", "eta_inner", "noise", "alpha", "inner_momentum", "inner_weight_decay"),
    *("outer_momentum", "outer_weight_decay", "outer_step", "eta_inner_decays"),
)


def _check(recipe: Recipe) -> None:
    # One after the other: a value of the wrong type stops here, before it is compared with another field.
    for field, need in chain(_wrong_values(recipe), _contradictions(recipe)):
        raise ValueError(f"recipe {recipe.name!r}: {field} = {getattr(recipe, field)!r}, need {need}")


def _wrong_values(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Each field whose value alone is out of range, with what is needed; None is for `_contradictions` to judge."""
    for field, known in CHOICES.items():
        if getattr(recipe, field) not in known:
            yield field, f"one of {', '.join(known)}"
    for fields, holds, need in RANGES:
        for field in fields:
            value = getattr(recipe, field)
            if not (value is None and field in OPTIONAL) and not holds(value):
                yield field, need
    if recipe.norm == "linf" and recipe.epsilon >= 1:
        yield "epsilon", "a fraction of the pixel range below 1, such as 8/255"
    if not all(_whole(drop, 1) for drop in recipe.drops) or list(recipe.drops) != sorted(set(recipe.drops)):
        yield "drops", "increasing numbers of finished epochs, each at least 1"
    if recipe.normalisation is not None and not _standardises(recipe.normalisation):
        yield "normalisation", "means and positive standard deviations, one each a channel, or None"


def _contradictions(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Each field that the method or the optimizer needs and lacks, or that they would ignore."""
    entropy = recipe.optimizer != "sgd"
    for field in ENTROPY_FIELDS:
        if (getattr(recipe, field) is not None) != entropy:
            yield field, f"a value with EntropySGD and None with plain SGD, here {recipe.optimizer}"
    if recipe.refresh_bn and not entropy:
        yield "refresh_bn", "False with plain SGD"
    for field, word in (("beta", "trades"), ("gamma_awp", "awp")):
        if (getattr(recipe, field) is not None) != (word in recipe.method.split("-")):
            yield field, f"a value with {word} and None without, here {recipe.method}"
    if entropy and recipe.outer_step not in (OUTER_STEPS if recipe.optimizer == "ensgd" else OUTER_STEPS[:1]):
        yield "outer_step", "paper, or with order 1 paper-eq11"
    if recipe.warmup_epochs and not entropy and recipe.gamma_awp is None:
        yield "warmup_epochs", "0 where neither AWP nor EntropySGD could start later"
    if recipe.switch_to_sgd is not None and not (entropy and recipe.switch_to_sgd > recipe.warmup_epochs):
        yield (
            "switch_to_sgd",
            "a number of finished epochs after the warm-up with EntropySGD, None with plain SGD",
        )


def _whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _standardises(normalisation: Normalisation) -> bool:
    means, deviations = normalisation
    return len(means) == len(deviations) > 0 and all(deviation > 0 for deviation in deviations)


OPTIONAL = (*ENTROPY_FIELDS, "beta", "gamma_awp", "switch_to_sgd", "test_examples", "train_examples")
# (fields, what holds, how to say it)
RANGES: tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...] = (
    (
        (
            *(
                "epochs",
                "batch",
                "steps_train",
                "steps_test",
                "inner_steps",
                "switch_to_sgd",
                "test_examples",
            ),
            "train_examples",
        ),
        lambda value: _whole(value, 1),
        "an integer of at least 1",
    ),
    (("warmup_epochs", "validation"), lambda value: _whole(value, 0), "an integer of at least 0"),
    (
        ("lr", "epsilon", "step_size_train", "step_size_test", "beta", "gamma_awp", "gamma", "eta_inner"),
        lambda value: _number(value) and value > 0,
        "a positive number",
    ),
    (
        ("weight_decay", "inner_weight_decay", "outer_weight_decay", "noise"),
        lambda value: _number(value) and value >= 0,
        "a number of at least 0",
    ),
    (
        ("momentum", "inner_momentum", "outer_momentum"),
        lambda value: _number(value) and 0 <= value < 1,
        "a number in [0, 1)",
    ),
    (("alpha",), lambda value: _number(value) and 0 < value <= 1, "a number in (0, 1]"),
    (("refresh_bn", "eta_inner_decays"), lambda value: type(value) is bool, "True or False"),
)
