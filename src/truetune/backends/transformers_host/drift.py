"""How far apart two candidates' logits are on the same ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from truetune.backends.transformers_host.forward import Forward, Prefix, Row
from truetune.backends.transformers_host.loading import free, load, torch_module
from truetune.core.errors import DataError
from truetune.core.ports import CandidateRef, Drift


def both(reference: CandidateRef, candidate: CandidateRef, stack: ExitStack) -> tuple[Any, Any]:
    """Two models to call as `with side() as forward`. One set of weights serves both where only the adapter differs."""
    same_base = reference.model_dir == candidate.model_dir
    if same_base and (reference.adapter_dir is None) != (candidate.adapter_dir is None):
        model = load(candidate if candidate.adapter_dir else reference, torch_module().float32)
        forward = Forward(model)
        stack.callback(free)

        @contextmanager
        def without_adapter() -> Iterator[Forward]:
            with model.disable_adapter():
                yield forward

        @contextmanager
        def with_adapter() -> Iterator[Forward]:
            yield forward

        return (without_adapter, with_adapter) if reference.adapter_dir is None else (with_adapter, without_adapter)
    return _alone(reference, stack), _alone(candidate, stack)


def _alone(candidate: CandidateRef, stack: ExitStack) -> Any:
    forward = Forward(load(candidate, torch_module().float32))
    stack.callback(free)

    @contextmanager
    def side() -> Iterator[Forward]:
        yield forward

    return side


def compare(of_reference: Any, of_candidate: Any, rows: Sequence[Row], probe_from: Sequence[int]) -> Drift:
    """Stream both sides' logits over batches of rows; `of_reference` and `of_candidate` come from `both`.

    Raises:
        DataError: no row has a token to compare.
    """
    sums = _DriftSums()
    with torch_module().inference_mode():
        probed = [i for i, row in enumerate(rows) if probe_from[i] < len(row)]
        for batch in _drift_batches(of_reference, rows, probed):
            starts = [probe_from[i] for i in batch]
            sides = [_probed_logits(side, [rows[i] for i in batch], starts) for side in (of_reference, of_candidate)]
            for expected, got in zip(*sides, strict=True):
                sums.add(expected, got)
    return sums.result()


def _drift_batches(side: Any, rows: Sequence[Row], probed: Sequence[int]) -> list[list[int]]:
    with side() as forward:
        groups = forward.batches([rows[i] for i in probed], Prefix(0, None), 1, 8)
    return [[probed[k] for k in group] for group in groups]


def _probed_logits(side: Any, rows: Sequence[Row], starts: Sequence[int]) -> list[Any]:
    """For each row, the logits (probed tokens, vocabulary) that predict its tokens from `start` on."""
    with side() as forward:
        prefix = forward.share(rows, at_most=min(starts) - 1)
        keep = max(len(row) - start for row, start in zip(rows, starts, strict=True)) + 1
        logits, _ = forward.prefill(prefix, rows, keep=keep, room=0)
        return [logits[i, -(len(row) - start + 1) : -1] for i, (row, start) in enumerate(zip(rows, starts, strict=True))]


class _DriftSums:
    """Running sums over positions: no logits are kept."""

    def __init__(self) -> None:
        self.tokens = 0
        self.agreed = 0
        self.kl = 0.0
        self.max_abs = 0.0

    def add(self, expected: Any, got: Any) -> None:
        """Add logits (positions, vocabulary) of the reference and of the candidate."""
        torch = torch_module()
        p, q = (torch.log_softmax(logits.double(), dim=-1) for logits in (expected, got))
        self.kl += float((p.exp() * (p - q)).sum())
        self.tokens += expected.shape[0]
        self.agreed += int((expected.argmax(dim=-1) == got.argmax(dim=-1)).sum())
        self.max_abs = max(self.max_abs, float((expected - got).abs().max()))

    def result(self) -> Drift:
        """Means over the positions seen.

        Raises:
            DataError: there was none.
        """
        if self.tokens == 0:
            raise DataError("eval.nothing_to_compare", "no sequence has a token to compare", fix="give longer sequences")
        return Drift(
            tokens=self.tokens,
            max_abs_logit=self.max_abs,
            mean_kl_nats=max(0.0, self.kl / self.tokens),
            top1_agreement=self.agreed / self.tokens,
        )
