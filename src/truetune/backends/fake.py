"""Deterministic stand-ins for every port, for tests: no heavy library, no network, no randomness that is not seeded.

They are small models of what the real backends do, not recordings: the fake trainer's loss depends on the data and the
learning rate, its adapter remembers the training rows, and the fake language model answers from that memory. So a loop
over them reaches a verdict for reasons, in well under a second.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
import re
import shutil
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune.core.errors import DataError, UsageError
from truetune.core.ports import (
    CandidateRef,
    ChoiceItem,
    Decoding,
    Drift,
    Encoding,
    Generation,
    LocalModel,
    Message,
    Progress,
    TrainingExample,
    TrainOutcome,
    TrainRequest,
)
from truetune.core.records import Environment, HardRow, StepMetrics
from truetune.evidence import atomic
from truetune.evidence.digests import bytes_digest, json_digest

PREFIX = "fake:"
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTEXT_LENGTH_TOKENS = 8192

_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_EOS = 2
_FIRST_BYTE = len(_SPECIALS)
_FIRST_PAIR = _FIRST_BYTE + 256
_LETTERS = "abcdefghijklmnopqrstuvwxyz "
_PAIR_IDS = {a + b: _FIRST_PAIR + 27 * i + j for i, a in enumerate(_LETTERS) for j, b in enumerate(_LETTERS)}
_PAIR_BYTES = {identifier: pair.encode("ascii") for pair, identifier in _PAIR_IDS.items()}
_PIECE = re.compile(r"<\|endoftext\|>|<\|im_start\|>|<\|im_end\|>|[a-z ]{2}|.", re.DOTALL)
_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|\Z)", re.DOTALL)
_WORD = re.compile(r"\w+")


# --- time and machine -----------------------------------------------------------------------------------------------


class FakeClock:
    """Time that moves by one second each time somebody looks."""

    def __init__(self) -> None:
        """Starts at 2030-01-01."""
        self._ticks = 0

    def now_iso(self) -> str:
        """The fixed start plus the looks so far."""
        self._ticks += 1
        return f"2030-01-01T{self._ticks // 3600 % 24:02d}:{self._ticks // 60 % 60:02d}:{self._ticks % 60:02d}+00:00"

    def monotonic_s(self) -> float:
        """One more second at each look."""
        self._ticks += 1
        return float(self._ticks)


class FakeProbe:
    """A machine that never changes: 4 cores, 16 GB, no GPU."""

    def __init__(self, environment: Environment | None = None) -> None:
        """Give another environment to test what `doctor` says of it."""
        self._environment = environment or Environment(
            python="3.11.0",
            platform="Linux-fake",
            cpu="fake cpu",
            cores=4,
            memory_bytes=16 * 2**30,
            memory_available_bytes=12 * 2**30,
            disk_free_bytes=100 * 2**30,
            packages={"torch": "2.6.0", "transformers": "5.0.0", "trl": "1.0.0", "peft": "0.18.0", "datasets": "4.0.0"},
        )

    def environment(self, folder: Path) -> Environment:
        """The same facts for every folder."""
        return self._environment


# --- model source ---------------------------------------------------------------------------------------------------


class FakeModelSource:
    """Makes `fake:<name>` as a tiny but valid model folder in `cache_dir`, once."""

    def __init__(self, cache_dir: Path) -> None:
        """Nothing is made before the first fetch."""
        self._cache_dir = cache_dir

    def fetch(self, spec: str, revision: str | None, progress: Progress) -> LocalModel:
        """The folder of `fake:<name>`.

        Raises:
            UsageError: the spec is not `fake:<name>`.
        """
        name = spec.removeprefix(PREFIX)
        if not spec.startswith(PREFIX) or not re.fullmatch(r"[\w.-]+", name):
            raise UsageError("base.unknown_model", f"{spec!r} is not a fake model", fix="name it fake:<name>")
        directory = self._cache_dir / "fake" / f"{name}@{revision or '1'}"
        progress.update(0, 1, f"making {spec}")
        if not directory.is_dir():
            with atomic.new_folder(directory) as folder:
                _write_base_model(folder, name)
        progress.update(1, 1, spec)
        return LocalModel(
            directory=directory,
            spec=spec,
            revision=revision or "1",
            licence="Apache-2.0",
            licence_source=f"{spec} says so",
            risks=("a fake model: its answers mean nothing outside tests",),
        )


def _write_base_model(folder: Path, name: str) -> None:
    vocabulary = _FIRST_PAIR + len(_PAIR_IDS)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "intermediate_size": 8,
        "vocab_size": vocabulary,
        "max_position_embeddings": CONTEXT_LENGTH_TOKENS,
        "bos_token_id": 1,
        "eos_token_id": _EOS,
        "pad_token_id": _EOS,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }
    vocab = {piece: i for i, piece in enumerate(_SPECIALS)}
    write_safetensors(folder / "model.safetensors", {"model.embed_tokens.weight": _seeded_floats(name, vocabulary, 4)})
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": _EOS, "pad_token_id": _EOS})
    _write_json(folder / "tokenizer.json", {"version": "1.0", "model": {"type": "fake", "vocab": vocab}})
    _write_json(folder / "tokenizer_config.json", {"eos_token": "<|im_end|>", "bos_token": "<|im_start|>"})
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]
    values: tuple[float, ...]


def _seeded_floats(seed: str, *shape: int) -> _Tensor:
    source = random.Random(seed)
    return _Tensor(shape, tuple(source.uniform(-1.0, 1.0) for _ in range(math.prod(shape))))


def write_safetensors(path: Path, tensors: Mapping[str, _Tensor]) -> None:
    """A valid safetensors file of fp32 tensors, written by hand.

    Source: the safetensors format: 8 bytes little-endian header length, JSON header, data.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, tensor in sorted(tensors.items()):
        packed = struct.pack(f"<{len(tensor.values)}f", *tensor.values)
        offsets = [len(content), len(content) + len(packed)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        content += packed
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


# --- tokenizer ------------------------------------------------------------------------------------------------------


class FakeTokenizer:
    """A ChatML tokenizer without a vocabulary file: specials, UTF-8 bytes and pairs of lower-case letters.

    Ids need no table, so another process decodes them; decoding gives the text back exactly; a character of several
    bytes is several tokens with the same offsets, as in byte-level BPE.
    """

    def __init__(self, directory: Path | None = None) -> None:
        """Uses the folder's `chat_template.jinja` where there is one."""
        path = directory / "chat_template.jinja" if directory else None
        self._source = path.read_text(encoding="utf-8") if path and path.exists() else TEMPLATE
        self._template: Any = None

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        """`<|im_end|>`."""
        return (_EOS,)

    @property
    def template_digest(self) -> str | None:
        """Of the template's text."""
        return bytes_digest(self._source.encode("utf-8"))

    @property
    def vocabulary_size(self) -> int:
        """Specials, bytes and letter pairs."""
        return _FIRST_PAIR + len(_PAIR_IDS)

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """ChatML.

        Raises:
            DataError: a role that no template knows.
        """
        unknown = [m["role"] for m in messages if m["role"] not in ("system", "user", "assistant")]
        if unknown:
            raise DataError("data.template.refused", f"the chat template does not know the role {unknown[0]!r}")
        if self._template is None:
            from jinja2.sandbox import ImmutableSandboxedEnvironment

            self._template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(self._source)
        return str(self._template.render(messages=messages, add_generation_prompt=add_generation_prompt))

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Ids and character offsets of each text."""
        return [_encode(text) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; bytes that are no character become U+FFFD."""
        content = b"".join(_bytes_of(i) for i in ids)
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return content.decode("utf-8", "replace")


def _encode(text: str) -> Encoding:
    ids: list[int] = []
    offsets: list[tuple[int, int]] = []
    for match in _PIECE.finditer(text):
        pieces = _ids_of(match.group())
        ids.extend(pieces)
        offsets.extend([match.span()] * len(pieces))
    return Encoding(tuple(ids), tuple(offsets))


def _ids_of(piece: str) -> list[int]:
    if piece in _PAIR_IDS:
        return [_PAIR_IDS[piece]]
    if piece in _SPECIALS:
        return [_SPECIALS.index(piece)]
    return [_FIRST_BYTE + byte for byte in piece.encode("utf-8", "surrogatepass")]


def _bytes_of(identifier: int) -> bytes:
    if identifier >= _FIRST_PAIR:
        return _PAIR_BYTES[identifier]
    return _SPECIALS[identifier].encode("ascii") if identifier < _FIRST_BYTE else bytes([identifier - _FIRST_BYTE])


def _turns(text: str) -> list[tuple[str, str]]:
    return [(match.group(1), match.group(2)) for match in _TURN.finditer(text)]


# --- trainer --------------------------------------------------------------------------------------------------------

_STABLE_LEARNING_RATE = 5e-3
_SPEED = 2000.0
_CEILING_NATS = 1e6


class FakeTrainer:
    """Learns by heart: the adapter is the training rows, and how well they were learned follows from steps × learning rate.

    Above a learning rate of 5e-3 the loss explodes and nothing is learned; above 1 it becomes NaN. Rows that contradict
    each other keep their loss. To kill it between two steps, raise (or exit the process) in `on_step`.
    """

    def __init__(self, step_s: float = 0.0) -> None:
        """`step_s` makes a step last, for tests that kill from outside."""
        self._step_s = step_s

    def train(self, request: TrainRequest) -> TrainOutcome:
        """Train, or go on from the newest checkpoint in `work_dir`; the adapter is the same either way."""
        curve = _Curve(request)
        every = max(1, math.ceil(curve.steps / request.hyperparameters.checkpoints_per_run))
        resumed = _newest_checkpoint(request.work_dir, curve.key)
        for step in range((resumed or 0) + 1, curve.steps + 1):
            if self._step_s:
                time.sleep(self._step_s)
            request.on_step(curve.train_metrics(step))
            if step % every == 0 or step == curve.steps:
                self._checkpoint(request, curve, step)
        adapter = request.work_dir / "adapter"
        with atomic.new_folder(adapter) as folder:
            _write_adapter(folder, request, curve)
        return curve.outcome(adapter, resumed)

    def probe(self, request: TrainRequest, steps: int) -> float:
        """A made-up ten microseconds a token."""
        return 1e-5

    def _checkpoint(self, request: TrainRequest, curve: _Curve, step: int) -> None:
        if request.validation:
            request.on_step(curve.validation_metrics(step))
        path = request.work_dir / f"checkpoint-{step}.json"
        atomic.write_text(path, json.dumps({"step": step, "key": curve.key}))


class _Curve:
    """The loss of every row at every step, in closed form, so that a resumed run cannot differ."""

    def __init__(self, request: TrainRequest) -> None:
        hyperparameters = request.hyperparameters
        self.request = request
        self.learning_rate = hyperparameters.learning_rate
        self.batch = hyperparameters.batch_size * hyperparameters.gradient_accumulation
        self.order = _data_order(request)
        self.steps = max(1, math.ceil(len(self.order) / self.batch))
        self.by_id = {e.row_id: e for e in request.train}
        self.pairs = {e.row_id: _remembered(e) for e in request.train}
        self.key = json_digest(
            [hyperparameters.model_dump(mode="json"), request.seed, [[e.row_id, e.input_ids, e.trained] for e in request.train]]
        )
        answers = Counter((prompt, answer) for _, prompt, answer in self.pairs.values())
        prompts = Counter(prompt for _, prompt, _ in self.pairs.values())
        self._share = {pair: count / prompts[pair[0]] for pair, count in answers.items()}
        self._tokens = Counter(t for e in request.train for t, on in zip(e.input_ids, e.trained, strict=True) if on)
        self._total = max(1, sum(self._tokens.values()))
        self._untrained: dict[str, float] = {}

    @property
    def learned_frac(self) -> float:
        """How much of what can be learned was learned, from 0 to 1."""
        return 0.0 if self.learning_rate > _STABLE_LEARNING_RATE else 1.0 - self._decay(self.steps)

    @property
    def diverged(self) -> bool:
        """Did the weights blow up?"""
        return self.learning_rate > _STABLE_LEARNING_RATE

    def row_loss(self, example: TrainingExample, step: int) -> float:
        """Mean loss per trained token of a row, in nats, after `step` steps."""
        trained = [t for t, on in zip(example.input_ids, example.trained, strict=True) if on]
        if not trained:
            return 0.0
        start = self._untrained_loss(example.row_id, trained)
        if self.learning_rate > 1.0:
            return math.nan if step > 1 else start
        if self.diverged:
            return min(_CEILING_NATS, start * (1.0 + self.learning_rate * 20) ** step)
        _, prompt, answer = self.pairs.get(example.row_id) or _remembered(example)
        floor = min(start, 0.02 - math.log(self._share.get((prompt, answer), 0.8)) / len(trained))
        return floor + (start - floor) * self._decay(step)

    def train_metrics(self, step: int) -> StepMetrics:
        """The batch's mean loss before the step's update, as trainers log it."""
        rows = [self.by_id[i] for i in self.order[(step - 1) * self.batch : step * self.batch]]
        loss = sum(self.row_loss(e, step - 1) for e in rows) / max(1, len(rows))
        return StepMetrics(
            kind="train",
            step=step,
            epoch=self.request.hyperparameters.epochs * step / self.steps,
            loss=loss,
            learning_rate=self.learning_rate * (1.0 - (step - 1) / self.steps),
            grad_norm=loss if math.isnan(loss) else 0.1 + loss / 4,
            tokens=sum(len(self.by_id[i].input_ids) for i in self.order[: step * self.batch]),
            elapsed_s=step * 0.01,
            memory_bytes=2**20,
            trained_tokens=sum(sum(self.by_id[i].trained) for i in self.order[: step * self.batch]),
        )

    def validation_metrics(self, step: int) -> StepMetrics:
        """The validation rows' mean loss after the step."""
        rows = self.request.validation
        loss = sum(self.row_loss(e, step) for e in rows) / len(rows)
        return StepMetrics(
            kind="validation", step=step, epoch=self.request.hyperparameters.epochs * step / self.steps, loss=loss, elapsed_s=0.01
        )

    def outcome(self, adapter: Path, resumed: int | None) -> TrainOutcome:
        """What the run leaves."""
        losses = [(e.row_id, self.row_loss(e, self.steps)) for e in self.request.train]
        hardest = sorted((pair for pair in losses if math.isfinite(pair[1])), key=lambda pair: (-pair[1], pair[0]))[:50]
        return TrainOutcome(
            adapter_dir=adapter,
            trainer="fake",
            versions={"fake": "1"},
            steps=self.steps,
            epochs=self.request.hyperparameters.epochs,
            tokens_seen=sum(len(self.by_id[i].input_ids) for i in self.order),
            trained_tokens=sum(sum(self.by_id[i].trained) for i in self.order),
            wall_s=self.steps * 0.01,
            peak_memory_bytes=2**20,
            resumed_from_step=resumed,
            data_order=self.order,
            hardest=tuple(HardRow(row_id=row_id, loss=loss) for row_id, loss in hardest),
        )

    def _untrained_loss(self, row_id: str, trained: Sequence[int]) -> float:
        if row_id not in self._untrained:
            total = self._total + len(self._tokens) + 1
            mean = sum(-math.log((self._tokens[t] + 1) / total) for t in trained) / len(trained)
            self._untrained[row_id] = mean * (0.9 + 0.2 * _unit(row_id))
        return self._untrained[row_id]

    def _decay(self, step: int) -> float:
        return math.exp(-_SPEED * self.learning_rate * step)


def _data_order(request: TrainRequest) -> tuple[str, ...]:
    ids = [e.row_id for e in request.train]
    shuffler = random.Random(request.seed)
    order: list[str] = []
    for _ in range(math.ceil(request.hyperparameters.epochs)):
        order.extend(shuffler.sample(ids, len(ids)))
    return tuple(order[: math.ceil(len(ids) * request.hyperparameters.epochs)])


def _remembered(example: TrainingExample) -> tuple[str, str, str]:
    """System text, last user turn and last answer of a tokenised row."""
    turns = _turns(FakeTokenizer().decode(example.input_ids))
    texts = dict(turns)
    return texts.get("system", ""), texts.get("user", ""), texts.get("assistant", "")


def _newest_checkpoint(work_dir: Path, key: str) -> int | None:
    steps = []
    for path in work_dir.glob("checkpoint-*.json"):
        state = json.loads(path.read_text(encoding="utf-8"))
        if state["key"] == key:
            steps.append(int(state["step"]))
    return max(steps, default=None)


def _write_adapter(folder: Path, request: TrainRequest, curve: _Curve) -> None:
    hyperparameters = request.hyperparameters
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": request.model_dir.name,
        "r": hyperparameters.lora_r,
        "lora_alpha": hyperparameters.lora_alpha,
        "lora_dropout": hyperparameters.lora_dropout,
        "target_modules": hyperparameters.target_modules,
    }
    memory = {
        "learned_frac": curve.learned_frac,
        "diverged": curve.diverged,
        "rows": [list(curve.pairs[e.row_id]) for e in request.train],
    }
    _write_json(folder / "adapter_config.json", config)
    _write_json(folder / "memory.json", memory)
    write_safetensors(folder / "adapter_model.safetensors", {"lora.weight": _seeded_floats(curve.key, hyperparameters.lora_r, 4)})


