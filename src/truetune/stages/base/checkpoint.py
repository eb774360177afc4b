"""Which files hold the model's weights, and which tensors are in them. Pickles are never opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from truetune.core.errors import EvidenceError, UsageError
from truetune.stages.base.safetensors_header import Tensor, damaged, read_header

_INDEX = "model.safetensors.index.json"
_PICKLE_SUFFIXES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""A zip (torch.save since 1.6) or a pickle protocol 2 to 5 opcode. Source: Python, pickletools; torch.serialization."""


@dataclass(frozen=True)
class Checkpoint:
    """The weights' tensors by name, and the pickled files that lie beside them."""

    tensors: dict[str, Tensor]
    pickles: tuple[str, ...]


def read_checkpoint(folder: Path) -> Checkpoint:
    """The tensors that transformers would load from the folder.

    Raises:
        UsageError: `base.pickle_weights` where there are only pickles, `base.not_a_model` where there are no weights.
        EvidenceError: `base.weights.damaged`.
    """
    pickles = tuple(p.name for p in sorted(folder.iterdir()) if _is_pickle(p))
    files = _weight_files(folder)
    if not files:
        raise _only_pickles(folder, pickles) if pickles else _no_weights(folder)
    tensors: dict[str, Tensor] = {}
    for path in files:
        tensors.update(read_header(path))
    return Checkpoint(tensors, pickles)


def _weight_files(folder: Path) -> list[Path]:
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    index = folder / _INDEX
    return _sharded(folder, index) if index.is_file() else []


def _sharded(folder: Path, index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(index, "it is not an index of weights") from error
    if any(Path(str(name)).name != name for name in names):
        raise damaged(index, "it names files outside the model's folder")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise EvidenceError(
            "base.weights.damaged",
            f"{len(missing)} of {len(names)} weight files are missing, first {missing[0]}",
            why=f"{_INDEX} names them",
            fix="fetch the model again; a download may have been cut short",
            where=str(folder / missing[0]),
        )
    return [folder / name for name in names]


def _is_pickle(path: Path) -> bool:
    if path.suffix not in _PICKLE_SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(4).startswith(_PICKLE_STARTS)


def _only_pickles(folder: Path, pickles: tuple[str, ...]) -> UsageError:
    return UsageError(
        "base.pickle_weights",
        f"the model's weights are pickled ({', '.join(pickles[:3])})",
        why="opening a pickle runs whatever code its author put in; truetune opens safetensors only",
        fix="use a revision of the model that has model.safetensors, or convert it on a machine you can afford to lose",
        where=str(folder),
    )


def _no_weights(folder: Path) -> UsageError:
    if (folder / "adapter_config.json").is_file():
        why, fix = "it holds a LoRA adapter, not a model", "name the base model, or merge the adapter into it first"
    else:
        why, fix = f"there is no model.safetensors and no {_INDEX}", "name a folder or hub id that has safetensors weights"
    return UsageError("base.not_a_model", f"{folder} has no weights", why=why, fix=fix, where=str(folder))
