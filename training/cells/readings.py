"""What a reading (`+code`, `+eq11`, ...) changes in a recipe, where the paper contradicts itself or the public code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.cells.recipe import Recipe


def read(recipe: Recipe, names: Iterable[str]) -> Recipe:
    """The recipe with every named reading applied, `+name` appended to its own in the order of READINGS.

    Raises: ValueError for an unknown reading, one given twice, one that changes nothing in this recipe, or two that
    decide the same field.
    """
    asked = list(names)
    decided: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for name in asked:
        if name not in READINGS:
            raise ValueError(f"reading {name!r} is unknown: use one of {', '.join(READINGS)}")
        differences = READINGS[name].of(recipe)
        if not differences:
            raise ValueError(
                f"reading {name!r} changes nothing in {recipe.name}: it is for {READINGS[name].where}"
            )
        for field in differences:
            if field in decided:
                raise ValueError(
                    f"readings {decided[field]!r} and {name!r} both decide {field}: use one of them"
                )
            decided[field] = name
        changes |= differences
    ordered = [name for name in READINGS if name in asked]
    return replace(recipe, name="+".join([recipe.name, *ordered]), **changes)


def under(names: Sequence[str], recipes: Sequence[Recipe]) -> list[Recipe]:
    """The recipes under the named readings, each under those of them that change something in it.

    Raises: ValueError for an unknown reading, and for one that changes none of the recipes.
    """
    for name in names:
        if name not in READINGS:
            raise ValueError(f"reading {name!r} is unknown: use one of {', '.join(READINGS)}")
        if not any(READINGS[name].of(recipe) for recipe in recipes):
            raise ValueError(
                f"reading {name!r} changes none of these recipes: it is for {READINGS[name].where}"
            )
    fitting = [[name for name in names if READINGS[name].of(recipe)] for recipe in recipes]
    return [read(recipe, fits) if fits else recipe for recipe, fits in zip(recipes, fitting, strict=True)]


@dataclass(frozen=True)
class Reading:
    """A way to read the experiment: what it says, where it makes a difference, and the fields it sets there.

    says  : one sentence with the source
    where : the recipes that it changes, in words
    of    : recipe -> the fields it sets, {} where it changes nothing
    """

    says: str
    where: str
    of: Callable[[Recipe], dict[str, Any]]


# Of the compact recipes with momentum in the inner steps: their own eta' is that of SGD's momentum-free equivalent,
# lr/(1 - momentum), and with momentum on top of it every inner step would go ten times too far.
COMPACT_ETA_INNER = 0.1
TRADES_CODE_ATTACK = {"epsilon": 8 / 255, "step_size_train": 2 / 255, "step_size_test": 2 / 255}


def _code(recipe: Recipe) -> dict[str, Any]:
    if recipe.optimizer == "2ndensgd":
        return {}
    fields: dict[str, Any] = {"preset": "code", "bn_policy_attack": "code"}
    if recipe.optimizer == "ensgd":
        fields |= {"alpha": 0.25, "inner_momentum": 0.9, "outer_momentum": 0.9}
        fields |= {"inner_weight_decay": 5e-4, "outer_weight_decay": 5e-4, "refresh_bn": True}
        fields |= _eta_inner_with_momentum(recipe)
    if recipe.beta is None:
        return fields
    fields |= TRADES_CODE_ATTACK
    # Its epochs count from 1 and are compared with >=: each change comes one epoch sooner.
    fields["drops"] = tuple(drop - 1 for drop in recipe.drops)
    return fields | ({"warmup_epochs": recipe.warmup_epochs - 1} if recipe.warmup_epochs else {})


def _eta_inner_with_momentum(recipe: Recipe) -> dict[str, Any]:
    return {"eta_inner": COMPACT_ETA_INNER} if recipe.dataset == "digits" else {}


def _inner_momentum(recipe: Recipe) -> dict[str, Any]:
    return {"inner_momentum": 0.9} | _eta_inner_with_momentum(recipe) if recipe.optimizer != "sgd" else {}


def _entropy(**fields: Any) -> Callable[[Recipe], dict[str, Any]]:
    return lambda recipe: dict(fields) if recipe.optimizer != "sgd" else {}


def _second(recipe: Recipe) -> dict[str, Any]:
    # With the preset, so that `code`, which has no order 2, is refused beside it.
    order = {"optimizer": "2ndensgd", "preset": recipe.preset}
    return order if recipe.beta is not None and recipe.optimizer == "ensgd" else {}


def _attack_in(policy: str) -> Callable[[Recipe], dict[str, Any]]:
    return lambda recipe: {"bn_policy_attack": policy} if recipe.bn_policy_attack != policy else {}


def _wrn_steps(recipe: Recipe) -> dict[str, Any]:
    inner = recipe.model == "wide-resnet34-10" and recipe.method == "at" and recipe.optimizer != "sgd"
    return {"inner_steps": 20} if inner else {}


def _figure6(recipe: Recipe) -> dict[str, Any]:
    plain = recipe.method == "awp" and recipe.optimizer == "sgd" and recipe.gamma_awp == 0.01
    return {"gamma_awp": 0.005} if plain else {}


READINGS = {
    "code": Reading(
        "every disagreement decided as the public codes of AWP and EntropySGD do",
        "every recipe but those of order 2, which the code does not have",
        _code,
    ),
    "eq11": Reading(
        "the outer step eta gamma (theta - mean) of Eq. (11), 1/gamma times smaller than Algorithm 1's at variance 0",
        "EntropySGD of order 1",
        lambda recipe: {"outer_step": "paper-eq11"} if recipe.optimizer == "ensgd" else {},
    ),
    "2nd": Reading(
        "order 2 in place of order 1, which Table 2 does not have: the third optimizer for TRADES",
        "TRADES with EntropySGD; AT and AWP have recipes of order 2",
        _second,
    ),
    "eta-inner-decays": Reading(
        "eta' divided by 10 together with eta, which the paper does not say",
        "EntropySGD",
        _entropy(eta_inner_decays=True),
    ),
    "inner-momentum": Reading(
        "the momentum of App. E, absent from Algorithm 1, in the inner steps",
        "EntropySGD",
        _inner_momentum,
    ),
    "outer-momentum": Reading(
        "the momentum of App. E, absent from Algorithm 1, in the outer steps",
        "EntropySGD",
        _entropy(outer_momentum=0.9),
    ),
    "outer-decay": Reading(
        "the weight decay of App. E in the outer steps instead of the inner ones",
        "EntropySGD",
        _entropy(inner_weight_decay=0.0, outer_weight_decay=5e-4),
    ),
    "no-decay": Reading(
        "Algorithm 1 as printed, without weight decay", "EntropySGD", _entropy(inner_weight_decay=0.0)
    ),
    "lr0.1": Reading(
        "eta = 0.1 as Sec. 5.2 and the first half of App. E.3 say, not the 0.01 of its second half",
        "SVHN",
        lambda recipe: {"lr": 0.1} if recipe.dataset == "svhn" else {},
    ),
    "eps8": Reading(
        "epsilon 8/255 in steps of 2/255 as in the code, not the 0.031 and 0.003 of App. F.2.1",
        "TRADES",
        lambda recipe: dict(TRADES_CODE_ATTACK) if recipe.beta is not None else {},
    ),
    "L20": Reading(
        "L = 20 as ResNet-18 has (Sec. 5.2: the same hyperparameters), not the 30 of App. E.1",
        "AT with EntropySGD on WideResNet-34-10",
        _wrn_steps,
    ),
    "awp0.005": Reading(
        "gamma_awp = 0.005 with SGD, the extra curve of Figure 6", "AWP with SGD outside TRADES", _figure6
    ),
    "bn-eval": Reading(
        "the training attack sees running statistics (eval mode)", "AT and AWP", _attack_in("eval")
    ),
    "bn-train": Reading(
        "the training attack sees batch statistics and moves the running ones", "TRADES", _attack_in("train")
    ),
    "bn-frozen": Reading(
        "the training attack sees batch statistics and leaves the running ones alone",
        "every recipe",
        _attack_in("frozen"),
    ),
}
