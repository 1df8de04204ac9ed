"""The named recipes: the 29 cells of the paper's Tables 1-3, their `-val` twins that hold images out, the six of the
laptop table and the six of the compact one, and any of them over fewer epochs (`-e20`). Readings (`+code`, `+eq11`,
...) go on top of a name where the paper and the public code differ.

Sources: the paper's Sec. 5.2, App. E and F.2.1; what it leaves open follows the public code of AWP.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from training.cells.readings import READINGS, read
from training.cells.recipe import Normalisation, Recipe

CIFAR10_STATISTICS: Normalisation = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
CIFAR100_STATISTICS: Normalisation = (
    (0.5070751592371323, 0.48654887331495095, 0.4409178433670343),
    (0.2673342858792401, 0.2564384629170883, 0.27615047132568404),
)
SVHN_STATISTICS: Normalisation = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

# App. E.1-E.3 and F.2.1, the row of SGD in each: what the cells below differ from.
CIFAR10 = Recipe(
    name="cifar10-rn18-at",
    dataset="cifar10",
    model="preact-resnet18",
    augmentation="reflect-crop-flip",
    normalisation=CIFAR10_STATISTICS,
)
WRN = replace(CIFAR10, name="cifar10-wrn-at", model="wide-resnet34-10")
CIFAR100 = replace(
    CIFAR10,
    name="cifar100-rn18-at",
    dataset="cifar100",
    attack="pgd20",
    augmentation="zero-crop-flip-rotate",
    normalisation=CIFAR100_STATISTICS,
)
SVHN = Recipe(
    name="svhn-rn18-at",
    dataset="svhn",
    model="preact-resnet18",
    attack="pgd20",
    lr=0.01,
    step_size_train=1 / 255,
    step_size_test=1 / 255,
    normalisation=SVHN_STATISTICS,
)
TRADES = Recipe(
    name="cifar10-wrn-trades",
    dataset="cifar10",
    model="wide-resnet34-10",
    method="trades",
    epsilon=0.031,
    step_size_train=0.003,
    step_size_test=0.003,
    beta=6.0,
    augmentation="zero-crop-flip",
    bn_policy_attack="eval",
)

# The laptop table: the six methods of Table 3 on a part of CIFAR-10 with a small net, ten minutes a run on one core.
# Beside net, images and epochs the batch is smaller: 128 would leave a run half of its 1,920 steps.
LAPTOP_EPOCHS = 120
LAPTOP_EVERY = 10  # epochs between evaluations, which cost more than the epochs themselves
LAPTOP_AUTOATTACK = 200  # of the test images
LAPTOP = replace(
    CIFAR10,
    name="laptop-at",
    model="strided",
    epochs=LAPTOP_EPOCHS,
    batch=64,
    drops=(LAPTOP_EPOCHS // 2, 3 * LAPTOP_EPOCHS // 4),
    train_examples=1000,
    validation=500,
    test_examples=2000,
)

# The compact table: the six methods of Table 3 on scikit-learn's digits, small enough for two cores and a coffee.
COMPACT_EPOCHS = 30
COMPACT_BATCH = 64
COMPACT_LR = 0.1
# 570 minibatches are 28 outer steps: eta = 0.1, a tenth of the way to the mean each, would not arrive. eta' is SGD's
# lr/(1 - momentum), since Algorithm 1 has no momentum; 0.1, 0.3 and 3 did worse on the held-out images of seed 10.
COMPACT_LR_ENSGD = 1.0
COMPACT_ETA_INNER = 1.0
COMPACT_VALIDATION = 200
COMPACT_TEST = 200
COMPACT = Recipe(
    name="compact-at",
    dataset="digits",
    model="small",
    epochs=COMPACT_EPOCHS,
    batch=COMPACT_BATCH,
    lr=COMPACT_LR,
    drops=(COMPACT_EPOCHS // 2, 3 * COMPACT_EPOCHS // 4),
    epsilon=0.15,
    step_size_train=0.0375,
    step_size_test=0.0375,
    validation=COMPACT_VALIDATION,
    test_examples=COMPACT_TEST,
)

ENSGD = {
    "optimizer": "ensgd",
    "inner_steps": 20,
    "gamma": 0.03,
    "eta_inner": 0.1,
    "noise": 1e-4,
    "alpha": 0.75,
    "inner_momentum": 0.0,
    "inner_weight_decay": 5e-4,
    "outer_momentum": 0.0,
    "outer_weight_decay": 0.0,
    "outer_step": "paper",
    "eta_inner_decays": False,
}
ENSGD_30 = ENSGD | {"inner_steps": 30}
ENSGD_COMPACT = ENSGD | {"lr": COMPACT_LR_ENSGD, "eta_inner": COMPACT_ETA_INNER}
SECOND = {"optimizer": "2ndensgd"}
WARM_5 = {"warmup_epochs": 5}
WARM_10 = {"warmup_epochs": 10}
TUNED = {"switch_to_sgd": 150}


def _awp(gamma_awp: float) -> dict[str, Any]:
    return {"method": "awp", "gamma_awp": gamma_awp}


TRADES_AWP = _awp(0.005) | WARM_10 | {"method": "trades-awp"}


def _cell(base: Recipe, suffix: str, *differences: Mapping[str, Any]) -> Recipe:
    """The base with each mapping of differences applied in turn, named after it; the tables that print it are known
    from the name: Table 2 holds TRADES, Table 3 the rest, Table 1 those of order 1 among them."""
    fields = {key: value for one in differences for key, value in one.items()}
    name = base.name.removesuffix("at").removesuffix("trades") + suffix
    if base in (COMPACT, LAPTOP):
        cells: tuple[str, ...] = ()
    elif base is TRADES:
        cells = ("Table 2",)
    else:
        cells = ("Table 3",) if fields.get("optimizer") == "2ndensgd" else ("Table 1", "Table 3")
    return replace(base, name=name, cells=cells, **fields)


PUBLISHED_RECIPES = (
    _cell(CIFAR10, "at"),
    _cell(CIFAR10, "at-ensgd", ENSGD),
    _cell(CIFAR10, "at-2ndensgd", ENSGD, SECOND),
    _cell(CIFAR10, "awp", _awp(0.01)),
    _cell(CIFAR10, "awp-ensgd", _awp(0.005), ENSGD_30),
    _cell(CIFAR10, "awp-2ndensgd", _awp(0.005), ENSGD_30, SECOND),
    _cell(WRN, "at"),
    _cell(WRN, "at-ensgd", ENSGD_30),
    _cell(WRN, "at-2ndensgd", ENSGD_30, SECOND),
    _cell(WRN, "awp", _awp(0.01)),
    _cell(WRN, "awp-ensgd", _awp(0.005), ENSGD_30),
    _cell(WRN, "awp-2ndensgd", _awp(0.005), ENSGD_30, SECOND),
    _cell(SVHN, "at"),
    _cell(SVHN, "at-ensgd", ENSGD_30, WARM_5),
    _cell(SVHN, "at-2ndensgd", ENSGD_30, SECOND, WARM_5),
    _cell(SVHN, "awp", _awp(0.01), WARM_5),
    _cell(SVHN, "awp-ensgd", _awp(0.005), ENSGD_30, WARM_5),
    _cell(SVHN, "awp-2ndensgd", _awp(0.005), ENSGD_30, SECOND, WARM_5),
    _cell(CIFAR100, "at"),
    _cell(CIFAR100, "at-ensgd", ENSGD_30),
    _cell(CIFAR100, "at-2ndensgd", ENSGD_30, SECOND),
    _cell(CIFAR100, "awp", _awp(0.01)),
    _cell(CIFAR100, "awp-ensgd", _awp(0.007), ENSGD_30),
    _cell(CIFAR100, "awp-2ndensgd", _awp(0.007), ENSGD_30, SECOND),
    _cell(TRADES, "trades"),
    _cell(TRADES, "trades-ensgd", ENSGD),
    _cell(TRADES, "trades-awp", TRADES_AWP),
    _cell(TRADES, "trades-awp-ensgd", TRADES_AWP, ENSGD_30, {"alpha": 0.3}),
    _cell(TRADES, "trades-awp-ensgd-tuned", TRADES_AWP, ENSGD_30, TUNED),
)
# In the order in which they answer most, should the night be short. The readings of the public codes stand beside
# Algorithm 1, from which they differ most in EntropySGD's steps.
LAPTOP_RECIPES = (
    _cell(LAPTOP, "at"),
    _cell(LAPTOP, "at-ensgd", ENSGD),
    _cell(LAPTOP, "awp", _awp(0.01)),
    _cell(LAPTOP, "awp-ensgd", _awp(0.005), ENSGD_30),
    _cell(LAPTOP, "at-2ndensgd", ENSGD, SECOND),
    _cell(LAPTOP, "awp-2ndensgd", _awp(0.005), ENSGD_30, SECOND),
)
LAPTOP_TABLE = (
    *LAPTOP_RECIPES[:4],
    *(read(one, ["code"]) for one in LAPTOP_RECIPES if one.optimizer == "ensgd"),
    *LAPTOP_RECIPES[4:],
)
COMPACT_RECIPES = (
    _cell(COMPACT, "at"),
    _cell(COMPACT, "at-ensgd", ENSGD_COMPACT),
    _cell(COMPACT, "at-2ndensgd", ENSGD_COMPACT, SECOND),
    _cell(COMPACT, "awp", _awp(0.01)),
    _cell(COMPACT, "awp-ensgd", _awp(0.005), ENSGD_COMPACT),
    _cell(COMPACT, "awp-2ndensgd", _awp(0.005), ENSGD_COMPACT, SECOND),
)
# Twins of the compact table whose loss is smooth in the input and in the weights, for `training.studies.probe`.
SMOOTH_RECIPES = tuple(
    replace(one, name=one.name.replace("compact", "silu"), model="small-silu") for one in COMPACT_RECIPES
)
HELD_OUT = 1000  # of the `-val` twins
VALIDATION_SUFFIX = re.compile(r"-val(\d*)$")
EPOCHS_SUFFIX = re.compile(r"-e([1-9]\d*)$")


def held_out(recipe: Recipe, validation: int) -> Recipe:
    """The recipe with another number of training images held out, named `-val` (1,000) or `-val<number>`.

    It is no table's cell any more: the paper trains on everything. The recipe itself where the number is its own.

    Raises: ValueError for a negative number.
    """
    if validation == recipe.validation:
        return recipe
    base, plus, readings = recipe.name.partition("+")
    stem = VALIDATION_SUFFIX.sub("", base)
    suffix = "-val" if validation == HELD_OUT else f"-val{validation}"
    return replace(recipe, name=f"{stem}{suffix}{plus}{readings}", validation=validation, cells=())


def over(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe with its whole schedule in another number of epochs >= 1, named `-e<epochs>`: drops of the learning
    rate, warm-up and switch to SGD lie at the same share of it, rounded to whole epochs, halves up.

    A first piece of the recipe itself would end before the first drop. It is no table's cell. The recipe itself where
    the number is its own.

    Raises: ValueError where two drops, or a drop and the start, fall together.
    """
    if epochs == recipe.epochs:
        return recipe

    def scaled(number: int) -> int:
        return math.floor(number * epochs / recipe.epochs + 0.5)

    drops = tuple(map(scaled, recipe.drops))
    if 0 in drops or len(set(drops)) < len(drops):
        raise ValueError(
            f"epochs = {epochs}: the drops of {recipe.name} after {', '.join(map(str, recipe.drops))} of "
            f"{recipe.epochs} epochs would come after {', '.join(map(str, drops))}: ask for more epochs"
        )
    base, plus, readings = recipe.name.partition("+")
    held = VALIDATION_SUFFIX.search(base)
    stem, held_out = (base[: held.start()], held.group()) if held else (base, "")
    stem = EPOCHS_SUFFIX.sub("", stem)
    return replace(
        recipe,
        name=f"{stem}-e{epochs}{held_out}{plus}{readings}",
        epochs=epochs,
        drops=drops,
        warmup_epochs=scaled(recipe.warmup_epochs),
        switch_to_sgd=None if recipe.switch_to_sgd is None else scaled(recipe.switch_to_sgd),
        cells=(),
    )


