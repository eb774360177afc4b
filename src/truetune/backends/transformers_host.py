"""Candidates in transformers: generation, log-likelihoods, merging and drift, with shared prefixes computed once.

A call's prompts usually begin alike (a system prompt, a thousand tokens of examples). The keys and values of what they
share are computed once and expanded to each batch; only the rest of each prompt is computed a row. What a row yields does
not depend on the rows beside it, up to the rounding of floating-point sums.
Source: measured in benchmarks/speed/generate_shared_prefix.py.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune.core.errors import DataError, EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import CandidateRef, ChatTokenizer, ChoiceItem, Decoding, Drift, Generation
from truetune.evidence import atomic

MAX_BATCH_ROWS = 32
_CACHE_SHARE_OF_FREE_MEMORY = 0.25
"""Of free memory, what keys and values of one batch may take; the rest is for activations, logits and other processes."""
_MIN_SHARED_TOKENS = 8
"""Below this a shared prefix saves less than the extra forward pass costs."""
_ALIKE = 0.85
"""Rows of at least this share of the longest one's length go through the model together; the rest is padding."""
_SMALL_PASS_TOKENS = 128
"""Up to here a pass is bound by reading the weights, and padding costs nothing."""
_LARGE_PASS_TOKENS = 8192
"""Beyond this a pass gains nothing, and its activations take memory."""
_NOT_COPIED = (".bin", ".pt", ".pth", ".safetensors", ".gguf", ".onnx")

Row = tuple[int, ...]


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
        with _quiet(), _memory_named("loading the model"):
            model = _load(candidate, _fast_dtype())
        try:
            yield TransformersModel(model, self._open_tokenizer(candidate.model_dir), self._max_batch_rows)
        finally:
            del model
            _free()

    def merge(self, candidate: CandidateRef, destination: Path) -> None:
        """Write base + adapter as one fp32 model into `destination`, with the base's tokenizer and template byte for byte.

        Raises:
            UsageError: no adapter, or weights that are not safetensors.
            EvidenceError: the merged weights are not finite.
            EnvironmentFault: out of memory or disk.
        """
        if candidate.adapter_dir is None:
            raise UsageError("merge.no_adapter", "there is no adapter to merge", fix="truetune train")
        with _quiet(), _memory_named("merging the adapter"), atomic.new_folder(destination) as folder:
            model = _load(candidate, _torch().float32, device="cpu")
            try:
                merged = model.merge_and_unload(safe_merge=True)
            except ValueError as error:  # PEFT's safe_merge found a NaN
                raise EvidenceError(
                    "merge.not_finite",
                    "the merged weights are not finite numbers",
                    why=str(error),
                    fix="train again with a lower learning_rate: truetune run --new",
                    where=str(candidate.adapter_dir),
                ) from error
            merged.save_pretrained(folder)
            _copy_companions(candidate.model_dir, folder)
        _free()

    def drift(
        self, reference: CandidateRef, candidate: CandidateRef, sequences: Sequence[Sequence[int]], probe_from: Sequence[int]
    ) -> Drift:
        """Feed both the same ids in fp32; compare the logits that predict positions `probe_from[i]:` of each sequence.

        KL is exact over the vocabulary, in float64. Where the two differ only by the adapter, the base is loaded once.

        Raises:
            EnvironmentFault: out of memory.
        """
        with _quiet(), _memory_named("comparing two candidates"), ExitStack() as stack:
            of_reference, of_candidate = _both(reference, candidate, stack)
            return _compare(of_reference, of_candidate, [tuple(s) for s in sequences], [max(1, p) for p in probe_from])


