"""Which number format this machine trains in, and why."""

from __future__ import annotations

import re
from typing import Literal

from truetune.core.records import Environment, Gpu

Precision = Literal["fp32", "fp16", "bf16"]

_BF16_SINCE = (8, 0)
"""Source: NVIDIA, CUDA C++ Programming Guide, compute capabilities: bfloat16 in tensor cores from 8.0 on."""
_FAST_FP16_SINCE = (7, 0)
"""Source: the same; the first tensor cores. Before them fp16 is no faster than fp32, and often slower."""
_DATA_CENTRE_CHIPS = {(8, 0), (9, 0), (10, 0), (10, 3)}
"""Compute capabilities that only data-centre boards have (A100 and A30, H100 and H200, B200, B300).
Source: NVIDIA, CUDA GPU Compute Capability (developer.nvidia.com/cuda-gpus), read 2026-11 in a stored copy."""
_DATA_CENTRE_NAME = re.compile(r"\b(?:A2|A10|A10G|A16|A40|L4|L20|L40|L40S)\b")
"""Data-centre boards whose chip consumer cards have too (8.6, 8.9).
Source: the same page; A10G and L20 are not on it and stand here from general knowledge."""


def choose_precision(environment: Environment) -> tuple[Precision, str]:
    """bf16 on data-centre NVIDIA, fp16 with a gradient scaler on consumer cards, fp32 on CPU; and the reason in words."""
    if not environment.gpus:
        return "fp32", "fp32: no NVIDIA GPU, and on a CPU fp32 is exact and needs no loss scaling"
    if environment.torch_build == "cpu":
        return "fp32", "fp32: torch is built for CPUs only, so the GPU is not used"
    return min((_for_gpu(gpu) for gpu in environment.gpus), key=lambda choice: ("fp32", "fp16", "bf16").index(choice[0]))


def _for_gpu(gpu: Gpu) -> tuple[Precision, str]:
    if gpu.compute_capability is None:
        return "fp32", f"fp32: the driver does not tell what the {gpu.name} can do, and fp32 works on every GPU"
    major, minor = (int(part) for part in gpu.compute_capability.split("."))
    shown = f"{gpu.name} (compute capability {gpu.compute_capability})"
    if (major, minor) < _FAST_FP16_SINCE:
        return "fp32", f"fp32: the {shown} has no tensor cores, so half precision would cost accuracy and gain no speed"
    if (major, minor) < _BF16_SINCE:
        return "fp16", f"fp16 with a gradient scaler: the {shown} has no bf16"
    if (major, minor) in _DATA_CENTRE_CHIPS or _DATA_CENTRE_NAME.search(gpu.name):
        return "bf16", f"bf16: the {shown} is a data-centre GPU with bf16 tensor cores; no loss scaling is needed"
    return "fp16", f"fp16 with a gradient scaler: the conservative choice on a consumer GPU, {shown}"
