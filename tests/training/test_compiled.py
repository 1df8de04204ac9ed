"""A compiled net is the net (training/engine/compiled.py), and is called as it is where it cannot be compiled."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from training.engine.compiled import Compiled
from training.models import build
from training.studies.agreement import agreement

ROUNDING = 1e-5  # some tens of float32 operations


def examples(n: int = 16) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return build("small", 10, 1).train(), torch.rand(n, 1, 8, 8), torch.randint(0, 10, (n,))


def test_a_compiled_net_is_the_net_in_eval_and_train_mode_and_moves_the_same_statistics():
    net, x, y = examples()
    said: list[str] = []
    compiled = Compiled(net, [len(x)], said.append, backend="aot_eager")
    gaps = agreement(net, compiled, x, y)
    assert list(gaps) == [
        *("logits, eval mode", "input gradient, eval mode"),
        *("logits, train mode", "input gradient, train mode"),
    ]
    assert max(gaps.values()) <= ROUNDING
    before = {name: value.clone() for name, value in net.named_buffers()}
    compiled(x)
    moved = {name: value.clone() for name, value in net.named_buffers()}
    for name, value in net.named_buffers():
        assert not torch.equal(value, before[name])
        value.copy_(before[name])
    net(x)
    for name, value in net.named_buffers():
        torch.testing.assert_close(value, moved[name], rtol=ROUNDING, atol=ROUNDING)
    assert said == []
    assert [id(one) for one in compiled.parameters()] == [id(one) for one in net.parameters()]
    # A net that is another one is told apart.
    other = build("small", 10, 1).train()
    assert min(agreement(net, other, x, y).values()) > 100 * ROUNDING


@pytest.mark.skipif(
    not os.environ.get("SMOOTHNESS_AT_COMPILE") or shutil.which("g++") is None,
    reason="takes a minute and g++: set SMOOTHNESS_AT_COMPILE=1",
)
def test_the_compiler_of_the_fast_engine_keeps_logits_and_gradients():
    net, x, y = examples()
    said: list[str] = []
    assert max(agreement(net, Compiled(net, [len(x)], said.append), x, y).values()) <= ROUNDING
    assert said == []


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_net_that_cannot_be_compiled_is_called_as_it_is_with_one_line(where):
    from functorch.compile import make_boxed_func
    from torch._dynamo.backends.common import aot_autograd

    def broken(graph, inputs):
        raise RuntimeError("no compiler\nat all")

    def fine(graph, inputs):
        return make_boxed_func(graph.forward)

    forward, backward = (broken, fine) if where == "forward" else (fine, broken)
    backend: Any = aot_autograd(fw_compiler=forward, bw_compiler=backward, inference_compiler=forward)
    net, x, y = examples()
    expected = {name: value.clone() for name, value in net.state_dict().items()}
    plain = build("small", 10, 1).train()
    plain.load_state_dict(expected)
    said: list[str] = []
    compiled = Compiled(net, [len(x)], said.append, backend=backend)
    for _ in range(2):
        assert torch.equal(compiled(x), plain(x))
    nn.functional.cross_entropy(compiled(x), y).backward()
    assert len(said) == 1
    assert "no compiler" in said[0]
    assert "\n" not in said[0]
    plain(x)
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in plain.state_dict().items())


def test_above_the_compiler_s_limit_of_variants_the_net_is_called_as_it_is_with_one_line(monkeypatch):
    monkeypatch.setattr("training.engine.compiled.VARIANTS", 2)
    torch._dynamo.reset()
    net, x, _ = examples()
    said: list[str] = []
    limits: Any = torch._dynamo.config
    with torch.no_grad(), limits.patch(recompile_limit=2, accumulated_recompile_limit=2):
        compiled = Compiled(net.eval(), [4, 8, 12, 16], said.append, backend="eager")
        for size in (4, 8, 12, 16):
            torch.testing.assert_close(compiled(x[:size]), net(x[:size]), rtol=ROUNDING, atol=ROUNDING)
            assert len(said) == (size > 8)
    assert said[0].startswith("FailOnRecompileLimitHit: ")
    assert "\n" not in said[0]


def test_batches_of_other_sizes_are_not_compiled():
    net, x, _ = examples()
    asked: list[int] = []

    def backend(graph, inputs):
        asked.append(len(inputs))
        return graph.forward

    compiled = Compiled(net.eval(), [8], asked.append, backend=backend)  # type: ignore[arg-type]
    assert torch.equal(compiled(x), net(x))
    assert asked == []
    torch.testing.assert_close(compiled(x[:8]), net(x[:8]), rtol=ROUNDING, atol=ROUNDING)
    assert len(asked) == 1
