"""The timing of the engines: work counted against closed forms, rates against numpy, and the command's files."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from run_tools import few_digits, tiny
from torch import nn

from training.cells.recipes import recipe
from training.engine.device import Computing
from training.run import main as train
from training.runs import checkpoint
from training.studies.bench.command import main
from training.studies.bench.memory import peak_memory
from training.studies.bench.page import page, words
from training.studies.bench.steps import public_codes
from training.studies.bench.stopwatch import Stopwatch, spread
from training.studies.bench.work import Work, copy_rate, counted, product_rate, step_work

CPU = torch.device("cpu")
ONE = Computing.of("cpu", threads=1)
# Multiply-adds of the small net on one image: 16 filters of 3x3 at 4x4 places, 256 to 92, 92 to 10.
CONVOLUTION = 9 * 16 * 16
FORWARD = 2 * (CONVOLUTION + 256 * 92 + 92 * 10)
FLOAT = 4  # bytes


def small(name: str, *, weight_gradients: bool = False) -> float:
    """FLOP an image of a step of a compact recipe."""
    used = recipe(name)
    return step_work(used, 10, 1, ONE, weight_gradients=weight_gradients).flops / used.batch


def test_a_step_of_at_makes_the_flops_of_23_forwards_and_33_with_weight_gradients() -> None:
    # Ten attack steps forward and to the input, then forward and twice that back, but for the gradient of the pixels.
    assert small("compact-at") == 23 * FORWARD - 2 * CONVOLUTION
    assert small("compact-at", weight_gradients=True) == 33 * FORWARD - 2 * CONVOLUTION
    # The public code's two extra forwards, AWP's forward and backward.
    assert small("compact-at+code") == 25 * FORWARD - 2 * CONVOLUTION
    assert small("compact-awp") == 26 * FORWARD - 4 * CONVOLUTION


def test_the_flops_of_the_real_net_are_those_stated_for_it() -> None:
    few = replace(recipe("cifar10-rn18-at"), steps_train=1, batch=128)
    found = step_work(few, 10, 3, ONE, weight_gradients=False)
    assert found.flops / few.batch == pytest.approx(5 * 1.11e9, rel=0.01)


def test_the_bandwidth_floor_of_an_epoch_is_the_one_stated() -> None:
    """About 2.7 s an epoch of 50,000 images in bf16 on an H100, which copies at about 3 TB/s."""
    half = Computing.of("cpu", threads=1, amp="bf16")
    one, two = (
        step_work(replace(recipe("cifar10-rn18-at"), steps_train=steps), 10, 3, half, weight_gradients=False)
        for steps in (1, 2)
    )
    ten = one.bytes + 9 * (two.bytes - one.bytes)
    assert 50_000 / 128 * ten / 3.0e12 == pytest.approx(2.7, rel=0.05)


def test_bytes_of_products_and_batch_norms_are_those_of_their_tensors() -> None:
    x = torch.randn(5, 3, 8, 8)
    convolution = nn.Conv2d(3, 7, 3, padding=1, bias=False)
    moved = FLOAT * (x.numel() + 7 * 3 * 9 + 5 * 7 * 64)
    with torch.no_grad():
        assert counted(lambda: convolution(x)) == Work(2 * 27 * 7 * 64 * 5, moved)
        assert counted(lambda: convolution(x).relu_().add_(1)).bytes == moved
        layer = nn.Linear(4, 6)
        assert counted(lambda: layer(torch.ones(2, 4))).bytes == FLOAT * (8 + 24 + 6 + 12)
    norm = nn.BatchNorm2d(3)
    with torch.no_grad():
        assert counted(lambda: norm(x)).bytes == 3 * FLOAT * x.numel()
        norm.eval()
        assert counted(lambda: norm(x)).bytes == 2 * FLOAT * x.numel()


def test_the_backward_to_the_input_alone_reads_neither_input_nor_writes_weights() -> None:
    convolution = nn.Conv2d(3, 7, 3, padding=1, bias=False)
    weight, out = 7 * 27, 5 * 7 * 64
    x = torch.randn(5, 3, 8, 8, requires_grad=True)
    result = convolution(x).sum()
    whole = counted(lambda: result.backward())
    assert whole.bytes == FLOAT * (2 * out + 2 * weight + 2 * x.numel())
    convolution.requires_grad_(False)
    result = convolution(x).sum()
    half = counted(lambda: result.backward())
    assert half.bytes == FLOAT * (out + weight + x.numel())
    assert whole.flops == 2 * half.flops


def test_the_backward_of_a_batch_norm_reads_twice_what_it_needs() -> None:
    x = torch.randn(5, 3, 8, 8, requires_grad=True)
    norm = nn.BatchNorm2d(3)
    result = norm(x).sum()
    assert counted(lambda: result.backward()).bytes == 5 * FLOAT * x.numel()
    norm.eval()
    result = norm(x).sum()
    assert counted(lambda: result.backward()).bytes == 3 * FLOAT * x.numel()


def test_measured_rates_are_those_that_numpy_sees() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours = product_rate(CPU, "float32"), copy_rate(CPU)
    finally:
        torch.set_num_threads(threads)
    side = 1024
    a = np.random.default_rng(0).standard_normal((side, side), dtype=np.float32)
    source = np.ones(2**27, dtype=np.uint8)
    target = np.empty_like(source)

    def fastest(call: Any) -> float:
        taken = []
        for _ in range(4):
            began = time.perf_counter()
            call()
            taken.append(time.perf_counter() - began)
        return min(taken)

    # numpy may use every core, and others use the machine too.
    factor = 8
    theirs = (
        2 * side**3 / fastest(lambda: a @ a),
        2 * source.size / fastest(lambda: np.copyto(target, source)),
    )
    for mine, its in zip(ours, theirs, strict=True):
        assert its / factor < mine < factor * its


def test_peak_memory_counts_what_is_alive_at_once() -> None:
    a = torch.randn(100, 100)
    matrix = FLOAT * 100 * 100

    def step(*, frees: bool) -> None:
        b = a @ a
        c = b.relu()
        if frees:
            del b
        c @ c

    for frees, matrices in ((True, 2), (False, 3)):
        with peak_memory(CPU) as found:
            step(frees=frees)
        assert found == [matrices * matrix]
    with peak_memory(CPU) as found:
        a.mul_(2).add_(1)  # in the memory that was there
    assert found == [0]
    weight = torch.randn(100, 100, requires_grad=True)
    with peak_memory(CPU) as found:
        kept = (a @ weight).exp()  # the product is not needed for the gradient, its exponential is
    assert found == [2 * matrix]
    del kept


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == {"median": 3.0, "low": 1.5, "high": 4.5}
    assert spread([2.0, 8.0]) == {"median": 5.0, "low": 2.0, "high": 8.0}


def bench(folder: Path, *more: str) -> int:
    return main(["--steps", "5", "--threads", "1", "--out", str(folder), *more])


def entries(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "training_bench.json").read_text())["entries"]


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    assert bench(folder) == 0
    return folder


def test_both_engines_are_timed_beside_the_floor(timed: Path) -> None:
    (entry,) = entries(timed)
    assert (entry["recipe"], entry["steps"], entry["data"]) == ("compact-at", 5, "digits")
    fast, reference = entry["engines"]["fast"], entry["engines"]["reference"]
    assert fast["flops_a_step"] == 64 * (23 * FORWARD - 2 * CONVOLUTION) == entry["floor"]["flops_a_step"]
    assert reference["flops_a_step"] == 64 * (33 * FORWARD - 2 * CONVOLUTION)
    assert fast["used"]["attack_gradients"] == "input"
    assert reference["used"]["attack_gradients"] == "input and weights"
    for one in (fast, reference):
        step = one["seconds_a_step"]
        assert 0 < step["low"] <= step["median"] <= step["high"]
        assert 0 < one["share_of_peak"] < 1
        assert one["images_a_second"] * step["median"] == pytest.approx(64)
        assert one["seconds_an_epoch"] == pytest.approx(step["median"] * entry["images_an_epoch"] / 64)
        assert one["share_of_peak"] * entry["rates"]["float32"] == pytest.approx(one["flops_a_second"])
        # Weights, gradients and momentum of 24,842 parameters are alive at once.
        assert one["peak_memory"] > 3 * FLOAT * 24_842
        assert all(seconds >= 0 for seconds in one["pieces"].values())
        assert max(one["pieces"], key=one["pieces"].__getitem__) == "attack"
    floor = entry["floor"]["seconds_a_step"]
    assert entry["floor"]["gap"] == pytest.approx(fast["seconds_a_step"]["median"] / max(floor.values()))
    assert entry["floor"]["gap"] > 1
    assert entry["versions"]["torch"] == torch.__version__


def test_the_page_of_a_cpu_states_ratios_and_the_terminal_seconds(timed: Path) -> None:
    (entry,) = entries(timed)
    text = (timed / "training_bench.md").read_text()
    assert "`compact-at`" in text
    assert f"{entry['ratio']['median']:.2f}" in text
    assert " ms" not in text
    assert " ms a step" in words(entry)


def test_the_page_of_a_gpu_states_seconds_and_aims(timed: Path) -> None:
    (entry,) = entries(timed)
    entry |= {"device": "cuda", "recipe": "cifar10-rn18-at"}
    entry["hardware"] = {**entry["hardware"], "accelerator": "Some GPU"}
    text = page([entry])
    assert (
        f"| {entry['engines']['fast']['seconds_an_epoch']:.1f} | 10 s on an H100; 5 times reference: missed |"
        in text
    )
    entry["ratio"] = {"median": 5.0, "low": 5.0, "high": 5.0}
    assert "5 times reference: met" in page([entry])
    # The public codes' own convolutions are timed beside it, and both ratios stand on the page and in the terminal.
    assert "The public codes leave torch's default" in text
    assert "| not timed | not timed |" in text
    other = {"median": 3.0e-3, "low": 2.0e-3, "high": 4.0e-3}
    ratio = {"median": 3.25, "low": 3.0, "high": 3.5}
    entry["tf32_convolutions"] = {"seconds_a_step": other, "ratio": ratio}
    assert "| 3.00 (2.00 to 4.00) | 3.25 (3.00 to 3.50) |" in page([entry])
    assert "| 5.00 (5.00 to 5.00) |" in page([entry])
    said = words(entry)
    assert "fast is 5.00 times reference" in said
    assert "fast is 3.25 (3.00 to 3.50) times the reference with TF32 convolutions" in said


def test_on_a_gpu_alone_the_reference_is_timed_with_the_convolutions_of_the_public_codes(
    timed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = entries(timed)
    assert entry["tf32_convolutions"] is None
    assert "TF32 convolutions" not in words(entry)
    used, data = tiny("cifar10-rn18-at"), few_digits(40)
    assert public_codes(used, data, ONE) == {}
    # The switches of a GPU, on a CPU that has no TF32.
    seen: list[tuple[bool, bool]] = []
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(Computing, "kind", "cuda")
    monkeypatch.setattr(
        Stopwatch,
        "_steps",
        lambda self, number: seen.append(
            (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
        ),
    )
    reference = Computing.of("cpu", "reference", threads=1)
    (third,) = public_codes(used, data, reference).values()
    plain = Stopwatch(used, data, reference)
    plain.block(1)
    third.block(1)
    assert seen == [(True, False), (False, False), (False, False), (True, False)]


def test_a_newer_timing_replaces_its_own_and_no_other(timed: Path, tmp_path: Path) -> None:
    (before,) = entries(timed)
    other = {**before, "recipe": "compact-awp"}
    path = tmp_path / "training_bench.json"
    path.write_text(json.dumps({"format": 1, "entries": [before, other]}))
    assert bench(tmp_path, "--examples", "7") == 0
    first, second = entries(tmp_path)
    assert first == other
    assert second["recipe"] == "compact-at"
    assert second["engines"]["fast"]["evaluation"]["images"] == 7
    assert not list(tmp_path.glob("*.part"))


def test_in_bf16_the_fast_engine_stands_beside_itself_in_float32_against_the_same_reference(
    timed: Path, tmp_path: Path
) -> None:
    shutil.copy(timed / "training_bench.json", tmp_path)
    assert bench(tmp_path, "--amp", "bf16") == 0
    plain, autocast = entries(tmp_path)
    assert [one["engines"]["fast"]["precision"] for one in (plain, autocast)] == ["float32", "bf16"]
    assert [one["engines"]["reference"]["precision"] for one in (plain, autocast)] == ["float32"] * 2
    assert "bf16" in autocast["rates"]
    assert "bf16" not in plain["rates"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "compact-att"], "recipe 'compact-att' is unknown"),
        (["--examples", "100000"], "examples = 100000: there are"),
        (["--batch", "5000"], "batch = 5000: digits has"),
        (["--batch", "1"], "batch = 1: the small net's last batch norm"),
        (["--device", "tpu"], "device 'tpu' is not known"),
        (["--recipe", "cifar10-rn18-at", "--data-dir", "/nowhere"], "/nowhere"),
        (["--autoattack", "/nowhere/trained.pt"], "/nowhere/trained.pt does not exist"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert bench(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_foreign_file_is_refused_before_the_work_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "training_bench.json"
    path.write_text('{"format": 7}')
    assert bench(tmp_path) == 2
    assert "training_bench.json, line 1: entries is missing, need a list" in capsys.readouterr().err
    assert path.read_text() == '{"format": 7}'


def test_autoattack_is_clocked_stage_by_stage_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        train(["--recipe", "compact-at", "--epochs", "1", "--autoattack", "none", "--out", str(tmp_path)])
        == 0
    )
    net = tmp_path / "runs" / "compact-at" / "seed0-epochs1" / "trained.pt"
    for _ in range(2):
        assert bench(tmp_path, "--autoattack", str(net), "--examples", "6") == 0
        (entry,) = entries(tmp_path)
        stages = entry["stages"]
        assert [stage["name"] for stage in stages] == ["apgd-ce", "apgd-t", "fab-t", "square"]
        assert [stage["accuracy"] for stage in stages] == sorted(
            (stage["accuracy"] for stage in stages), reverse=True
        )
        assert stages[-1]["passed"] == pytest.approx(sum(stage["seconds"] for stage in stages))
        assert entry["bound"] == stages[1]
    # A run that was repeated is another net: its state is its own, and lies beside the first.
    content = checkpoint.load(net, "trained")
    next(iter(content["selected"]["best_test"]["weights"].values())).mul_(0.5)
    checkpoint.save(net, "trained", content)
    assert bench(tmp_path, "--autoattack", str(net), "--examples", "6") == 0
    assert len(list((tmp_path / "autoattack_bench").glob("compact-at-cpu-n6-*.json"))) == 2
    # The second call found every stage done.
    first, second, _ = (line for line in capsys.readouterr().out.splitlines() if line.startswith("square"))
    assert first == second
    assert bench(tmp_path, "--recipe", "compact-awp", "--autoattack", str(net)) == 2
    assert "is a net of compact-at: give one of compact-awp" in capsys.readouterr().err
