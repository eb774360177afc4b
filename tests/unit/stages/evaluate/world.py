"""A small world over the fakes: a base, curated rows, a trained adapter and their records, ready to be evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from truetune.backends.fake import FakeClock, FakeHost, FakeModelSource, FakeTokenizer, FakeTrainer
from truetune.core.chat import mask_conversations
from truetune.core.config import Config
from truetune.core.contract import Contract
from truetune.core.ports import TrainingExample, TrainRequest
from truetune.core.records import (
    Artifact,
    BaseRecord,
    DataRecord,
    DataStats,
    EvaluationRecord,
    Licence,
    SplitInfo,
    TaskProfile,
    TrainRecord,
    Tree,
)
from truetune.evidence.curated import CuratedRow, to_parquet
from truetune.evidence.digests import bytes_digest, tree_digest, tree_of
from truetune.evidence.frozen_test import FrozenTest
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.evaluate import stage
from truetune.stages.evaluate.suites import knowledge_items

LABELS = ("billing", "delivery", "returns", "account")
WORDS = {
    "billing": ("charge", "invoice", "card", "payment"),
    "delivery": ("parcel", "courier", "tracking", "driver"),
    "returns": ("refund", "exchange", "damaged", "broken"),
    "account": ("password", "login", "profile", "code"),
}
SYSTEM = "Answer with one of: " + ", ".join(LABELS)
CONTRACT = Contract.model_validate({"metrics": {"task_success_min": 0.6, "schema_validity_min": 0.9}})


class Silent:
    """Nobody waits."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float, str]] = []

    def update(self, done: float, total: float, note: str = "") -> None:
        self.seen.append((done, total, note))


def rows(split: str, count: int, answer: Callable[[str], str] = str) -> list[CuratedRow]:
    """Rows whose words tell their label."""
    made = []
    for n in range(count):
        label = LABELS[n % 4]
        word = WORDS[label][n // 4 % 4]
        prompt = f"my {word} and the {word} of order {split}{n} went wrong, {word} again"
        messages = (
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": answer(label)},
        )
        made.append(CuratedRow(f"{split}-{n:03d}", "tickets.jsonl", n + 1, f"{split}-{n:03d}", messages, prompt, answer(label)))
    return made


@dataclass(frozen=True)
class World:
    """All that a test changes before it evaluates."""

    request: stage.Request
    ports: stage.Ports
    run: RunFolder

    def evaluate(self, **changes: object) -> EvaluationRecord:
        """Evaluate, with some of the request's fields changed."""
        return stage.run(replace(self.request, **changes), self.ports, self.run)  # type: ignore[arg-type]

    def with_host(self, host: object) -> World:
        """The same world with other models in it."""
        return replace(self, ports=replace(self.ports, host=host))  # type: ignore[arg-type]


def make(
    folder: Path,
    *,
    task: TaskProfile | None = None,
    train: Sequence[CuratedRow] | None = None,
    test: Sequence[CuratedRow] | None = None,
    learning_rate: float = 1e-3,
    contract: Contract = CONTRACT,
    evaluate: dict[str, object] | None = None,
) -> World:
    """A world whose adapter was trained on `train`."""
    train, test = list(train or rows("train", 80)), list(rows("test", 40) if test is None else test)
    settings = {"learning_rate": learning_rate, "batch_size": 8, "gradient_accumulation": 1}
    config = Config.model_validate(
        {"task": "sort", "base": "fake:tiny", "data": "tickets.jsonl", "train": settings, "evaluate": evaluate or {}}
    )
    run = RunFolder(folder / "runs" / "0001", ObjectStore(folder / "objects"), FakeClock())
    model = FakeModelSource(folder / "cache").fetch("fake:tiny", None, Silent()).directory
    tokenizer = FakeTokenizer(model)
    adapter = train_adapter(folder, config, model, tokenizer, train)
    request = stage.Request(
        config=config,
        contract=contract,
        model_dir=model,
        base=base_record(model, tokenizer),
        data=data_record(run.store, task or TaskProfile(shape="labels", labels=LABELS), train, test),
        train=train_record(adapter),
        adapter_dir=adapter,
        merged_dir=run.path / "merged",
        cache_dir=folder / "generations",
    )
    knowledge = {item.question: item.options[item.answer] for item in knowledge_items()}
    frozen = FrozenTest(folder / "evals", FakeClock())
    return World(request, stage.Ports(FakeHost(knowledge), tokenizer, Silent(), FakeClock(), frozen), run)


def train_adapter(folder: Path, config: Config, model: Path, tokenizer: FakeTokenizer, train: Sequence[CuratedRow]) -> Path:
    masked = mask_conversations(tokenizer, [row.messages for row in train])
    examples = [TrainingExample(row.row_id, m.ids, m.trained) for row, m in zip(train, masked, strict=True)]
    request = TrainRequest(
        model, examples, [], config.train, config.seed, "fp32", folder / "work", (), "p", "r", on_step=lambda step: None
    )
    return FakeTrainer().train(request).adapter_dir


def base_record(model: Path, tokenizer: FakeTokenizer) -> BaseRecord:
    return BaseRecord(
        gate="passed",
        findings=(),
        model="fake:tiny",
        revision="1",
        weights=tree_of(model),
        parameters=1000,
        vocabulary_size=tokenizer.vocabulary_size,
        context_length_tokens=8192,
        architecture="llama",
        template_digest=tokenizer.template_digest,
        tokenizer_digest=bytes_digest(b"tokenizer"),
        licence=Licence(spdx="Apache-2.0", raw="Apache-2.0", source="test", commercial_use=True, redistribution=True),
        intended_use="internal",
        known_risks=(),
    )


def data_record(store: ObjectStore, task: TaskProfile, train: Sequence[CuratedRow], test: Sequence[CuratedRow]) -> DataRecord:
    shards = {"train": list(train), "test": list(test), "validation": []}
    files = tuple(store.put_bytes(f"{name}.parquet", to_parquet(shard)) for name, shard in shards.items())
    return DataRecord(
        gate="passed",
        gate_reason="",
        findings=(),
        sources=(),
        held_out=(),
        stats=DataStats(rows=len(train) + len(test), kept=len(train) + len(test), dropped=0, effective_unique=len(train)),
        task=task,
        curated=Tree(digest=tree_digest(files), files=files),
        splits={
            name: SplitInfo(rows=len(shard), digest=file.digest)
            for (name, shard), file in zip(shards.items(), files, strict=True)  # type: ignore[misc]
        },
        template_digest=None,
    )


def train_record(adapter: Path) -> TrainRecord:
    return TrainRecord(
        trainer="fake",
        versions={},
        hyperparameters={},
        adapter=tree_of(adapter),
        metrics=Artifact(path="metrics.jsonl", digest=bytes_digest(b""), size_bytes=0),
        examples=80,
        steps=20,
        epochs=2.0,
        tokens_seen=1,
        trained_tokens=1,
        tokens_per_s=1.0,
        wall_s=1.0,
        peak_memory_bytes=1,
        resumed_from_step=None,
        data_order_digest=bytes_digest(b"order"),
        seed=17,
    )


def triage(label: str) -> str:
    """The label as a JSON answer."""
    return json.dumps({"queue": label, "urgent": label == "billing"})