RECIPES: dict[str, Recipe] = {
    one.name: one
    for one in (
        *PUBLISHED_RECIPES,
        *(held_out(cell, HELD_OUT) for cell in PUBLISHED_RECIPES),
        *LAPTOP_RECIPES,
        *COMPACT_RECIPES,
        *SMOOTH_RECIPES,
    )
}


def recipe(name: str) -> Recipe:
    """The recipe of a name such as `cifar10-rn18-at`, `svhn-rn18-awp-val`, `compact-at-val100`, `cifar10-wrn-at-e20` or
    `cifar10-rn18-at-ensgd-e20-val+code+eta-inner-decays`: a table cell, perhaps over another number of epochs, held
    out from, read otherwise, in this order.

    Raises: ValueError for an unknown name, with those nearest to it, for readings that do not fit it, or for a number
    of epochs that has no room for its schedule.
    """
    base, *readings = name.split("+")
    found = _unread(base)
    if found is None:
        near = get_close_matches(base, RECIPES, n=4, cutoff=0.5) or [CIFAR10.name, COMPACT.name]
        raise ValueError(
            f"recipe {base!r} is unknown; near it: {', '.join(near)}; --list shows all {len(RECIPES)}"
        )
    return read(found, readings) if readings else found


def _unread(name: str) -> Recipe | None:
    """The recipe of a name without readings, None for an unknown one."""
    held = VALIDATION_SUFFIX.search(name)
    stem = name[: held.start()] if held else name
    epochs = EPOCHS_SUFFIX.search(stem)
    found = RECIPES.get(stem[: epochs.start()] if epochs else stem)
    if found is not None and epochs:
        found = over(found, int(epochs.group(1)))
    if found is not None and held:
        found = held_out(found, int(held.group(1) or HELD_OUT))
    return found