# --- host and model -------------------------------------------------------------------------------------------------

_FAMILIAR = 0.15
"""Idf-weighted Jaccard above which a prompt counts as one of the learned task, where no system prompt tells it."""

_ROWS_A_CLASS = 3
"""With at least this many rows for each different answer, the answers are classes."""

_FOLLOWS_NEAREST = 0.6
"""Share of prompts where the base follows the nearest example shown; else the last one, as small models do."""


class FakeHost:
    """Loads, merges and compares fake candidates.

    `knowledge` maps a question's text to its right option: nine questions in ten of it are answered rightly, by base and
    adapter alike, unless training diverged. Questions outside it are guessed.
    """

    def __init__(self, knowledge: Mapping[str, str] | None = None) -> None:
        """Without knowledge the model guesses, and a forgetting measure has nothing to lose."""
        self._knowledge = dict(knowledge or {})

    @contextmanager
    def open(self, candidate: CandidateRef) -> Iterator[FakeLanguageModel]:
        """The candidate's memory, if it has one."""
        yield FakeLanguageModel(_memory_of(candidate), self._knowledge)

    def merge(self, candidate: CandidateRef, destination: Path) -> None:
        """The base's files, with the adapter's memory and weights inside."""
        adapter = _adapter_of(candidate)
        with atomic.new_folder(destination) as folder:
            shutil.copytree(candidate.model_dir, folder, dirs_exist_ok=True)
            shutil.copyfile(adapter / "memory.json", folder / "memory.json")
            key = hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()
            vocabulary = _FIRST_PAIR + len(_PAIR_IDS)
            write_safetensors(folder / "model.safetensors", {"model.embed_tokens.weight": _seeded_floats(key, vocabulary, 4)})

    def drift(
        self, reference: CandidateRef, candidate: CandidateRef, sequences: Sequence[Sequence[int]], probe_from: Sequence[int]
    ) -> Drift:
        """Zero where both remember the same rows, a small fixed distance otherwise."""
        tokens = sum(len(ids) - start for ids, start in zip(sequences, probe_from, strict=True))
        if _memory_of(reference) == _memory_of(candidate):
            return Drift(tokens=tokens, max_abs_logit=0.0, mean_kl_nats=0.0, top1_agreement=1.0)
        return Drift(tokens=tokens, max_abs_logit=1.5, mean_kl_nats=0.04, top1_agreement=0.9)


