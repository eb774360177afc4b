"""Which weights are evaluated, and the digests that identify them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from truetune.core.errors import EvidenceError
from truetune.core.ports import CandidateRef
from truetune.core.records import BaseRecord, TrainRecord, Tree
from truetune.evidence.digests import file_digest, json_digest

CandidateKind = Literal["base_model", "few_shot_base", "tuned_adapter", "merged_model"]


@dataclass(frozen=True)
class Weights:
    """A set of weights to load, and the digest of all that decides its answers."""

    ref: CandidateRef
    digest: str


def base_weights(model_dir: Path, base: BaseRecord) -> Weights:
    """The base model, checked file by file against its record.

    Raises:
        EvidenceError: a file is not the one that the record names.
    """
    _check(model_dir, base.weights, "base model", "fetch it again: remove the folder, then `truetune run`")
    return Weights(CandidateRef(model_dir), base.weights.digest)


def adapter_weights(base: Weights, adapter_dir: Path, train: TrainRecord) -> Weights:
    """The base with the trained adapter, checked file by file against its record.

    Raises:
        EvidenceError: a file is not the one that the record names.
    """
    _check(adapter_dir, train.adapter, "adapter", "`truetune run` lays the recorded adapter out again")
    return Weights(CandidateRef(base.ref.model_dir, adapter_dir), json_digest([base.digest, train.adapter.digest]))


def _check(folder: Path, recorded: Tree, what: str, fix: str) -> None:
    """Cached answers are found by the recorded digest, so the weights on disk must be those."""
    for artifact in recorded.files:
        path = folder / artifact.path
        if not path.is_file() or file_digest(path) != artifact.digest:
            state = "is not what its record names" if path.is_file() else "is missing"
            raise EvidenceError(
                "eval.weights_changed",
                f"{artifact.path} of the {what} {state}",
                why="scores would be recorded for weights that did not make them",
                fix=fix,
                where=str(path),
            )
