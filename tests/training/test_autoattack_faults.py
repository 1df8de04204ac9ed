"""AutoAttack (training/evaluation) on models that have no accuracy, or that its authors' package doubts.

Second sources: `accuracy`, which refuses the same model, and the package's own run, whose log has the same lines.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import numpy as np
import pytest
import torch
from pyautoattack import AutoAttack, checks
from torch import Tensor, nn

from training.evaluation import NonFiniteLogits, accuracy, autoattack_accuracy

OPTIONS: dict[str, Any] = {"epsilon": 0.05, "seed": 0, "stages": ("apgd-ce",)}


class Net(nn.Module):
    """A linear net, its logits changed."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind, self.linear = kind, nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        logits = 4 * self.linear(x.flatten(1))
        if self.kind == "randomised":
            return logits + 0.1 * torch.randn_like(logits)
        if self.kind == "probabilities":
            return logits.softmax(dim=1)
        if self.kind == "dynamic":
            with torch.enable_grad():
                again = x.detach().clone().requires_grad_()
                torch.autograd.grad(self.linear(again.flatten(1)).sum(), again)
        if self.kind == "nan at some":
            return torch.where(x[:, :1, 0, 0] > 0.5, float("nan"), logits)
        if self.kind == "nan when attacked":
            whole = (255 * x.flatten(1) - (255 * x.flatten(1)).round()).abs().amax(1, keepdim=True) < 1e-3
            return torch.where(whole, logits, float("nan"))
        return logits


def examples(model: nn.Module, n: int = 8) -> tuple[Tensor, Tensor]:
    x = (torch.rand(n, 3, 2, 2, generator=torch.Generator().manual_seed(1)) * 256).floor() / 255
    x[:, 0, 0, 0] = torch.arange(n) * 32 / 255
    with torch.no_grad():
        return x, model.linear(x.flatten(1)).argmax(dim=1)  # type: ignore[operator]


def test_a_model_that_returns_nan_for_some_images_has_no_robust_accuracy(tmp_path):
    model = Net("nan at some")
    with pytest.raises(NonFiniteLogits):
        accuracy(model, *examples(model))
    with pytest.raises(NonFiniteLogits, match="logits that are not finite, so no accuracy"):
        autoattack_accuracy(model, *examples(model), **OPTIONS, state_path=tmp_path / "state.json")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_returns_nan_under_attack_alone_has_none_either():
    model = Net("nan when attacked")
    x, y = examples(model)
    assert accuracy(model, x, y) == 1
    with pytest.raises(NonFiniteLogits):
        autoattack_accuracy(model, x, y, **OPTIONS)


WORDS = {
    "randomised": "randomized defense",
    "probabilities": "probability distribution",
    "dynamic": "dynamic defense",
}


@pytest.mark.parametrize("kind", ["plain", *WORDS])
def test_the_doubts_of_the_package_reach_the_result(kind, caplog):
    model = Net(kind).eval()
    x, y = examples(model)
    found = autoattack_accuracy(model, x, y, **OPTIONS).warnings
    doubts = [text for text in found if "seems" in text]
    assert [name for name, words in WORDS.items() if any(words in text for text in doubts)] == (
        [] if kind == "plain" else [kind]
    )
    checks.funcs.update(dict.fromkeys(checks.funcs, 0))
    with caplog.at_level(logging.WARNING, logger="auto-attack"):
        whole = AutoAttack(model, attacks=["apgd-ce"], version="custom", eps=0.05, seed=0)
        whole.run_standard_evaluation(x, y)
    logged = {record.getMessage() for record in caplog.records if "seems" in record.getMessage()}
    assert set(doubts) == {text for text in logged if "target classes" not in text}


def test_a_warning_is_heard_when_logging_is_switched_off_and_the_switch_stays():
    model = Net("probabilities").eval()
    logger = logging.getLogger("auto-attack")
    logging.disable(logging.CRITICAL)
    logger.setLevel(logging.ERROR)
    try:
        assert any(
            "probability" in text for text in autoattack_accuracy(model, *examples(model), **OPTIONS).warnings
        )
        assert (logging.root.manager.disable, logger.level) == (logging.CRITICAL, logging.ERROR)
    finally:
        logging.disable(logging.NOTSET)
        logger.setLevel(logging.NOTSET)


def test_the_check_for_dynamic_models_leaves_tracing_as_it_was():
    def trace(frame: Any, event: str, argument: Any) -> None:
        return None

    model, before = Net("dynamic").eval(), sys.gettrace()
    sys.settrace(trace)
    try:
        autoattack_accuracy(model, *examples(model), **OPTIONS)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
    plain = Net("plain").eval()
    assert not any(
        "dynamic" in text for text in autoattack_accuracy(plain, *examples(plain), **OPTIONS).warnings
    )


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_autoattack_under_no_grad_or_inference_mode_is_the_same(mode):
    model = Net("plain").eval()
    expected = autoattack_accuracy(model, *examples(model), **OPTIONS)
    with mode():
        found = autoattack_accuracy(model, *examples(model), **OPTIONS)
    assert torch.equal(found.robust, expected.robust)
    assert found.stages == expected.stages


def test_numpy_numbers_are_options_like_any(tmp_path):
    model = Net("plain").eval()
    theirs: dict[str, Any] = {
        "epsilon": np.float64(0.05),
        "seed": np.int64(0),
        "batch": np.int32(8),
        "stages": ("apgd-ce",),
    }
    found = autoattack_accuracy(model, *examples(model), **theirs, state_path=tmp_path / "state.json")
    expected = autoattack_accuracy(model, *examples(model), **OPTIONS, batch=8)
    assert found.settings == expected.settings
    assert torch.equal(found.robust, expected.robust)
