"""Errors of training, and the libraries' own failures turned into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from truetune.core.errors import DataError, EnvironmentFault, UpstreamError
from truetune.evidence import atomic

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_DISK_FULL = ("No space left", "Disk quota exceeded")


def all_masked(what: str) -> DataError:
    """The error for rows that would train nothing."""
    return DataError(
        "train.mask.all_masked",
        f"{what} has no trained token",
        why="the chat template, the mask or the length limit left nothing of the answer to learn from",
        fix="truetune check FILE shows what is trained, token by token; correct the row or remove it",
    )


def not_finite(what: str, value: float, step: int, learning_rate: float) -> UpstreamError:
    """The error that stops a training whose numbers are no longer numbers."""
    return UpstreamError(
        "train.loss.nan",
        f"the {what} is {value} at step {step}; training was stopped",
        why=f"the weights or one batch left the range of numbers; train.learning_rate is {learning_rate:.3g}",
        fix=f"set train.learning_rate to {learning_rate / 10:.1g} or lower, then run the same command again",
    )


@contextmanager
def understandable(work_dir: Path) -> Iterator[None]:
    """Turn what libraries raise for want of memory or disk into errors that a user can act on.

    Raises:
        EnvironmentFault: out of memory; the disk full, read-only or not permitted.
    """
    try:
        with atomic.writing(work_dir):
            yield
    except Exception as error:
        text = str(error)
        if isinstance(error, MemoryError) or any(sign in text.lower() for sign in _OUT_OF_MEMORY):
            raise _out_of_memory(text) from error
        if any(sign in text for sign in _DISK_FULL) and not isinstance(error, EnvironmentFault):
            raise _disk_full(text, work_dir) from error
        raise


def _out_of_memory(text: str) -> EnvironmentFault:
    return EnvironmentFault(
        "environment.out_of_memory",
        "training ran out of memory",
        why=_first_line(text) or "the system gave no more",
        fix="halve train.batch_size and double train.gradient_accumulation (the result is the same), lower train.max_length, "
        "or set train.trainer_overrides: {activation_checkpointing: true}; then run the same command again",
    )


def _disk_full(text: str, work_dir: Path) -> EnvironmentFault:
    return EnvironmentFault(
        "environment.disk_full",
        f"could not write a checkpoint in {work_dir}",
        why=_first_line(text),
        fix="free space there (`df -h`), then run the same command again",
        where=str(work_dir),
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
