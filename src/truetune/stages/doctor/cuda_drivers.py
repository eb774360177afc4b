"""The oldest NVIDIA driver for each CUDA generation, as a dated table.

Source: NVIDIA, CUDA Compatibility, "Minor Version Compatibility", table 1 (docs.nvidia.com/deploy/cuda-compatibility),
read 2026-11 in a stored copy.
"""

from __future__ import annotations

AS_OF = "2026-11"
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
"""CUDA major version → driver's major version."""