class TransformersModel:
    """A loaded candidate."""

    def __init__(self, model: Any, tokenizer: ChatTokenizer, max_batch_rows: int) -> None:
        """`model` is a causal language model of transformers or PEFT, in evaluation mode."""
        self._forward = _Forward(model)
        self._tokenizer = tokenizer
        self._max_batch_rows = max_batch_rows

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, on_done: Callable[[int, Generation], None]
    ) -> list[Generation]:
        """One output per prompt, in order; `on_done` as soon as each is known.

        Temperature 0 is greedy. Above it, each prompt is sampled from the whole distribution by a generator of its own,
        seeded by `decoding.seed` and the prompt's ids. The model's `generation_config` adds nothing (no top-k, no
        penalties): what decides an output is in `decoding`, and that is in the evidence.

        Raises:
            DataError: a prompt is empty, or does not fit the model's context together with its answer.
            EnvironmentFault: out of memory.
        """
        rows = [tuple(p) for p in prompts]
        self._check_lengths(rows, decoding.max_new_tokens)
        results: dict[int, Generation] = {}

        def finish(index: int, ids: list[int], finished: bool) -> None:
            text = self._tokenizer.decode(ids[:-1] if finished else ids)
            results[index] = Generation(text=text, finished=finished, new_tokens=len(ids))
            on_done(index, results[index])

        with _quiet(), _memory_named("generating"), _torch().inference_mode():
            prefix = self._forward.share(rows)
            for batch in self._forward.batches(rows, prefix, decoding.max_new_tokens, self._max_batch_rows):
                _decode_batch(self._forward, prefix, [(i, rows[i]) for i in batch], decoding, self._tokenizer, finish)
        return [results[i] for i in range(len(rows))]

    def choice_log_likelihoods(self, items: Sequence[ChoiceItem], on_done: Callable[[int], None]) -> list[tuple[float, ...]]:
        """For each item, each option's summed log-probability in nats given the question; each question is computed once.

        Raises:
            DataError: an empty question or option, or an item that does not fit the model's context.
            EnvironmentFault: out of memory.
        """
        questions = [tuple(item.question) for item in items]
        longest = max((len(o) for item in items for o in item.options), default=0)
        self._check_lengths(questions, longest)
        if any(not option for item in items for option in item.options):
            raise DataError("evaluate.empty_option", "a multiple-choice option has no tokens", fix="give every option a text")
        results: dict[int, tuple[float, ...]] = {}
        with _quiet(), _memory_named("scoring choices"), _torch().inference_mode():
            prefix = self._forward.share(questions)
            rows = max(1, self._max_batch_rows // max((len(i.options) for i in items), default=1))
            for batch in self._forward.batches(questions, prefix, longest, rows):
                scores = _score_choices(self._forward, prefix, [items[i] for i in batch])
                for index, score in zip(batch, scores, strict=True):
                    results[index] = score
                    on_done(index)
        return [results[i] for i in range(len(items))]

    def _check_lengths(self, rows: Sequence[Row], new_tokens: int) -> None:
        limit = self._forward.context_length_tokens
        for index, row in enumerate(rows):
            if not row:
                raise DataError("evaluate.empty_prompt", f"prompt {index + 1} has no tokens", fix="remove the empty item")
            if limit is not None and len(row) + new_tokens > limit:
                raise DataError(
                    "evaluate.prompt_too_long",
                    f"prompt {index + 1} has {len(row)} tokens, and its answer {new_tokens} more: the model's limit is {limit}",
                    why="beyond its context length a model answers at random, and cutting the prompt would hide it",
                    fix="lower evaluate.few_shot_examples or evaluate.max_new_tokens in truetune.yaml, or shorten the item",
                )


# --- forward passes over a shared prefix ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Prefix:
    """What all rows of a call begin with, and its keys and values (None where nothing is shared)."""

    length_tokens: int
    cache: Any


@dataclass
class _State:
    """A batch in flight. `mask` is (rows, slots), `lengths` the number of real tokens so far, (rows,)."""

    cache: Any
    mask: Any
    lengths: Any

    def select(self, indices: Any) -> None:
        """Keep these rows, in this order; a row may be named twice."""
        self.cache.batch_select_indices(indices)
        self.mask = self.mask[indices]
        self.lengths = self.lengths[indices]


class _Forward:
    """A model's forward passes over batches of rows.

    Only where every layer keeps all keys and values may rows of different length share a batch and a prefix: a
    sliding window counts slots, padding included, and a recurrent state cannot be masked afterwards.
    """

    def __init__(self, model: Any) -> None:
        from transformers.cache_utils import DynamicCache, DynamicLayer  # noqa: PLC0415

        self.model = model
        self.config = model.config.get_text_config()
        self.device = model.device
        limit = getattr(self.config, "max_position_embeddings", None)
        self.context_length_tokens: int | None = int(limit) if limit else None
        layers = DynamicCache(config=model.config).layers
        self._layers = len(layers)
        self._sharable = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)

    def share(self, rows: Sequence[Row], at_most: int | None = None) -> _Prefix:
        """Compute what all rows begin with; at least one token of each row is left, and at most `at_most` are shared."""
        length = _common_prefix_tokens(rows)
        length = length if at_most is None else min(length, at_most)
        if not self._sharable or len(rows) < 2 or length < _MIN_SHARED_TOKENS:
            return _Prefix(0, None)
        ids = _torch().tensor([rows[0][:length]], device=self.device)
        return _Prefix(length, self.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values)

    def batches(self, rows: Sequence[Row], prefix: _Prefix, more_tokens: int, max_rows: int) -> list[list[int]]:
        """Indices of rows, longest first, in batches whose keys and values fit into memory."""
        order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), rows[i]))
        budget_tokens = _free_bytes(self.device) * _CACHE_SHARE_OF_FREE_MEMORY / self._bytes_per_token()
        batches: list[list[int]] = []
        for index in order:
            longest = len(rows[batches[-1][0]]) if batches else 0
            room = min(max_rows, int(budget_tokens // (longest + more_tokens))) if batches else 0
            fits = bool(batches) and len(batches[-1]) < room and (self._sharable or len(rows[index]) == longest)
            if fits:
                batches[-1].append(index)
            else:
                batches.append([index])
        return batches

    def prefill(self, prefix: _Prefix, rows: Sequence[Row], keep: int, room: int) -> tuple[Any, _State]:
        """Feed what follows the prefix; logits (rows, keep, vocabulary) of each row's last `keep` tokens.

        Rows of like length go through the model together, and all land in one cache, each ending at the same slot, with
        room for `room` more.
        """
        torch = _torch()
        rests = [row[prefix.length_tokens :] for row in rows]
        slots = prefix.length_tokens + max(len(r) for r in rests)
        arenas = [_Arena(len(rows), slots + room) for _ in range(self._layers)]
        mask = torch.zeros((len(rows), slots), dtype=torch.long, device=self.device)
        logits, cache = [], None
        for part in _alike([len(r) for r in rests]) if self._sharable else [slice(0, len(rows))]:
            width = max(len(r) for r in rests[part])
            start = slots - prefix.length_tokens - width
            cache = self._cache(arenas, part, start, prefix)
            mask[part, start:] = self._real(rests[part], prefix.length_tokens, width)
            ids = torch.tensor([(0,) * (width - len(r)) + r for r in rests[part]], device=self.device)
            positions = (mask[part, start:].cumsum(dim=1) - 1).clamp(min=0)[:, prefix.length_tokens :]
            logits.append(self._run(ids, mask[part, start:], positions, cache, keep))
        whole = self._cache(arenas, slice(0, len(rows)), 0, used=slots) if self._sharable else cache
        return torch.cat(logits), _State(whole, mask, mask.sum(dim=1))

    def feed(self, state: _State, ids: Any) -> Any:
        """Feed `ids` (rows, n) after what the state holds; logits (rows, n, vocabulary)."""
        torch = _torch()
        count = ids.shape[1]
        state.mask = torch.cat([state.mask, state.mask.new_ones((len(ids), count))], dim=1)
        positions = state.lengths[:, None] + torch.arange(count, device=self.device)[None, :]
        state.lengths = state.lengths + count
        return self._run(ids, state.mask, positions, state.cache, count)

    def _run(self, ids: Any, mask: Any, positions: Any, cache: Any, keep: int) -> Any:
        return self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits

    def _real(self, rests: Sequence[Row], shared: int, width: int) -> Any:
        """1 for a real token, 0 for padding: (rows, shared + width)."""
        torch = _torch()
        lengths = torch.tensor([len(r) for r in rests], device=self.device)
        own = torch.arange(width, device=self.device)[None, :] >= (width - lengths)[:, None]
        return torch.cat([own.new_ones((len(rests), shared)), own], dim=1).long()

    def _cache(self, arenas: Sequence[_Arena], rows: slice, start: int, prefix: _Prefix | None = None, used: int = 0) -> Any:
        """A cache that reads and writes the arenas' `rows` from slot `start` on, with the prefix already in it."""
        from transformers.cache_utils import DynamicCache  # noqa: PLC0415

        cache = DynamicCache(config=self.model.config)
        if self._sharable:
            cache.layers = [_arena_layer_type()(arena, rows, start, used) for arena in arenas]
        if prefix is not None and prefix.cache is not None:
            for layer, source in zip(cache.layers, prefix.cache.layers, strict=True):
                layer.update(source.keys, source.values)
        return cache

    def _bytes_per_token(self) -> int:
        config = self.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * head_dim * self.model.dtype.itemsize)


class _Arena:
    """One layer's keys and values of a whole batch: (rows, heads, slots, head size), zero where nothing was written yet.

    transformers' own dynamic layer concatenates at each step, which for long prefixes costs as much as the model.
    """

    def __init__(self, rows: int, slots: int) -> None:
        self.rows, self.slots = rows, slots
        self.tensors: list[Any] = []

    def ensure(self, *likes: Any) -> list[Any]:
        """The tensors, made like these on first use."""
        if not self.tensors:
            self.tensors = [t.new_zeros((self.rows, t.shape[1], self.slots, t.shape[3])) for t in likes]
        return self.tensors

    def select(self, indices: Any, used: int) -> None:
        """Keep these rows; what is not used yet is not copied."""
        old, self.tensors, self.rows = self.tensors, [], len(indices)
        for new, before in zip(self.ensure(*old), old, strict=True):
            new[:, :, :used] = before[indices, :, :used]


@functools.cache
def _arena_layer_type() -> type[Any]:
    """A transformers cache layer over part of an arena. Made on first use, because its base class is heavy to import."""
    from transformers.cache_utils import DynamicLayer  # noqa: PLC0415

    class ArenaLayer(DynamicLayer):  # type: ignore[misc, unused-ignore]
        """Keys and values are views; several layers may see the same arena."""

        def __init__(self, arena: _Arena, rows: slice, start: int, used: int) -> None:
            super().__init__()
            self._arena, self._part, self._start, self._used = arena, rows, start, used
            self.is_initialized = True

        def get_seq_length(self) -> int:
            return self._used

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            first, self._used = self._start + self._used, self._used + key_states.shape[-2]
            last = self._start + self._used
            for tensor, states in zip(self._arena.ensure(key_states, value_states), (key_states, value_states), strict=True):
                tensor[self._part, :, first:last] = states
            self.keys, self.values = (t[self._part, :, self._start : last] for t in self._arena.tensors)
            return self.keys, self.values

        def batch_select_indices(self, indices: Any) -> None:
            self._arena.select(indices, self._start + self._used)
            self._part = slice(0, len(indices))

    return ArenaLayer


def _alike(lengths: Sequence[int]) -> list[slice]:
    """Consecutive rows, longest first, in parts that waste little on padding and fit one forward pass."""
    parts: list[slice] = []
    for index, length in enumerate(lengths):
        longest = lengths[parts[-1].start] if parts else 0
        tokens = longest * (index + 1 - parts[-1].start) if parts else 0
        joins = parts and (length >= _ALIKE * longest or tokens <= _SMALL_PASS_TOKENS) and tokens <= _LARGE_PASS_TOKENS
        if joins:
            parts[-1] = slice(parts[-1].start, index + 1)
        else:
            parts.append(slice(index, index + 1))
    return parts


def _common_prefix_tokens(rows: Sequence[Row]) -> int:
    """Tokens that all rows begin with, leaving at least one of each. Between the least and the greatest row lie all others."""
    if not rows:
        return 0
    first, last = min(rows), max(rows)
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return max(0, min(shared, min(len(r) for r in rows) - 1))


# --- decoding -------------------------------------------------------------------------------------------------------


def _decode_batch(
    forward: _Forward,
    prefix: _Prefix,
    rows: Sequence[tuple[int, Row]],
    decoding: Decoding,
    tokenizer: ChatTokenizer,
    finish: Callable[[int, list[int], bool], None],
) -> None:
    """Decode until every row has ended; rows that have ended are dropped from the batch as soon as it pays."""
    ends = set(tokenizer.eos_token_ids)
    choose = _chooser(decoding, [row for _, row in rows])
    alive = list(range(len(rows)))
    outputs: list[list[int]] = [[] for _ in rows]
    logits, state = forward.prefill(prefix, [row for _, row in rows], keep=1, room=decoding.max_new_tokens)
    slots = list(alive)
    while alive:
        tokens = choose(logits[:, -1], slots)
        for slot, token in zip(slots, tokens, strict=True):
            if slot in alive:
                outputs[slot].append(token)
                if token in ends or len(outputs[slot]) == decoding.max_new_tokens:
                    alive.remove(slot)
                    finish(rows[slot][0], outputs[slot], token in ends)
        if alive:
            slots, tokens = _compact(state, slots, tokens, alive)
            logits = forward.feed(state, _torch().tensor(tokens, device=forward.device)[:, None])


def _compact(state: _State, slots: list[int], tokens: list[int], alive: list[int]) -> tuple[list[int], list[int]]:
    """Drop ended rows once they are a quarter of the batch: dropping copies the cache, keeping them computes in vain."""
    if len(alive) > 0.75 * len(slots):
        return slots, tokens
    kept = [i for i, slot in enumerate(slots) if slot in alive]
    state.select(_torch().tensor(kept, device=state.mask.device))
    return [slots[i] for i in kept], [tokens[i] for i in kept]


def _chooser(decoding: Decoding, rows: Sequence[Row]) -> Callable[[Any, list[int]], list[int]]:
    """How the next token of each row is picked from logits (rows, vocabulary)."""
    torch = _torch()
    if decoding.temperature == 0:
        return lambda logits, slots: logits.argmax(dim=-1).tolist()  # type: ignore[no-any-return, unused-ignore]
    generators = [torch.Generator().manual_seed(_row_seed(decoding.seed, row)) for row in rows]

    def sample(logits: Any, slots: list[int]) -> list[int]:
        probabilities = torch.softmax(logits.double().cpu() / decoding.temperature, dim=-1)
        return [int(torch.multinomial(p, 1, generator=generators[s])) for p, s in zip(probabilities, slots, strict=True)]

    return sample


def _row_seed(seed: int, row: Row) -> int:
    digest = hashlib.sha256(f"{seed}:{','.join(map(str, row))}".encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


# --- multiple choice ------------------------------------------------------------------------------------------------


def _score_choices(forward: _Forward, prefix: _Prefix, items: Sequence[ChoiceItem]) -> list[tuple[float, ...]]:
    """Summed log-probabilities of each item's options: the question's last logits give the first token, one pass the rest."""
    torch = _torch()
    longest = max(len(o) for item in items for o in item.options)
    logits, state = forward.prefill(prefix, [tuple(item.question) for item in items], keep=1, room=longest)
    first = torch.log_softmax(logits[:, -1].float(), dim=-1)
    options = [(i, tuple(option)) for i, item in enumerate(items) for option in item.options]
    scores = [float(first[i, option[0]]) for i, option in options]
    longer = [k for k, (_, option) in enumerate(options) if len(option) > 1]
    if longer:
        state.select(torch.tensor([options[k][0] for k in longer], device=forward.device))
        for k, rest in zip(longer, _rest_scores(forward, state, [options[k][1] for k in longer]), strict=True):
            scores[k] += rest
    ends = _cumulative([len(item.options) for item in items])
    return [tuple(scores[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def _rest_scores(forward: _Forward, state: _State, options: Sequence[Row]) -> list[float]:
    """For each option, the summed log-probability of its tokens after the first; padding is on the right, unseen by them."""
    torch = _torch()
    width = max(len(o) for o in options) - 1
    ids = torch.tensor([o[:-1] + (0,) * (width - len(o) + 1) for o in options], device=forward.device)
    logits = torch.log_softmax(forward.feed(state, ids).float(), dim=-1)
    return [float(logits[row, torch.arange(len(o) - 1), torch.tensor(o[1:])].double().sum()) for row, o in enumerate(options)]


def _cumulative(counts: Sequence[int]) -> list[int]:
    ends, total = [], 0
    for count in counts:
        total += count
        ends.append(total)
    return ends


# --- drift ----------------------------------------------------------------------------------------------------------


def _both(reference: CandidateRef, candidate: CandidateRef, stack: ExitStack) -> tuple[Any, Any]:
    """Two models to call as `with side() as forward`. One set of weights serves both where only the adapter differs."""
    same_base = reference.model_dir == candidate.model_dir
    if same_base and (reference.adapter_dir is None) != (candidate.adapter_dir is None):
        model = _load(candidate if candidate.adapter_dir else reference, _torch().float32)
        forward = _Forward(model)
        stack.callback(_free)

        @contextmanager
        def without_adapter() -> Iterator[_Forward]:
            with model.disable_adapter():
                yield forward

        @contextmanager
        def with_adapter() -> Iterator[_Forward]:
            yield forward

        return (without_adapter, with_adapter) if reference.adapter_dir is None else (with_adapter, without_adapter)
    return _alone(reference, stack), _alone(candidate, stack)


def _alone(candidate: CandidateRef, stack: ExitStack) -> Any:
    forward = _Forward(_load(candidate, _torch().float32))
    stack.callback(_free)

    @contextmanager
    def side() -> Iterator[_Forward]:
        yield forward

    return side


def _compare(of_reference: Any, of_candidate: Any, rows: Sequence[Row], probe_from: Sequence[int]) -> Drift:
    sums = _DriftSums()
    with _torch().inference_mode():
        probed = [i for i, row in enumerate(rows) if probe_from[i] < len(row)]
        for batch in _drift_batches(of_reference, rows, probed):
            starts = [probe_from[i] for i in batch]
            sides = [_probed_logits(side, [rows[i] for i in batch], starts) for side in (of_reference, of_candidate)]
            for expected, got in zip(*sides, strict=True):
                sums.add(expected, got)
    return sums.result()


def _drift_batches(side: Any, rows: Sequence[Row], probed: Sequence[int]) -> list[list[int]]:
    with side() as forward:
        groups = forward.batches([rows[i] for i in probed], _Prefix(0, None), 1, 8)
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
        torch = _torch()
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
            raise DataError("evaluate.nothing_to_compare", "no sequence has a token to compare", fix="give longer sequences")
        return Drift(
            tokens=self.tokens,
            max_abs_logit=self.max_abs,
            mean_kl_nats=max(0.0, self.kl / self.tokens),
            top1_agreement=self.agreed / self.tokens,
        )


# --- loading --------------------------------------------------------------------------------------------------------


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415 - an extra, and a second to import
    except ImportError as error:
        raise EnvironmentFault(
            "environment.missing_extra",
            "running a model needs the package `torch`",
            why="it comes with the extra `train`, which is not installed",
            fix="pip install 'truetune[train]'",
        ) from error
    return torch


def _fast_dtype() -> Any:
    torch = _torch()
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _load(candidate: CandidateRef, dtype: Any, device: str | None = None) -> Any:
    torch = _torch()
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    _require_safetensors(candidate.model_dir, "*.safetensors")
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = AutoModelForCausalLM.from_pretrained(
        candidate.model_dir, dtype=dtype, attn_implementation="sdpa", local_files_only=True, use_safetensors=True
    )
    if candidate.adapter_dir is not None:
        from peft import PeftModel  # noqa: PLC0415

        _require_safetensors(candidate.adapter_dir, "adapter_model.safetensors")
        model = PeftModel.from_pretrained(model, candidate.adapter_dir, local_files_only=True)
    return model.to(place).eval()


def _require_safetensors(folder: Path, pattern: str) -> None:
    if not any(folder.glob(pattern)):
        raise UsageError(
            "base.pickle_weights" if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) else "base.no_weights",
            f"{folder.name} has no {pattern}",
            why="only safetensors weights are loaded: a pickle runs code when it is read",
            fix="load it where you trust it and save_pretrained(..., safe_serialization=True)",
            where=str(folder),
        )


def _copy_companions(source: Path, folder: Path) -> None:
    """Tokenizer, template and generation config byte for byte as the base has them; the merged config.json stays."""
    kept = {"config.json", "model.safetensors.index.json", "truetune-model.json"}
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name not in kept and path.suffix not in _NOT_COPIED and not path.name.startswith("."):
            shutil.copyfile(path, folder / path.name)


def _free_bytes(device: Any) -> int:
    if device.type == "cuda":
        return int(_torch().cuda.mem_get_info(device)[0])
    import psutil  # noqa: PLC0415

    return int(psutil.virtual_memory().available)


def _free() -> None:
    torch = _torch()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _memory_named(doing: str) -> Iterator[None]:
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
def _quiet() -> Iterator[None]:
    """No library writes to the terminal meanwhile; what matters is raised or returned."""
    try:
        from transformers.utils import logging  # noqa: PLC0415 - an extra
    except ImportError:
        _torch()
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
