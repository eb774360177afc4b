"""Ports: what the loop needs from the outside world. `backends/` keeps the promises, `wiring` chooses who.

The ports speak of *batches of items with a common prefix* (a system prompt, few-shot examples, a question with several
options); a backend may compute the prefix once, or not. A promise that both the fake and the real backend must keep is
tested in `tests/contract/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from truetune.core.config import TrainConfig
from truetune.core.records import Environment, HardRow, StepMetrics
from truetune.core.sensitive.spans import Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

R = TypeVar("R")

Message = dict[str, str]
"""`{"role": "system" | "user" | "assistant", "content": text}`."""


class Clock(Protocol):
    """Time, so that tests and replays can hold it still."""

    def now_iso(self) -> str:
        """UTC wall time, ISO 8601 with seconds."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        ...


class Progress(Protocol):
    """What a stage tells the person who waits."""

    def update(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` in the stage's own unit; the time left is worked out by the receiver."""
        ...


@dataclass(frozen=True)
class RowColumns:
    """A batch of the data gate's rows as plain columns of equal length, so that it can be sent or stored anywhere.

    Attributes:
        position: of each row in its corpus, ascending.
        file: the user's file, as findings name it.
        line: its place there.
        row: JSON of what the row is made from.
    """

    position: Sequence[int]
    file: Sequence[str]
    line: Sequence[int]
    row: Sequence[bytes]


class RowEngine(Protocol):
    """Runs the data gate's per-row work: in this process, or on many machines."""

    def map(self, work: Callable[[RowColumns], R], batches: Iterable[RowColumns]) -> Iterator[R]:
        """The results in the order of the rows, whoever worked on them.

        Args:
            work: a pure function of one batch; it and its results can be pickled.
            batches: taken one after another, never all at once; an engine may cut them anew before it hands them to `work`.

        Raises:
            EnvironmentFault: the engine is not installed, or has no room to work.
        """
        ...


class MachineProbe(Protocol):
    """The machine as it is now. Must not import torch."""

    def environment(self, folder: Path) -> Environment:
        """Facts about this machine; disk is that of `folder`."""
        ...


@dataclass(frozen=True)
class LocalModel:
    """A model on this machine, ready to load offline.

    Attributes:
        directory: holds safetensors weights, config.json, tokenizer files.
        spec: as the user named it.
        revision: commit, version or content digest.
        licence: SPDX id or free text as the source states it, or None.
        licence_source: where that was read.
        risks: what is known about this way of getting the model (e.g. dequantised from 4 bit).
    """

    directory: Path
    spec: str
    revision: str
    licence: str | None
    licence_source: str
    risks: tuple[str, ...] = ()


class ModelSource(Protocol):
    """Brings a named model to this machine, once, atomically."""

    def fetch(self, spec: str, revision: str | None, progress: Progress) -> LocalModel:
        """The model's files on local disk; from the cache where they are there already.

        Raises:
            UsageError: the spec names nothing that can be had.
            EnvironmentFault: no network, no disk, a missing extra.
            EvidenceError: what arrived is not what was pinned.
        """
        ...


@dataclass(frozen=True)
class Encoding:
    """Token ids of one text, and for each token its `[start, end)` in characters of that text."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class ChatTokenizer(Protocol):
    """The model's own tokenizer and chat template. Must not import torch."""

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        """Tokens that end an answer."""
        ...

    @property
    def template_digest(self) -> str | None:
        """`sha256:…` of the chat template's source text, None where the model has none."""
        ...

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids the tokenizer can produce."""
        ...

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The conversation as the template writes it; with the generation prompt it ends where the answer begins.

        Raises:
            DataError: the template refuses this conversation.
        """
        ...

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenise rendered texts; special tokens in the text are recognised, none are added."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, special tokens included."""
        ...


@dataclass(frozen=True)
class TrainingExample:
    """One tokenised row: `input_ids` and `trained` have the same length; loss counts only where `trained` is true."""

    row_id: str
    input_ids: tuple[int, ...]
    trained: tuple[bool, ...]


@dataclass(frozen=True)
class TrainRequest:
    """All that a trainer needs. `work_dir` keeps checkpoints between a kill and the next start.

    `tracking_dir` is where trackers write, for all runs of a project; None puts it beside `work_dir`. `doubted` are ids of
    training rows whose answer the data gate doubts, the surest first: their losses are worth measuring.
    """

    model_dir: Path
    train: Sequence[TrainingExample]
    validation: Sequence[TrainingExample]
    hyperparameters: TrainConfig
    seed: int
    precision: str
    work_dir: Path
    trackers: tuple[str, ...]
    project: str
    run_name: str
    on_step: Callable[[StepMetrics], None]
    tracking_dir: Path | None = None
    doubted: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainOutcome:
    """What a trainer leaves: `adapter_dir` in PEFT layout, safetensors. Memory is this process's peak, in bytes."""

    adapter_dir: Path
    trainer: str
    versions: dict[str, str]
    steps: int
    epochs: float
    tokens_seen: int
    trained_tokens: int
    wall_s: float
    peak_memory_bytes: int
    resumed_from_step: int | None
    data_order: tuple[str, ...]
    hardest: tuple[HardRow, ...] = field(default_factory=tuple)


class NameFinder(Protocol):
    """Finds names of people in running text; a guess, never certain."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text the names in it, left to right, as spans of kind `person`; never a placeholder.

        Raises:
            EnvironmentFault: what it needs is not installed.
        """
        ...


class SentenceEncoder(Protocol):
    """Says what texts mean, as vectors."""

    @property
    def name(self) -> str:
        """The model, told apart from any other by the digest of its files."""
        ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """A vector of length one for each text, (texts, dimensions); the same for the same text, to a thousandth.

        Raises:
            UsageError: there is no such model.
            EnvironmentFault: what it needs is not installed.
            EvidenceError: the model is not the published one.
        """
        ...


@dataclass(frozen=True)
class Readers:
    """The models that read the data, each None where nobody asked for it: names of people, and what texts mean."""

    names: NameFinder | None = None
    meanings: SentenceEncoder | None = None


NO_READERS = Readers()


class Trainer(Protocol):
    """Trains an adapter. Started again with the same request after a kill, it goes on and ends with the same weights."""

    def train(self, request: TrainRequest) -> TrainOutcome:
        """Train to the end, or go on from the newest whole checkpoint in `work_dir`.

        Raises:
            ConfigError: an entry of `trainer_overrides` that this trainer's installed version does not know.
            EnvironmentFault: out of memory or disk.
        """
        ...

    def probe(self, request: TrainRequest, steps: int) -> float:
        """Seconds per token of a short real training step on this machine, leaving nothing behind."""
        ...


@dataclass(frozen=True)
class CandidateRef:
    """Weights to load: a base folder, and an adapter on top where there is one."""

    model_dir: Path
    adapter_dir: Path | None = None


@dataclass(frozen=True)
class Decoding:
    """How text is generated; temperature 0 is greedy. Part of the evidence."""

    max_new_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Generation:
    """One output: text without the end token; `finished` is false where `max_new_tokens` ended it."""

    text: str
    finished: bool
    new_tokens: int


@dataclass(frozen=True)
class ChoiceItem:
    """A multiple-choice item: token ids of the shared question and of each option that continues it."""

    question: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]


class LanguageModel(Protocol):
    """A loaded candidate."""

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, on_done: Callable[[int, Generation], None]
    ) -> list[Generation]:
        """One output per prompt, in order. `on_done(index, generation)` is called as soon as each is known.

        The result for a prompt must not depend on which other prompts are in the call.
        """
        ...

    def choice_log_likelihoods(self, items: Sequence[ChoiceItem], on_done: Callable[[int], None]) -> list[tuple[float, ...]]:
        """For each item, each option's summed log-probability in nats given the question."""
        ...


@dataclass(frozen=True)
class Drift:
    """Teacher-forced difference of two candidates over the probed positions; KL(reference ‖ candidate) in nats per token."""

    tokens: int
    max_abs_logit: float
    mean_kl_nats: float
    top1_agreement: float


class ModelHost(Protocol):
    """Loads candidates, merges adapters, and compares two candidates' logits."""

    def open(self, candidate: CandidateRef) -> AbstractContextManager[LanguageModel]:
        """Load a candidate; leaving the context frees it."""
        ...

    def merge(self, candidate: CandidateRef, destination: Path) -> None:
        """Write base + adapter as one model (fp32 merge, checked for NaN) into `destination`, tokenizer included."""
        ...

    def drift(
        self, reference: CandidateRef, candidate: CandidateRef, sequences: Sequence[Sequence[int]], probe_from: Sequence[int]
    ) -> Drift:
        """Feed both the same ids; compare the logits that predict positions `probe_from[i]:` of each sequence."""
        ...
