"""A model whose forward and backward torch compiles, batch norm and relu fused among them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
import torch._dynamo
import torch._functorch.config
from torch import Tensor, nn
from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException
from torch.utils._python_dispatch import _get_current_dispatch_mode

from training.engine.capture import first_line

# Training forward and attack, AWP's ascent, extra forwards, evaluation: each with its own flags and batch size.
VARIANTS = 64


class Compiled(nn.Module):
    """net(x), compiled for the batch sizes named and eager for every other: a batch that comes once an epoch is not
    worth the minute. The weights and modules are net's own.

    told    : hears once, in words, why nothing is compiled where that fails; net is then called as it is
    backend : of `torch.compile`, a name or a function
    """

    def __init__(
        self,
        net: nn.Module,
        batches: Collection[int],
        told: Callable[[str], None],
        *,
        backend: str | Callable = "inductor",
    ) -> None:
        super().__init__()
        self.net = net
        self.batches = frozenset(batches)
        self.told = told
        self.failed = False
        config = torch._dynamo.config
        config.recompile_limit = max(config.recompile_limit, VARIANTS)
        config.accumulated_recompile_limit = max(config.accumulated_recompile_limit, 4 * VARIANTS)
        if hasattr(torch._functorch.config, "force_non_lazy_backward_lowering"):
            # A backward that cannot be compiled has to fail in the forward, where there is a way out.
            torch._functorch.config.force_non_lazy_backward_lowering = True
        # The function, not the module: a second module over the same weights would show up in `modules()`.
        self._forward = torch.compile(net.forward, dynamic=False, fullgraph=True, backend=backend)

    def forward(self, x: Tensor) -> Tensor:
        # What watches operations, a counter of FLOPs for one, would see none in compiled code.
        if self.failed or len(x) not in self.batches or _get_current_dispatch_mode() is not None:
            return self.net(x)
        try:
            return self._forward(x)
        except (TorchDynamoException, FailOnRecompileLimitHit) as error:
            # Compilation comes before computation: nothing has been changed yet.
            self.failed = True
            cause = getattr(error, "inner_exception", error)
            self.told(f"{type(cause).__name__}: {first_line(cause)}")
            return self.net(x)
