"""Serves the study of the probe: nets that are flattened in the input on purpose, by a penalty on the loss's gradient
there (Sec. 3.2.2: "if we flatten the loss function in the input space for robustness")."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.cells.recipes import recipe
from training.data import Dataset
from training.models import build
from training.runs.batches import order
from training.runs.checkpoint import load, save
from training.runs.randomness import derived
from training.runs.stopping import Stop

RECIPE = "silu-at"  # whose net, batches, learning rates and epochs they are trained with
PENALTIES = (0.0, 0.03, 0.3, 3.0)
KIND = "penalty"


def trained_with_penalty(
    data: Dataset, weight: float, seed: int, folder: Path, stop: Stop
) -> dict[str, Tensor]:
    """The state of a net trained on mean l + weight * mean ||grad_x l||^2 at clean images; kept in the folder."""
    path = folder / f"weight{weight:g}-seed{seed}.pt"
    if path.exists():
        return load(path, KIND)["weights"]
    one = recipe(RECIPE)
    torch.manual_seed(derived(seed, "start"))
    net = build(one.model, len(data.classes), data.train_images.shape[1])
    optimizer = torch.optim.SGD(
        net.parameters(), lr=one.lr, momentum=one.momentum, weight_decay=one.weight_decay
    )
    for epoch in range(one.epochs):
        for group in optimizer.param_groups:
            group["lr"] = one.lr * 0.1 ** sum(epoch >= drop for drop in one.drops)
        for rows in order(data, seed, epoch).split(one.batch):
            optimizer.zero_grad()
            penalised(net, data.pixels(data.train_images[rows]), data.train_labels[rows], weight).backward()
            optimizer.step()
            stop.check()
    weights = {name: value.detach().clone() for name, value in net.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    save(path, KIND, {"weights": weights})
    return weights


def penalised(net: torch.nn.Module, x: Tensor, y: Tensor, weight: float) -> Tensor:
    """Mean cross-entropy + weight * mean over the examples of ||its gradient by x||^2, to be differentiated."""
    x = x.detach().requires_grad_()
    losses = F.cross_entropy(net(x), y, reduction="none")
    if not weight:
        return losses.mean()
    gradient = torch.autograd.grad(losses.sum(), x, create_graph=True)[0]
    return losses.mean() + weight * gradient.square().flatten(1).sum(1).mean()
