"""Loading, merging and comparing candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from truetune.backends.transformers_host.drift import both, compare
from truetune.backends.transformers_host.loading import copy_companions, fast_dtype, free, load, memory_named, quiet, torch_module
from truetune.backends.transformers_host.model import MAX_BATCH_ROWS, TransformersModel
from truetune.core.errors import EvidenceError, UsageError
from truetune.core.ports import CandidateRef, ChatTokenizer, Drift
from truetune.evidence import atomic


class TransformersHost:
    """Loads candidates with transformers and PEFT: fp32 on CPU, bf16 or fp16 on CUDA, scaled-dot-product attention."""

    def __init__(self, open_tokenizer: Callable[[Path], ChatTokenizer], max_batch_rows: int = MAX_BATCH_ROWS) -> None:
        """`open_tokenizer` reads a model folder's tokenizer; a batch never has more than `max_batch_rows` prompts."""
        self._open_tokenizer = open_tokenizer
        self._max_batch_rows = max_batch_rows

    @contextmanager
    def open(self, candidate: CandidateRef) -> Iterator[TransformersModel]:
        """Load a candidate; leaving the context frees it.

        Raises:
            UsageError: the weights are not safetensors.
            EnvironmentFault: a missing extra, or out of memory.
        """
        with quiet(), memory_named("loading the model"):
            model = load(candidate, fast_dtype())
        try:
            yield TransformersModel(model, self._open_tokenizer(candidate.model_dir), self._max_batch_rows)
        finally:
            del model
            free()

    def merge(self, candidate: CandidateRef, destination: Path) -> None:
        """Write base + adapter as one fp32 model into `destination`, with the base's tokenizer and template byte for byte.

        Raises:
            UsageError: no adapter, or weights that are not safetensors.
            EvidenceError: the merged weights are not finite.
            EnvironmentFault: out of memory or disk.
        """
        if candidate.adapter_dir is None:
            raise UsageError("eval.no_adapter", "there is no adapter to merge", fix="truetune train")
        with quiet(), memory_named("merging the adapter"), atomic.new_folder(destination) as folder:
            model = load(candidate, torch_module().float32, device="cpu")
            try:
                merged = model.merge_and_unload(safe_merge=True)
            except ValueError as error:  # PEFT's safe_merge found a NaN
                raise EvidenceError(
                    "eval.merge_not_finite",
                    "the merged weights are not finite numbers",
                    why=str(error),
                    fix="train again with a lower learning_rate: truetune run --new",
                    where=str(candidate.adapter_dir),
                ) from error
            merged.save_pretrained(folder)
            copy_companions(candidate.model_dir, folder)
        free()

    def drift(
        self, reference: CandidateRef, candidate: CandidateRef, sequences: Sequence[Sequence[int]], probe_from: Sequence[int]
    ) -> Drift:
        """Feed both the same ids in fp32; compare the logits that predict positions `probe_from[i]:` of each sequence.

        KL is exact over the vocabulary, in float64. Where the two differ only by the adapter, the base is loaded once.

        Raises:
            EnvironmentFault: out of memory.
        """
        with quiet(), memory_named("comparing two candidates"), ExitStack() as stack:
            of_reference, of_candidate = both(reference, candidate, stack)
            return compare(of_reference, of_candidate, [tuple(s) for s in sequences], [max(1, p) for p in probe_from])
