"""EntropySGD on several ranks: with one seed they stay together, with two they drift apart."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import torch
from entropy_nets import LOOP, ROUNDING, anchor, backward, bits, run, small_net, trained
from torch import nn

from training.entropy_sgd import EntropySGD


def rank_main(rank: int, folder: str) -> None:
    """One of two ranks: a run with one seed on both, and one with a seed each."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60),
    )
    for name, seed in (("same", 5), ("own", rank)):
        model = small_net()
        parallel = nn.parallel.DistributedDataParallel(model)
        optimizer = EntropySGD(parallel.parameters(), **LOOP, seed=seed)
        run(parallel, optimizer, range(rank, 14, 2))
        torch.save((bits(model), anchor(model, optimizer)), f"{folder}/{name}{rank}.pt")
    torch.distributed.barrier()
    # Without the destructors of gloo's threads, which have been seen to wait for each other for ever.
    os._exit(0)


def test_ranks_with_one_seed_stay_together_and_with_two_drift_apart(tmp_path: Path):
    context = torch.multiprocessing.get_context("spawn")
    ranks = [context.Process(target=rank_main, args=(rank, str(tmp_path)), daemon=True) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(100)
    assert [process.exitcode for process in ranks] == [0, 0]
    for name, together in (("same", True), ("own", False)):
        (one, theta_one), (two, theta_two) = (torch.load(tmp_path / f"{name}{rank}.pt") for rank in (0, 1))
        assert torch.equal(one, two) == together
        assert torch.equal(theta_one, theta_two) == together
    # One process that averages the two gradients itself.
    model, optimizer = trained(0, seed=5)
    for k in range(0, 14, 2):
        halves = []
        for part in (k, k + 1):
            backward(model, part)
            halves.append([weight.grad for weight in model.parameters()])
        for weight, *pair in zip(model.parameters(), *halves, strict=True):
            weight.grad = (pair[0] + pair[1]) / 2
        optimizer.step()
    same, _ = torch.load(tmp_path / "same0.pt")
    torch.testing.assert_close(same, bits(model), rtol=0, atol=ROUNDING)
