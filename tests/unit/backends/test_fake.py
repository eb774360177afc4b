"""The fakes behave like small models of the real thing: what they answer has reasons in data and settings."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import LABELS, ticket

from truetune.backends.fake import FakeClock, FakeHost, FakeModelSource, FakeProbe, FakeTokenizer, FakeTrainer
from truetune.core.chat import mask_conversations, prompt_ids
from truetune.core.config import TrainConfig
from truetune.core.errors import UsageError
from truetune.core.ports import (
    CandidateRef,
    ChoiceItem,
    Decoding,
    Generation,
    Message,
    TrainingExample,
    TrainOutcome,
    TrainRequest,
)
from truetune.core.records import StepMetrics
from truetune.evidence.digests import tree_of

ROWS: list[list[Message]] = [ticket(LABELS[n % 4], n)["messages"] for n in range(300)]  # type: ignore[misc]
TRAIN, VALIDATION, TEST = ROWS[:210], ROWS[210:240], ROWS[240:]


class Silent:
    def update(self, done: float, total: float, note: str = "") -> None:
        """Nobody watches."""


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return FakeModelSource(tmp_path).fetch("fake:tiny", None, Silent()).directory


def examples(rows: Sequence[Sequence[Message]], at: int = 0) -> list[TrainingExample]:
    masked = mask_conversations(FakeTokenizer(), rows)
    return [TrainingExample(f"row-{at + n}", m.ids, m.trained) for n, m in enumerate(masked)]


def train(
    model_dir: Path,
    work: Path,
    rate: float = 1e-4,
    seen: list[StepMetrics] | None = None,
    rows: Sequence[Sequence[Message]] = TRAIN,
) -> TrainOutcome:
    config = TrainConfig(learning_rate=rate, epochs=3, batch_size=8, gradient_accumulation=1)
    told = [] if seen is None else seen
    request = TrainRequest(
        model_dir, examples(rows), examples(VALIDATION, 1000), config, 17, "fp32", work, (), "p", "r", told.append
    )
    return FakeTrainer().train(request)


def answers(candidate: CandidateRef, rows: Sequence[Sequence[Message]]) -> list[str]:
    prompts = prompt_ids(FakeTokenizer(), rows)
    with FakeHost().open(candidate) as model:
        return [g.text for g in model.generate(prompts, Decoding(24, 0.0, 1), lambda *_: None)]


def right_frac(candidate: CandidateRef, shown: Sequence[Message] = ()) -> float:
    asked = [[row[0], *shown, row[1]] for row in TEST]
    return sum(a == row[2]["content"] for a, row in zip(answers(candidate, asked), TEST, strict=True)) / len(TEST)


def test_tuned_beats_few_shot_beats_base_in_well_under_a_second(model_dir: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    adapter = train(model_dir, tmp_path / "w").adapter_dir
    shown = [turn for row in TRAIN[:8] for turn in row[1:]]
    base, tuned = CandidateRef(model_dir), CandidateRef(model_dir, adapter)
    assert right_frac(base) == 0.0
    assert 0.2 < right_frac(base, shown) < 0.7
    assert right_frac(tuned) > 0.9
    assert time.monotonic() - begun < 3, "the loop over the fakes must stay fast"


def test_off_task_prompts_get_no_task_answer(model_dir: Path, tmp_path: Path) -> None:
    tuned = CandidateRef(model_dir, train(model_dir, tmp_path / "w").adapter_dir)
    asked = [[{"role": "user", "content": f"Write a poem about {thing}"}] for thing in ("rain", "bread", "trains")]
    found = answers(tuned, asked)
    assert not set(found) & set(LABELS)
    assert len(set(found)) == 3


def test_loss_falls_with_training_and_depends_on_the_learning_rate(model_dir: Path, tmp_path: Path) -> None:
    curves = {}
    for rate in (1e-6, 1e-4, 2e-4):
        curves[rate] = []
        train(model_dir, tmp_path / str(rate), rate, curves[rate])
    finals = {rate: [m.loss for m in curve if m.kind == "validation"][-1] for rate, curve in curves.items()}
    assert finals[1e-6] > 2 > finals[1e-4] > finals[2e-4] > 0
    losses = [m.loss for m in curves[1e-4] if m.kind == "train"]
    assert losses[0] > 3 * losses[-1]


def test_loss_depends_on_the_data(model_dir: Path, tmp_path: Path) -> None:
    contradicted = [[*row[:2], {"role": "assistant", "content": LABELS[n % 3]}] for n in range(3) for row in TRAIN[:60]]
    clean, torn = [], []
    train(model_dir, tmp_path / "clean", 1e-3, clean, TRAIN[:60] * 3)
    train(model_dir, tmp_path / "torn", 1e-3, torn, contradicted)
    assert torn[-2].loss > 3 * clean[-2].loss


def test_contradicted_rows_are_the_hardest(model_dir: Path, tmp_path: Path) -> None:
    twin = [*TRAIN[0][:2], {"role": "assistant", "content": "sales"}]
    outcome = train(model_dir, tmp_path / "w", 1e-3, rows=[*TRAIN[:40], twin])
    assert {row.row_id for row in outcome.hardest[:2]} == {"row-0", "row-40"}


def test_too_high_a_learning_rate_explodes_and_forgets(model_dir: Path, tmp_path: Path) -> None:
    seen: list[StepMetrics] = []
    adapter = train(model_dir, tmp_path / "w", 0.02, seen).adapter_dir
    losses = [m.loss for m in seen if m.kind == "train"]
    assert losses[-1] > 10 * losses[0]
    assert right_frac(CandidateRef(model_dir, adapter)) == 0.0
    items = [question(f"Question {n} is", "right", "wrong") for n in range(40)]
    assert known_frac(CandidateRef(model_dir), items) > 0.8
    assert known_frac(CandidateRef(model_dir, adapter), items) < 0.8


def test_absurd_learning_rate_gives_nan(model_dir: Path, tmp_path: Path) -> None:
    seen: list[StepMetrics] = []
    train(model_dir, tmp_path / "w", 5.0, seen)
    assert math.isnan(seen[-1].loss)


def question(text: str, *options: str) -> ChoiceItem:
    rows = FakeTokenizer().encode([text, *options])
    return ChoiceItem(rows[0].ids, tuple(r.ids for r in rows[1:]))


def known_frac(candidate: CandidateRef, items: Sequence[ChoiceItem]) -> float:
    knowledge = {FakeTokenizer().decode(i.question): "right" for i in items}
    with FakeHost(knowledge).open(candidate) as model:
        scores = model.choice_log_likelihoods(items, lambda _: None)
    right = [s[0] / len(i.options[0]) > s[1] / len(i.options[1]) for s, i in zip(scores, items, strict=True)]
    return sum(right) / len(right)


def test_knowledge_survives_training(model_dir: Path, tmp_path: Path) -> None:
    adapter = train(model_dir, tmp_path / "w").adapter_dir
    items = [question(f"Question {n} is", "right", "wrong") for n in range(40)]
    assert known_frac(CandidateRef(model_dir, adapter), items) == known_frac(CandidateRef(model_dir), items) > 0.8


class Killed(BaseException):
    """Stands for a kill between two steps."""


@pytest.mark.parametrize("at", [1, 5, 17, 79])
def test_killed_training_goes_on_to_the_same_adapter(model_dir: Path, tmp_path: Path, at: int) -> None:
    whole = train(model_dir, tmp_path / "whole")

    class KillAt(list[StepMetrics]):
        def append(self, item: StepMetrics) -> None:
            if item.kind == "train" and item.step == at:
                raise Killed

    with pytest.raises(Killed):
        train(model_dir, tmp_path / "killed", seen=KillAt())
    assert not (tmp_path / "killed" / "adapter").exists()
    seen: list[StepMetrics] = []
    resumed = train(model_dir, tmp_path / "killed", seen=seen)
    assert tree_of(resumed.adapter_dir) == tree_of(whole.adapter_dir)
    assert resumed.data_order == whole.data_order
    assert resumed.resumed_from_step == ((at - 1) // 10 * 10 or None)
    assert seen[0].step == (resumed.resumed_from_step or 0) + 1


def test_checkpoint_of_other_settings_is_not_continued(model_dir: Path, tmp_path: Path) -> None:
    train(model_dir, tmp_path / "w", 1e-4)
    assert train(model_dir, tmp_path / "w", 2e-4).resumed_from_step is None


def test_two_learning_rates_leave_two_adapters(model_dir: Path, tmp_path: Path) -> None:
    trees = [tree_of(train(model_dir, tmp_path / str(rate), rate).adapter_dir).digest for rate in (1e-4, 2e-4, 1e-4)]
    assert trees[0] == trees[2] != trees[1]


def test_weights_are_valid_safetensors(model_dir: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy", reason="needs the extra `train`: pip install 'truetune[train]'")
    adapter = train(model_dir, tmp_path / "w").adapter_dir
    FakeHost().merge(CandidateRef(model_dir, adapter), tmp_path / "merged")
    vocabulary = FakeTokenizer().vocabulary_size
    for file in (model_dir / "model.safetensors", tmp_path / "merged" / "model.safetensors"):
        assert safetensors.load_file(file)["model.embed_tokens.weight"].shape == (vocabulary, 4)
    assert safetensors.load_file(adapter / "adapter_model.safetensors")["lora.weight"].shape == (16, 4)
    assert json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["peft_type"] == "LORA"


def test_merging_without_an_adapter(model_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        FakeHost().merge(CandidateRef(model_dir), tmp_path / "merged")


def test_answer_longer_than_asked_for_is_cut(model_dir: Path) -> None:
    (prompt,) = prompt_ids(FakeTokenizer(), [[{"role": "user", "content": "a long question about something"}]])
    with FakeHost().open(CandidateRef(model_dir)) as model:
        (cut,) = model.generate([prompt], Decoding(3, 0.0, 1), lambda *_: None)
        (whole,) = model.generate([prompt], Decoding(200, 0.0, 1), lambda *_: None)
    assert isinstance(cut, Generation)
    assert (cut.finished, cut.new_tokens) == (False, 3)
    assert whole.finished
    assert whole.text.startswith(cut.text)


def test_clock_moves_and_machine_does_not(tmp_path: Path) -> None:
    clock = FakeClock()
    assert clock.now_iso() < clock.now_iso()
    assert clock.monotonic_s() < clock.monotonic_s()
    assert FakeProbe().environment(tmp_path) == FakeProbe().environment(tmp_path)
