"""What each engine does, on a CPU and on a GPU: one table of switches."""

from __future__ import annotations

from dataclasses import dataclass, fields

ENGINES = ("fast", "reference")


@dataclass(frozen=True)
class Choice:
    """How an engine computes. None of it changes the algorithm; what may change a result is its last bits.

    weight_gradients : the attack computes the gradients of the weights too and drops them, as the public codes do: ten
                       of a step's 33 forward-equivalents, which no result depends on
    amp              : "bf16" runs the training forwards under autocast; perturbations, weights, logits, the first step
                       of TRADES' attack and every evaluation stay float32
    channels_last    : memory format of images and convolutions
    tf32             : float32 products on a GPU may round their factors to TF32, in the evaluation as well
    update           : SGD's, one weight after the other ("single"), lists of weights at once ("foreach"), one kernel
                       for all of it ("fused"). EntropySGD works on lists in either engine
    compiled         : forward and backward of the model are compiled (`training.engine.compiled`)
    captured         : attack, loss and backward of a training step are one CUDA graph (`training.engine.capture`)
    evaluation_batch : images attacked at once in an evaluation
    autoattack_batch : the same for AutoAttack, whose result depends on it a little: it seeds every batch anew
    """

    weight_gradients: bool
    amp: str
    channels_last: bool
    tf32: bool
    update: str
    compiled: bool
    captured: bool
    evaluation_batch: int
    autoattack_batch: int


# Eager float32 as the public codes run, on any device.
REFERENCE = Choice(
    weight_gradients=True,
    amp="off",
    channels_last=False,
    tf32=False,
    update="single",
    compiled=False,
    captured=False,
    evaluation_batch=128,
    autoattack_batch=250,
)
# On a CPU nothing is taken that would change a bit of a run: channels-last rounds otherwise and has to be asked for.
FAST_CPU = Choice(
    weight_gradients=False,
    amp="off",
    channels_last=False,
    tf32=False,
    update="foreach",
    compiled=False,
    captured=False,
    evaluation_batch=500,
    autoattack_batch=250,
)
FAST_CUDA = Choice(
    weight_gradients=False,
    amp="bf16",
    channels_last=True,
    tf32=True,
    update="fused",
    compiled=True,
    captured=True,
    evaluation_batch=500,
    autoattack_batch=500,
)
WORDS = {
    "amp": "bf16",
    "channels_last": "channels-last",
    "tf32": "TF32",
    "update": "fused updates",
    "compiled": "compilation",
    "captured": "CUDA graphs",
}


def choice(engine: str, kind: str) -> Choice:
    """What an engine does on a kind of device, "cpu", "cuda" or another, which is treated as a CPU.

    Raises: ValueError for an unknown engine.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine = {engine!r} is unknown: use one of {', '.join(ENGINES)}")
    if engine == "reference":
        return REFERENCE
    return FAST_CUDA if kind == "cuda" else FAST_CPU


def left_out(used: Choice) -> list[str]:
    """What the fast engine has on a GPU and goes without here, in words."""
    return [
        WORDS[one.name]
        for one in fields(Choice)
        if one.name in WORDS and getattr(used, one.name) != getattr(FAST_CUDA, one.name)
    ]
