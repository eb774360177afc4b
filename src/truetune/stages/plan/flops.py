"""Arithmetic of training: how many floating-point operations, and how fast a machine does them.

The rule of thumb in circulation, hours ≈ parameters × tokens × passes / (5e11 × TFLOPS), is wrong by a factor of 1000 for the
example it is given with: 7e9 parameters and 30e6 tokens on 300 TFLOPS take its quoted 1.4 hours only with 5e14, and that
is 6·N·T at 83 % of peak, which no real run reaches. So time comes from operations and an *achieved* speed, measured or stated.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from truetune.core.records import Environment

Method = Literal["full", "lora"]

CPU_ACHIEVED_FRAC = 0.4
"""Source: measured, TRL with LoRA on SmolLM2-135M, 2 cores: 40 % of the matrix-product peak (docs: speed)."""
GPU_ACHIEVED_FRAC = 0.25
"""Source: ours, conservative: large pre-training runs report 46 % (PaLM, 2204.02311); small batches with LoRA reach less."""


@dataclass(frozen=True)
class Speed:
    """Achieved operations per second, and where the figure is from."""

    flops_per_s: float
    source: str


def training_flops(parameters: int, tokens: int, method: Method, *, recompute: bool = False) -> float:
    """Operations to train on `tokens` tokens.

    Full: 6·N·T (forward 2, gradients of activations 2, of weights 2). LoRA: 4·N·T, as the frozen weights have no gradient.
    Recomputing activations adds one forward pass, 2·N·T.

    Source: Kaplan et al. 2001.08361, section 2.1, for 6·N·T; docs: speed, for LoRA.
    """
    per_token = {"full": 6, "lora": 4}[method] + (2 if recompute else 0)
    return float(per_token) * parameters * tokens


def achieved_speed(environment: Environment, precision: str) -> Speed:
    """What training is likely to reach on this machine: a dated table of peaks, times a fraction that is stated."""
    table = _table()
    kind = "single" if precision == "fp32" else "half"
    gpu = environment.training_gpu
    if gpu is None:
        peak = table.cpu_core_tflops * 1e12 * environment.cores
        frac, name = CPU_ACHIEVED_FRAC, f"{environment.cores} CPU cores"
    else:
        name, half, single = next((row for row in table.gpus if row[0].lower() in gpu.name.lower()), table.other_gpu)
        peak, frac = (single if kind == "single" else half) * 1e12, GPU_ACHIEVED_FRAC
    source = f"not measured: {frac:.0%} of the peak of {name} ({peak / 1e12:.3g} TFLOPS, table of {table.as_of})"
    return Speed(peak * frac, source)


@dataclass(frozen=True)
class _Table:
    as_of: str
    gpus: tuple[tuple[str, float, float], ...]
    other_gpu: tuple[str, float, float]
    cpu_core_tflops: float


@cache
def _table() -> _Table:
    """The peaks; more specific names stand before the names they contain."""
    raw = json.loads(files(__package__).joinpath("peaks.json").read_text(encoding="utf-8"))
    rows = [(str(g["name"]), float(g["half"]), float(g["single"])) for g in [*raw["gpus"], raw["other_gpu"]]]
    return _Table(str(raw["as_of"]), tuple(rows[:-1]), rows[-1], float(raw["cpu_core"]["single"]))