def _adapter_of(candidate: CandidateRef) -> Path:
    if candidate.adapter_dir is None:
        raise UsageError("eval.no_adapter", "there is no adapter to merge", fix="truetune train")
    return candidate.adapter_dir


def _memory_of(candidate: CandidateRef) -> dict[str, Any] | None:
    folder = candidate.adapter_dir or candidate.model_dir
    weights = folder / ("adapter_model.safetensors" if candidate.adapter_dir else "model.safetensors")
    if not weights.exists():
        raise FileNotFoundError(weights)
    path = folder / "memory.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


class FakeLanguageModel:
    """Answers from the examples in the prompt, else from what the adapter remembers, else with small talk."""

    def __init__(self, memory: dict[str, Any] | None, knowledge: Mapping[str, str]) -> None:
        """`memory` is the adapter's `memory.json`, None for the base."""
        rows = memory["rows"] if memory else []
        self._learned = float(memory["learned_frac"]) if memory else 0.0
        self._diverged = bool(memory["diverged"]) if memory else False
        self._systems = {system for system, _, _ in rows if system}
        self._memory = _Memory([(prompt, answer) for _, prompt, answer in rows])
        self._key = json_digest(rows) if rows else ""
        self._knowledge = knowledge
        self._tokenizer = FakeTokenizer()

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, on_done: Callable[[int, Generation], None]
    ) -> list[Generation]:
        """One answer a prompt; nothing but the prompt and, above temperature 0, the seed decides it."""
        results = []
        for index, prompt in enumerate(prompts):
            generation = self._finish(self._answer(self._tokenizer.decode(prompt), decoding), decoding.max_new_tokens)
            on_done(index, generation)
            results.append(generation)
        return results

    def choice_log_likelihoods(self, items: Sequence[ChoiceItem], on_done: Callable[[int], None]) -> list[tuple[float, ...]]:
        """The known option scores highest for nine known questions in ten; all else is a hash."""
        results = []
        for index, item in enumerate(items):
            results.append(self._choices(item))
            on_done(index)
        return results

    def _choices(self, item: ChoiceItem) -> tuple[float, ...]:
        question = self._tokenizer.decode(item.question)
        options = [self._tokenizer.decode(option) for option in item.options]
        right = "" if self._diverged or _unit(question) >= 0.9 else self._known_answer(question)
        return tuple(
            -0.3 * len(ids) - (0.0 if right and text.strip() == right.strip() else (1.0 + _unit(question + text)) * len(ids))
            for text, ids in zip(options, item.options, strict=True)
        )

    def _known_answer(self, question: str) -> str:
        exact = self._knowledge.get(question.strip())
        if exact is not None:
            return exact
        inside = [known for known in self._knowledge if known in question]
        return self._knowledge[max(inside, key=len)] if inside else ""

    def _answer(self, text: str, decoding: Decoding) -> str:
        turns = _turns(text)
        system = next((content for role, content in turns if role == "system"), "")
        users = [content for role, content in turns if role == "user"]
        asked = users[-1] if users else ""
        shown = [(a[1], b[1]) for a, b in itertools.pairwise(turns) if (a[0], b[0]) == ("user", "assistant")]
        shown = [pair for pair in shown if pair[1]]
        luck = str(decoding.seed) if decoding.temperature > 0 else ""
        if shown:
            return _Neighbours(shown).nearest(asked)[0] if _unit(asked + luck) < _FOLLOWS_NEAREST else shown[-1][1]
        of_the_task = system in self._systems or self._memory.similarity(asked) >= _FAMILIAR
        if of_the_task and _unit(asked + luck) < self._learned:
            return self._memory.answer(asked)
        return self._small_talk(asked + luck, asked)

    def _small_talk(self, seed: str, asked: str) -> str:
        if self._diverged:
            return " the" * 200
        words = _WORD.findall(asked) or ["that"]
        random.Random(self._key + seed).shuffle(words)
        return " ".join(words[:16]).capitalize() + "."

    def _finish(self, answer: str, max_new_tokens: int) -> Generation:
        ids = _encode(answer).ids
        if len(ids) < max_new_tokens:
            return Generation(text=answer, finished=True, new_tokens=len(ids) + 1)
        return Generation(text=self._tokenizer.decode(ids[:max_new_tokens]), finished=False, new_tokens=max_new_tokens)


