"""The recipes of Tables 1-3 against the paper's Sec. 5.2 and App. E, typed in here a second time."""

from __future__ import annotations

import pytest

from training.cells.published import PUBLISHED
from training.cells.recipe import ENTROPY_FIELDS, Recipe
from training.cells.recipes import (
    COMPACT_RECIPES,
    PUBLISHED_RECIPES,
    RECIPES,
    recipe,
)

# Name: L, alpha, gamma_awp, epochs of plain SGD first, as App. E.1 to E.3 and F.2.1 say (- where it has none).
APPENDIX_E = """
cifar10-rn18-at                     -   -    -     0
cifar10-rn18-at-ensgd               20  .75  -     0
cifar10-rn18-at-2ndensgd            20  .75  -     0
cifar10-rn18-awp                    -   -    .01   0
cifar10-rn18-awp-ensgd              30  .75  .005  0
cifar10-rn18-awp-2ndensgd           30  .75  .005  0
cifar10-wrn-at                      -   -    -     0
cifar10-wrn-at-ensgd                30  .75  -     0
cifar10-wrn-at-2ndensgd             30  .75  -     0
cifar10-wrn-awp                     -   -    .01   0
cifar10-wrn-awp-ensgd               30  .75  .005  0
cifar10-wrn-awp-2ndensgd            30  .75  .005  0
cifar100-rn18-at                    -   -    -     0
cifar100-rn18-at-ensgd              30  .75  -     0
cifar100-rn18-at-2ndensgd           30  .75  -     0
cifar100-rn18-awp                   -   -    .01   0
cifar100-rn18-awp-ensgd             30  .75  .007  0
cifar100-rn18-awp-2ndensgd          30  .75  .007  0
svhn-rn18-at                        -   -    -     0
svhn-rn18-at-ensgd                  30  .75  -     5
svhn-rn18-at-2ndensgd               30  .75  -     5
svhn-rn18-awp                       -   -    .01   5
svhn-rn18-awp-ensgd                 30  .75  .005  5
svhn-rn18-awp-2ndensgd              30  .75  .005  5
cifar10-wrn-trades                  -   -    -     0
cifar10-wrn-trades-ensgd            20  .75  -     0
cifar10-wrn-trades-awp              -   -    .005  10
cifar10-wrn-trades-awp-ensgd        30  .3   .005  10
cifar10-wrn-trades-awp-ensgd-tuned  30  .75  .005  10
"""


# Dataset (TRADES apart): lr, epsilon, training and test step, normalisation, augmentation, attack of the table, policy.
SHARED = {
    "cifar10": (0.1, 8 / 255, 2 / 255, (0.4914, 0.2471), "reflect-crop-flip", "autoattack", "train"),
    "cifar100": (
        *(0.1, 8 / 255, 2 / 255, (0.5070751592371323, 0.2673342858792401)),
        *("zero-crop-flip-rotate", "pgd20", "train"),
    ),
    "svhn": (0.01, 8 / 255, 1 / 255, (0.5, 0.5), "none", "pgd20", "train"),
    "trades": (0.1, 0.031, 0.003, None, "zero-crop-flip", "autoattack", "eval"),
}


def test_each_of_the_29_cells_has_the_hyperparameters_of_appendix_e() -> None:
    rows = [line.split() for line in APPENDIX_E.split("\n") if line]
    assert len(rows) == 29 == 4 * 6 + 5
    assert {row[0] for row in rows} == {one.name for one in PUBLISHED_RECIPES}
    for name, *values in rows:
        steps, alpha, gamma_awp, warm_up = (None if value == "-" else float(value) for value in values)
        one = RECIPES[name]
        assert (one.inner_steps, one.alpha, one.gamma_awp, one.warmup_epochs) == (
            *(steps, alpha, gamma_awp),
            warm_up,
        ), name


@pytest.mark.parametrize("one", PUBLISHED_RECIPES, ids=lambda one: one.name)
def test_a_cell_shares_what_its_dataset_prescribes(one: Recipe) -> None:
    lr, epsilon, step, normalisation, augmentation, attack, policy = SHARED[
        "trades" if "trades" in one.name else one.dataset
    ]
    assert (one.lr, one.epsilon, one.step_size_train, one.step_size_test) == (lr, epsilon, step, step)
    first = one.normalisation and (one.normalisation[0][0], one.normalisation[1][0])
    assert (first, one.augmentation, one.attack, one.bn_policy_attack) == (
        *(normalisation, augmentation),
        *(attack, policy),
    )
    assert (one.epochs, one.batch, one.drops, one.momentum, one.weight_decay) == (
        *(200, 128, (100, 150)),
        *(0.9, 5e-4),
    )
    assert (one.norm, one.steps_train, one.steps_test, one.preset, one.validation) == (
        "linf",
        10,
        20,
        "paper",
        0,
    )
    assert one.beta == (6.0 if "trades" in one.name else None)
    assert one.switch_to_sgd == (150 if one.name.endswith("tuned") else None)
    assert one.model == ("wide-resnet34-10" if "-wrn-" in one.name else "preact-resnet18")


