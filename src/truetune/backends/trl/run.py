"""One training, or a probe of one, from a request to what it leaves. Importing this imports torch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from truetune.backends.trl import checkpoints
from truetune.backends.trl.build import build, typical
from truetune.backends.trl.errors import understandable
from truetune.backends.trl.outcome import outcome
from truetune.backends.trl.overrides import check_overrides
from truetune.backends.trl.plan import plan_run
from truetune.backends.trl.quiet import quiet_libraries
from truetune.backends.trl.tracking import local_tracking
from truetune.core.ports import TrainOutcome, TrainRequest
from truetune.evidence import atomic
from truetune.evidence.digests import json_digest


def train(request: TrainRequest) -> TrainOutcome:
    """See `TrlTrainer.train`."""
    with _guarded(request):
        with atomic.writing(request.work_dir):
            request.work_dir.mkdir(parents=True, exist_ok=True)
        plan = plan_run(request.train, request.hyperparameters, request.seed)
        key = request_key(request)
        resume = checkpoints.newest(request.work_dir, key)
        checkpoints.sweep(request.work_dir, resume, key)
        with local_tracking(request.trackers, request.tracking_dir or request.work_dir.parent / "tracking"):
            trainer = build(request, plan, request.work_dir, key)
            trainer.run(resume)
            wall_s = trainer.elapsed_s
        return outcome(request, trainer, wall_s, resume)


def probe(request: TrainRequest, steps: int) -> float:
    """See `TrlTrainer.probe`."""
    with _guarded(request), tempfile.TemporaryDirectory(prefix="truetune-probe-") as folder:
        marks: list[float] = []
        whole = plan_run(request.train, request.hyperparameters, request.seed)
        plan = typical(request.train, whole, steps)
        quiet = replace(request, validation=(), trackers=(), on_step=lambda _: marks.append(time.monotonic()))
        build(quiet, plan, Path(folder), None).run(None)
        tokens = sum(len(request.train[row].input_ids) for step in plan.steps[1:] for row in step.rows)
        return (marks[-1] - marks[0]) / tokens


def request_key(request: TrainRequest) -> str:
    """Digest of all that decides the result: a checkpoint with another key is of another training."""
    rows = [[e.row_id, list(e.input_ids), [int(t) for t in e.trained]] for e in (*request.train, *request.validation)]
    weights = [[p.name, p.stat().st_size] for p in sorted(request.model_dir.glob("*.safetensors"))]
    return json_digest([request.hyperparameters.model_dump(mode="json"), request.seed, request.precision, rows, weights])


@contextmanager
def _guarded(request: TrainRequest) -> Iterator[None]:
    """Refuse what cannot work before anything heavy is loaded; quiet, and with failures that a user can act on."""
    check_overrides(request.hyperparameters.trainer_overrides)
    with quiet_libraries(), understandable(request.work_dir):
        yield
