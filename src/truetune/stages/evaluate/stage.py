"""Evaluate: every candidate on the same items, paired statistics, and the contract decided line by line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import Config
from truetune.core.contract import Contract
from truetune.core.ports import CandidateRef, ChatTokenizer, Clock, ModelHost, Progress
from truetune.core.records import BaseRecord, DataRecord, EvaluationRecord, FrozenTestInfo, TrainRecord
from truetune.evidence.curated import CuratedRow, read_split
from truetune.evidence.digests import tree_of
from truetune.evidence.frozen_test import FrozenTest
from truetune.evidence.run_folder import RunFolder
from truetune.stages.evaluate.candidates import CandidateKind, Weights, adapter_weights, base_weights
from truetune.stages.evaluate.conclusions import conclude
from truetune.stages.evaluate.questions import Questions, Source, prepare
from truetune.stages.evaluate.session import Session


@dataclass(frozen=True)
class Request:
    """What is evaluated.

    Attributes:
        config: the project's config.
        contract: what must hold.
        model_dir: the base model's folder.
        base: the base model's record.
        data: the curated data, with the frozen test split.
        train: the adapter's record.
        adapter_dir: the adapter, laid out as files.
        merged_dir: where the merged model is made; removed afterwards unless the config keeps it.
        cache_dir: where answers are kept between a kill and the next start.
        gold: the hand-graded items; empty where the contract names none.
    """

    config: Config
    contract: Contract
    model_dir: Path
    base: BaseRecord
    data: DataRecord
    train: TrainRecord
    adapter_dir: Path
    merged_dir: Path
    cache_dir: Path
    gold: tuple[CuratedRow, ...] = ()


@dataclass(frozen=True)
class Ports:
    """Who loads models, who tokenises, who hears of progress, what time it is, and where looks at the frozen test are counted."""

    host: ModelHost
    tokenizer: ChatTokenizer
    progress: Progress
    clock: Clock
    frozen_test: FrozenTest


def run(request: Request, ports: Ports, evidence: RunFolder) -> EvaluationRecord:
    """Ask every candidate every question, keep every answer, and decide the contract.

    Raises:
        EvidenceError: weights or data on disk are not what their records name.
        DataError: an item does not fit into the model's context.
        EnvironmentFault: out of disk or memory; the answers so far are kept.
    """
    base = base_weights(request.model_dir, request.base)
    adapter = adapter_weights(base, request.adapter_dir, request.train)
    questions = _questions(request, ports, evidence)
    looked = _count_look(request, ports, evidence)
    session = _session(request, ports, questions)
    merging = "merged_model" in request.contract.compare
    of_base: list[CandidateKind] = ["base_model", "few_shot_base"] if questions.shown else ["base_model"]
    session.expect([*of_base, "tuned_adapter", *(("merged_model",) if merging else ())])
    session.ask(base, of_base)
    session.ask(adapter, ["tuned_adapter"])
    if merging:
        with _merged(request, ports, adapter.ref, session) as merged:
            session.ask(merged, ["merged_model"])
            session.compare_merged(adapter, merged, request.base.context_length_tokens)
    session.warn_of_drift(base, adapter, request.base.context_length_tokens)
    return conclude(request.contract, request.data.task, questions, session, evidence.store, looked, request.config.seed)


def _questions(request: Request, ports: Ports, evidence: RunFolder) -> Questions:
    test = read_split(evidence.store, request.data.curated, "test")
    source = Source(
        config=request.config,
        contract=request.contract,
        task=request.data.task,
        # A replay row is no example of the task.
        train=[row for row in read_split(evidence.store, request.data.curated, "train") if row.origin == "task"],
        test=test,
        gold=request.gold,
        context_tokens=request.base.context_length_tokens,
    )
    return prepare(source, ports.tokenizer)


def _count_look(request: Request, ports: Ports, evidence: RunFolder) -> FrozenTestInfo | None:
    """Every look at the frozen test is on record: the more often it is used to choose, the less it proves."""
    split = request.data.splits["test"]
    looked = ports.frozen_test.look("evaluate", evidence.run_id, split.digest)
    evidence.ledger.append("test.looked", rows=split.rows, split=split.digest, looks=looked.looks if looked else None)
    return looked


def _session(request: Request, ports: Ports, questions: Questions) -> Session:
    return Session(request.data.task, questions, request.cache_dir, ports.host, ports.tokenizer, ports.progress, ports.clock)


@contextmanager
def _merged(request: Request, ports: Ports, adapter: CandidateRef, session: Session) -> Iterator[Weights]:
    """The merged model in its folder, for as long as it is needed."""
    try:
        with session.timed("merged_model", "merging the adapter into the base"):
            ports.host.merge(adapter, request.merged_dir)
            weights = Weights(CandidateRef(request.merged_dir), tree_of(request.merged_dir).digest)
        yield weights
    finally:
        if not request.config.evaluate.keep_merged:
            shutil.rmtree(request.merged_dir, ignore_errors=True)