def usual_interval(recipe: Recipe) -> int:
    """How many epochs lie between two evaluations of a run, where nobody asks for another number: 1, and LAPTOP_EVERY
    in the laptop table."""
    return LAPTOP_EVERY if recipe.train_examples is not None else 1


def listing() -> str:
    """What `--list` prints: every recipe with what sets it apart, then the suffixes that go on a name."""
    groups = {"Tables 1 and 3": "Table 3", "Table 2": "Table 2"}
    lines = []
    for title, table in groups.items():
        lines += [title, *(_line(one) for one in PUBLISHED_RECIPES if table in one.cells), ""]
    lines += ["Laptop table (a part of CIFAR-10, small net)", *(_line(one) for one in LAPTOP_RECIPES), ""]
    lines += ["Compact table (digits, small net)", *(_line(one) for one in COMPACT_RECIPES), ""]
    lines += ["The same with a smooth activation", *(_line(one) for one in SMOOTH_RECIPES), ""]
    lines += [f"NAME-val holds out {HELD_OUT:,} training images, NAME-val500 another number.", ""]
    lines += [
        "NAME-e20 has its whole schedule in 20 epochs: drops and warm-up at the same share of them.",
        "",
    ]
    lines += ["Readings, for NAME+reading"]
    lines += [f"  +{name:<18} {reading.says} ({reading.where})" for name, reading in READINGS.items()]
    return "\n".join(lines)


def _line(one: Recipe) -> str:
    words = [f"{one.epochs} epochs", f"lr {one.lr:g}"]
    if one.warmup_epochs:
        words.append(f"{one.warmup_epochs} of plain SGD first")
    if one.beta is not None:
        words.append(f"TRADES beta {one.beta:g}")
    if one.gamma_awp is not None:
        words.append(f"AWP {one.gamma_awp:g}")
    if one.inner_steps is not None:
        order = 2 if one.optimizer == "2ndensgd" else 1
        words.append(f"EntropySGD order {order}, L {one.inner_steps}, alpha {one.alpha:g}")
    if one.switch_to_sgd is not None:
        words.append(f"SGD from epoch {one.switch_to_sgd}")
    return f"  {one.name:<36} {', '.join(words)}"