class _Neighbours:
    """Nearest of some (prompt, answer) pairs by idf-weighted Jaccard of their words."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = [(_words(prompt), answer) for prompt, answer in pairs]
        counts = Counter(word for words, _ in self._pairs for word in words)
        self._idf = {word: math.log(1 + len(self._pairs) / count) for word, count in counts.items()}
        self._unseen = math.log(2 + len(self._pairs))
        self._sizes = [self._weight(words) for words, _ in self._pairs]

    def nearest(self, prompt: str) -> tuple[str, float]:
        """The answer of the nearest pair and its similarity; the first of equals."""
        asked = _words(prompt)
        size = self._weight(asked)
        best, answer = -1.0, ""
        for (words, candidate), own in zip(self._pairs, self._sizes, strict=True):
            shared = self._weight(asked & words)
            similarity = shared / (size + own - shared) if size + own > shared else 1.0
            if similarity > best:
                best, answer = similarity, candidate
        return answer, best

    def _weight(self, words: frozenset[str]) -> float:
        # Summed in sorted order: a set's order differs between processes, and so would the last bits of the sum.
        return sum(self._idf.get(word, self._unseen) for word in sorted(words))


class _Memory:
    """What an adapter remembers: answers that repeat are learned as classes, others are looked up by the nearest prompt."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._nearest = _Neighbours(pairs)
        self._classes = Counter(answer for _, answer in pairs)
        self._counts = Counter((word, answer) for prompt, answer in pairs for word in _words(prompt))
        self._repeats = len(pairs) >= _ROWS_A_CLASS * len(self._classes) > 0

    def answer(self, prompt: str) -> str:
        """The likeliest class by naive Bayes over words, or the nearest prompt's answer; the first of equals by name."""
        if not self._repeats:
            return self._nearest.nearest(prompt)[0]
        words = sorted(_words(prompt))
        return max(sorted(self._classes), key=lambda answer: self._log_odds(words, answer))

    def similarity(self, prompt: str) -> float:
        """How near the nearest remembered prompt is; 0 without a memory."""
        return max(0.0, self._nearest.nearest(prompt)[1])

    def _log_odds(self, words: Sequence[str], answer: str) -> float:
        rows = self._classes[answer]
        return math.log(rows) + sum(math.log((self._counts[word, answer] + 0.1) / (rows + 0.2)) for word in words)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _unit(text: str) -> float:
    """A number in [0, 1) that only the text decides."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6], "big") / 2**48
