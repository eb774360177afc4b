"""Weights from a folder into memory, quietly, and the errors that can come of it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from truetune.core.errors import EnvironmentFault, UpstreamError, UsageError
from truetune.core.ports import CandidateRef

_NOT_COPIED = (".bin", ".pt", ".pth", ".safetensors", ".gguf", ".onnx")


def torch_module() -> Any:
    """The torch package, imported on first use.

    Raises:
        EnvironmentFault: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise EnvironmentFault(
            "environment.missing_extra",
            "running a model needs the package `torch`",
            why="it comes with the extra `train`, which is not installed",
            fix="pip install 'truetune[train]'",
        ) from error
    return torch


def fast_dtype() -> Any:
    """What weights are held in for generation: fp32 on CPU; bf16 on CUDA where it has it, else fp16."""
    torch = torch_module()
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def load(candidate: CandidateRef, dtype: Any, device: str | None = None) -> Any:
    """A candidate in evaluation mode, on the GPU where there is one.

    Raises:
        UsageError: its weights are not safetensors.
        UpstreamError: transformers or PEFT cannot load it.
    """
    torch = torch_module()
    _require_safetensors(candidate.model_dir, "*.safetensors")
    if candidate.adapter_dir is not None:
        _require_safetensors(candidate.adapter_dir, "adapter_model.safetensors")
    try:
        model = _read(candidate, dtype)
    except (OSError, ValueError, KeyError, _safetensor_error()) as error:
        raise UpstreamError(
            "upstream.model_load",
            "transformers could not load the model" + (" with its adapter" if candidate.adapter_dir else ""),
            why=next(iter(str(error).splitlines()), type(error).__name__),
            fix="truetune verify names a file that is not what was recorded; then truetune run --new",
            where=str(candidate.adapter_dir or candidate.model_dir),
        ) from error
    return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()


def _read(candidate: CandidateRef, dtype: Any) -> Any:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        candidate.model_dir, dtype=dtype, attn_implementation="sdpa", local_files_only=True, use_safetensors=True
    )
    if candidate.adapter_dir is None:
        return model
    from peft import PeftModel

    return PeftModel.from_pretrained(model, candidate.adapter_dir, local_files_only=True)


def _safetensor_error() -> type[Exception]:
    from safetensors import SafetensorError

    return SafetensorError  # type: ignore[no-any-return, unused-ignore]


def _require_safetensors(folder: Path, pattern: str) -> None:
    if not any(folder.glob(pattern)):
        raise UsageError(
            "base.pickle_weights" if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) else "base.no_weights",
            f"{folder.name} has no {pattern}",
            why="only safetensors weights are loaded: a pickle runs code when it is read",
            fix="load it where you trust it and save_pretrained(..., safe_serialization=True)",
            where=str(folder),
        )


def copy_companions(source: Path, folder: Path) -> None:
    """Tokenizer, template and generation config byte for byte as the base has them; the merged config.json stays."""
    kept = {"config.json", "model.safetensors.index.json", "truetune-model.json"}
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name not in kept and path.suffix not in _NOT_COPIED and not path.name.startswith("."):
            shutil.copyfile(path, folder / path.name)


def free_bytes(device: Any) -> int:
    """Memory that the device could still give."""
    if device.type == "cuda":
        return int(torch_module().cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def free() -> None:
    """Give back what the last model left in the GPU's allocator."""
    torch = torch_module()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def memory_named(doing: str) -> Iterator[None]:
    """Turn running out of memory into an error that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if not isinstance(error, MemoryError) and "out of memory" not in text and "can't allocate memory" not in text:
            raise
        raise EnvironmentFault(
            "environment.out_of_memory",
            f"out of memory while {doing}",
            why=str(error).splitlines()[0] if str(error) else "the system refused more memory",
            fix="close other programs, use a smaller base model or shorter prompts, then run the same command again",
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """No library writes to the terminal meanwhile; what matters is raised or returned."""
    try:
        from transformers.utils import logging
    except ImportError:
        torch_module()
        raise
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.set_verbosity(before)
            if bars:
                logging.enable_progress_bar()