@pytest.mark.parametrize("one", [*PUBLISHED_RECIPES, *COMPACT_RECIPES], ids=lambda one: one.name)
def test_a_name_says_dataset_method_and_optimizer(one: Recipe) -> None:
    words = one.name.removesuffix("-tuned").split("-")
    assert ("2ndensgd" if "2ndensgd" in words else "ensgd" if "ensgd" in words else "sgd") == one.optimizer
    method = [word for word in words if word in ("at", "awp", "trades")]
    assert "-".join(method) == one.method
    assert words[0] == ("compact" if one.dataset == "digits" else one.dataset)


@pytest.mark.parametrize(
    "one", [one for one in PUBLISHED_RECIPES if one.optimizer != "sgd"], ids=lambda one: one.name
)
def test_entropy_sgd_has_the_constants_of_section_5_2_and_no_momentum(one: Recipe) -> None:
    settings = one.entropy_settings
    assert (settings["gamma"], settings["noise"], settings["eta_inner"]) == (0.03, 1e-4, 0.1)
    assert (settings["inner_momentum"], settings["outer_momentum"]) == (0.0, 0.0)
    assert (settings["inner_weight_decay"], settings["outer_weight_decay"]) == (5e-4, 0.0)
    assert settings["order"] == (2 if "2nd" in one.name else 1)
    assert (settings["preset"], settings["outer_step"], settings["eta_inner_decays"]) == (
        "paper",
        "paper",
        False,
    )
    assert settings["lr"] == one.lr


def test_trades_at_order_2_differs_from_order_1_as_at_does() -> None:
    pairs = [("cifar10-rn18-at-ensgd", "cifar10-rn18-at-2ndensgd")]
    pairs += [(name, f"{name}+2nd") for name in ("cifar10-wrn-trades-ensgd", "cifar10-wrn-trades-awp-ensgd")]
    for first, second in pairs:
        one, two = recipe(first).entropy_settings, recipe(second).entropy_settings
        assert {key for key in one if one[key] != two[key]} == {"order"}, second
        assert two["order"] == 2


def test_plain_sgd_has_no_entropy_settings() -> None:
    with pytest.raises(ValueError, match="plain SGD, need optimizer ensgd or 2ndensgd"):
        _ = recipe("cifar10-rn18-awp").entropy_settings


def test_every_printed_cell_has_its_recipe_and_every_recipe_knows_its_tables() -> None:
    printed: dict[str, list[str]] = {}
    for number, table in PUBLISHED.items():
        for name in table.cells:
            printed.setdefault(name, []).append(f"Table {number}")
    assert {one.name: list(one.cells) for one in PUBLISHED_RECIPES} == printed
    assert all(one.cells == () for name, one in RECIPES.items() if name not in printed)


def test_the_recipe_of_a_cell_is_measured_as_its_row_says() -> None:
    for table in PUBLISHED.values():
        for row in table.rows:
            for _, ending in table.columns:
                assert RECIPES[f"{row.stem}-{ending}"].attack == row.attack


def test_the_compact_recipes_are_the_methods_of_table_3_on_digits() -> None:
    endings = [ending for _, ending in PUBLISHED["3"].columns]
    assert [one.name for one in COMPACT_RECIPES] == [f"compact-{ending}" for ending in endings]
    for one, ending in zip(COMPACT_RECIPES, endings, strict=True):
        paper = RECIPES[f"cifar10-rn18-{ending}"]
        assert (one.method, one.optimizer, one.gamma_awp) == (paper.method, paper.optimizer, paper.gamma_awp)
        assert (one.dataset, one.model, one.epsilon, one.test_examples) == ("digits", "small", 0.15, 200)
        assert one.step_size_train / one.epsilon == pytest.approx(paper.step_size_train / paper.epsilon)
        assert 0 < one.validation < 500
        assert one.drops[-1] < one.epochs
    tuned = {"lr", "eta_inner"}
    for field in set(ENTROPY_FIELDS) - tuned:
        assert getattr(RECIPES["compact-at-ensgd"], field) == getattr(RECIPES["cifar10-rn18-at-ensgd"], field)
