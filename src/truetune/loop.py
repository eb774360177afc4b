"""The order of the loop, written once: what is next, what is stale, what can be taken from an earlier run.

A stage's *key* is the digest of everything its result depends on. A record whose key still holds is kept, or taken from
an earlier run of the project; anything else runs. So a killed run goes on where it was, a changed learning rate repeats
training but not the data gate, and nothing is skipped that should not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar, get_args

from filelock import FileLock, Timeout
from pydantic import JsonValue

from truetune import __version__
from truetune.core import verdict as verdict_rules
from truetune.core.config import DataConfig, Engine
from truetune.core.contract import Contract
from truetune.core.errors import EvidenceError, UsageError
from truetune.core.ports import (
    ChatTokenizer,
    Clock,
    LocalModel,
    MachineProbe,
    Message,
    ModelHost,
    ModelSource,
    Progress,
    Readers,
    RowEngine,
    Trainer,
)
from truetune.core.records import (
    BaseRecord,
    DataRecord,
    DiagnosisRecord,
    DoctorRecord,
    EvaluationRecord,
    GateState,
    PlanRecord,
    Record,
    TrainRecord,
    Tree,
    VerdictRecord,
)
from truetune.evidence import atomic
from truetune.evidence.curated import CuratedRow, from_parquet, read_split
from truetune.evidence.digests import canonical_json, file_digest, json_digest
from truetune.evidence.frozen_test import FrozenTest
from truetune.evidence.run_folder import RunFolder, load_record
from truetune.evidence.store import ObjectStore
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.project.project import Project, new_run_id
from truetune.stages.base import stage as base_stage
from truetune.stages.data import stage as data_stage
from truetune.stages.data.reading.sidecar import found_beside
from truetune.stages.data.splits.frozen import holds_any, new_seal
from truetune.stages.diagnose import stage as diagnose_stage
from truetune.stages.doctor import stage as doctor_stage
from truetune.stages.evaluate import stage as evaluate_stage
from truetune.stages.evaluate.suites import packaged_prompts
from truetune.stages.plan import stage as plan_stage
from truetune.stages.train import stage as train_stage

StageName = Literal["doctor", "base", "data", "plan", "train", "diagnose", "evaluate", "verdict"]
STAGES: tuple[StageName, ...] = get_args(StageName)
PROBE_STEPS = 2

R = TypeVar("R", bound=Record)


class Reporter(Progress, Protocol):
    """Hears how the loop gets on, stage by stage."""

    def started(self, stage: StageName) -> None:
        """A stage begins."""
        ...

    def finished(self, stage: StageName, record: Record, seconds: float, reused_from: str | None) -> None:
        """A stage has its record; `reused_from` names the run it was taken from, where it did not run now."""
        ...


@dataclass(frozen=True)
class Tools:
    """What wiring has chosen for this project."""

    clock: Clock
    probe: MachineProbe
    sources: ModelSource
    tokenizer_for: Callable[[Path], ChatTokenizer]
    trainer: Trainer
    host: ModelHost
    cache_dir: Path
    row_engine_for: Callable[[Engine], RowEngine]
    readers_for: Callable[[DataConfig], Readers]


@dataclass
class LoopResult:
    """Where the run lies, the records it has, and how long each stage took in this process, in seconds."""

    run: RunFolder
    records: dict[StageName, Record]
    seconds: dict[StageName, float]


def run_folder(project: Project, run_id: str, clock: Clock) -> RunFolder:
    """The folder of a run, over the project's store."""
    return RunFolder(project.runs_dir / run_id, ObjectStore(project.objects_dir), clock)


def frozen_test(project: Project, clock: Clock) -> FrozenTest:
    """The project's frozen test: its seal and the ledger of looks, beside the contract."""
    return FrozenTest(project.contract_path.parent, clock)


def count_look(project: Project, clock: Clock, command: str, conversations: Iterable[Sequence[Message]]) -> None:
    """Count a look at the frozen test where one of these conversations, which a person is about to see, is a row of it."""
    frozen = frozen_test(project, clock)
    seal = frozen.seal()
    if seal is not None and holds_any(seal, conversations):
        frozen.look(command, "", seal.digest)


def inputs_of(project: Project) -> dict[str, JsonValue]:
    """Everything the user gave: the config, the contract, and the digest of each file that they name or that lies beside one."""
    rows = [*project.config.data.sources]
    data, contract = project.config.data, project.contract
    replay = data.replay.source if data.replay else None
    listed = data.do_not_train if isinstance(data.do_not_train, str) else None
    held_out = (contract.gold_set, contract.frozen_test_set, data.splits.validation)
    for optional in (*held_out, replay, data.answer_schema, listed):
        if optional:
            rows.append(optional)
    paths = {name: project.resolve_data_path(name) for name in rows}
    paths |= _sidecars(project, paths)
    return {
        "config": project.config.model_dump(mode="json"),
        "contract": project.contract.model_dump(mode="json"),
        "files": {name: file_digest(path) if path.is_file() else None for name, path in paths.items()},
    }


def _sidecars(project: Project, rows: Mapping[str, Path]) -> dict[str, Path]:
    """The files of metadata that will be joined to these files of rows."""
    named = project.config.data.metadata
    if named is not None:
        return {named: project.resolve_data_path(named)}
    beside = {name: found_beside(path) for name, path in rows.items()}
    return {Path(name).with_name(found.name).as_posix(): found for name, found in beside.items() if found is not None}


def run(project: Project, tools: Tools, reporter: Reporter, *, until: StageName = "verdict", new: bool = False) -> LoopResult:
    """Take the project to a verdict, or to the stage `until`.

    Raises:
        UsageError: another truetune is at work in this project.
        TruetuneError: a stage cannot go on; all that was done before it is kept.
    """
    project.state_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(project.state_dir / "lock", timeout=0)
    try:
        with lock:
            return _Loop(project, tools, reporter, new=new).run(until)
    except Timeout as error:
        raise UsageError(
            "usage.run_in_progress",
            "another truetune is at work in this project",
            why=f"{project.state_dir / 'lock'} is held by a running process",
            fix="wait for it, or stop it (Ctrl-C there), then run the same command again",
        ) from error


class _Loop:
    """One pass: holds the run, the records so far, and the few values that more than one stage needs."""

    def __init__(self, project: Project, tools: Tools, reporter: Reporter, *, new: bool) -> None:
        self.project = project
        self.tools = tools
        self.reporter = reporter
        self.inputs = inputs_of(project)
        self.do_not_train = read_do_not_train(project.config.data.do_not_train, project.root)
        self.frozen_test = frozen_test(project, tools.clock)
        self.earlier = [] if new else [run_folder(project, name, tools.clock) for name in reversed(project.run_ids())]
        self.folder = self._continue_or_start()
        self.records: dict[StageName, Record] = {}
        self.seconds: dict[StageName, float] = {}
        self._local: LocalModel | None = None
        self._tokenizer: ChatTokenizer | None = None

    def run(self, until: StageName) -> LoopResult:
        """Stage after stage, up to `until`, or to the first failed gate and from there to the verdict."""
        steps: dict[StageName, Callable[[], Record]] = {
            "doctor": self._doctor,
            "base": self._base,
            "data": self._data,
            "plan": self._plan,
            "train": self._train,
            "diagnose": self._diagnose,
            "evaluate": self._evaluate,
        }
        last = STAGES.index(until)
        for name, step in steps.items():
            if STAGES.index(name) > last or self._failed_gate():
                break
            self.records[name] = step()
        if until == "verdict":
            self.records["verdict"] = self._verdict()
        return LoopResult(self.folder, self.records, self.seconds)

    # --- which run -------------------------------------------------------------------------------------------------

    def _continue_or_start(self) -> RunFolder:
        inputs_digest = json_digest([__version__, self.inputs])
        for run in self.earlier:
            if self._started_from(run) == inputs_digest:
                return run
        run = run_folder(self.project, new_run_id(self.tools.clock, self.project.run_ids()), self.tools.clock)
        atomic.write_bytes(run.path / "config.json", canonical_json(self.inputs))
        run.ledger.append("run.started", inputs=inputs_digest, config=json_digest(self.inputs), truetune=__version__)
        return run

    def _started_from(self, run: RunFolder) -> str | None:
        try:
            entries = run.ledger.read()
        except EvidenceError:
            return None
        return str(entries[0].data.get("inputs")) if entries else None

    # --- one stage -------------------------------------------------------------------------------------------------

    def _stage(self, name: StageName, kind: type[R], depends_on: dict[str, JsonValue], work: Callable[[], R]) -> R:
        """Keep, take over or make the stage's record."""
        key = json_digest([name, __version__, depends_on])
        self.reporter.started(name)
        begun = self.tools.clock.monotonic_s()
        kept = self._kept(name, kind, key)
        if kept is not None:
            record, origin = kept
            if origin.path != self.folder.path:
                self._take_over(name, record, key, origin)
            self.reporter.finished(name, record, 0.0, origin.run_id)
            return record
        record = work()
        seconds = self.tools.clock.monotonic_s() - begun
        self.folder.write_record(name, record, key, seconds=round(seconds, 3))
        self.seconds[name] = seconds
        self.reporter.finished(name, record, seconds, None)
        return record

    def _kept(self, name: StageName, kind: type[R], key: str) -> tuple[R, RunFolder] | None:
        for run in [self.folder, *(r for r in self.earlier if r.path != self.folder.path)]:
            record = self._usable(run, name, kind, key)
            if record is not None:
                return record, run
        return None

    def _usable(self, run: RunFolder, name: StageName, kind: type[R], key: str) -> R | None:
        """The record, if its key holds, its file is the one the ledger names, and its objects are in the store."""
        try:
            entry = run.stage_entry(name)
            path = run.record_path(name)
            if entry is None or entry["key"] != key or not path.exists() or file_digest(path) != entry["record"]:
                return None
            record = load_record(path, kind)
        except EvidenceError:
            return None
        return record if all(run.store.holds(tree) for tree in _trees(record)) else None

    def _take_over(self, name: StageName, record: Record, key: str, origin: RunFolder) -> None:
        self.folder.write_record(name, record, key, reused_from=origin.run_id)
        if isinstance(record, TrainRecord):
            self.folder.store.lay_out(record.adapter, self.folder.path / "adapter")

    def _failed_gate(self) -> bool:
        return any(getattr(record, "gate", "passed") == "failed" for record in self.records.values())

    # --- the stages ------------------------------------------------------------------------------------------------

    def _doctor(self) -> DoctorRecord:
        """Always measured anew: the machine may have changed since."""
        self.reporter.started("doctor")
        begun = self.tools.clock.monotonic_s()
        request = doctor_stage.Request(self.project.root, None, None, self.tools.cache_dir)
        record = doctor_stage.run(request, doctor_stage.Ports(self.tools.probe), self.folder)
        seconds = self.tools.clock.monotonic_s() - begun
        self.folder.write_record("doctor", record, json_digest(["doctor", __version__]), seconds=round(seconds, 3))
        self.seconds["doctor"] = seconds
        self.reporter.finished("doctor", record, seconds, None)
        return record

    def _base(self) -> BaseRecord:
        config = self.project.config.base
        self.reporter.started("base")
        local = self._model()
        depends: dict[str, JsonValue] = {
            "config": config.model_dump(mode="json"),
            "revision": local.revision,
            "files": _stat_digest(local.directory),
        }
        ports = base_stage.Ports(self._chat_tokenizer(), self.reporter)
        return self._stage(
            "base", BaseRecord, depends, lambda: base_stage.run(base_stage.Request(config, local), ports, self.folder)
        )

    def _data(self) -> DataRecord:
        base = self._record("base", BaseRecord)
        config, contract = self.project.config, self.project.contract
        engine, readers = self.tools.row_engine_for(config.data.engine), self.tools.readers_for(config.data)
        depends: dict[str, JsonValue] = {
            "config": config.data.model_dump(mode="json"),
            "files": self.inputs["files"],
            "gold": contract.gold_set,
            "test": contract.frozen_test_set,
            "template": base.template_digest,
            "tokenizer": base.tokenizer_digest,
            "max_length": config.train.max_length,
            "seed": config.seed,
            "commercial": config.base.commercial,
            "sentence_model": readers.meanings.name if readers.meanings else None,
        }
        inputs, seal = json_digest(depends), self.frozen_test.seal()
        # What the test was cut from cuts the same test again: only other inputs meet the seal as something to keep.
        kept = seal if seal is not None and seal.inputs != inputs else None
        depends["seal"] = kept.digest if kept else None
        held_out = (contract.gold_set, contract.frozen_test_set)
        gold, test = (self.project.resolve_data_path(name) if name else None for name in held_out)
        request = data_stage.Request(
            config.data,
            self.project.root,
            config.seed,
            config.train.max_length,
            gold,
            test,
            config.base.commercial,
            kept,
            packaged_prompts(),
        )
        ports = data_stage.Ports(self._chat_tokenizer(), self.reporter, engine, readers)
        record = self._stage("data", DataRecord, depends, lambda: data_stage.run(request, ports, self.folder))
        if seal is None and record.gate == "passed":
            self._seal(record, inputs)
        return record

    def _seal(self, record: DataRecord, inputs: str) -> None:
        """The first test that passes the gate is the project's test from now on."""
        rows = read_split(self.folder.store, record.curated, "test")
        seal = new_seal(rows, record.test_chosen_by, self.tools.clock.now_iso(), inputs)
        self.frozen_test.put_seal(seal, self.folder.run_id)

    def _plan(self) -> PlanRecord:
        base, data = self._record("base", BaseRecord), self._record("data", DataRecord)
        doctor = self._record("doctor", DoctorRecord)
        depends: dict[str, JsonValue] = {
            "config": self.project.config.train.model_dump(mode="json"),
            "base": base.weights.digest,
            "data": data.curated.digest,
            "cores": doctor.environment.cores,
            "memory": doctor.environment.memory_bytes,
            "gpus": [gpu.name for gpu in doctor.environment.gpus],
        }

        def work() -> PlanRecord:
            seconds_per_token = train_stage.measure(self._train_request(), self._train_ports(), self.folder, PROBE_STEPS)
            request = plan_stage.Request(self.project.config, base, data, doctor.environment, doctor.precision, seconds_per_token)
            return plan_stage.run(request, plan_stage.Ports(), self.folder)

        return self._stage("plan", PlanRecord, depends, work)

    def _train(self) -> TrainRecord:
        base, data = self._record("base", BaseRecord), self._record("data", DataRecord)
        depends: dict[str, JsonValue] = {
            "config": self.project.config.train.model_dump(mode="json"),
            "seed": self.project.config.seed,
            "base": base.weights.digest,
            "template": base.template_digest,
            "splits": {name: split.digest for name, split in data.splits.items()},
            "precision": self._record("doctor", DoctorRecord).precision,
            "do_not_train": self.do_not_train.digest if self.do_not_train else None,
        }
        return self._stage(
            "train", TrainRecord, depends, lambda: train_stage.run(self._train_request(), self._train_ports(), self.folder)
        )

    def _diagnose(self) -> DiagnosisRecord:
        train, data = self._record("train", TrainRecord), self._record("data", DataRecord)
        request = diagnose_stage.Request(train, data)
        depends: dict[str, JsonValue] = {
            "train": json_digest(train.model_dump(mode="json")),
            "data": json_digest(data.model_dump(mode="json")),
        }
        return self._stage(
            "diagnose", DiagnosisRecord, depends, lambda: diagnose_stage.run(request, diagnose_stage.Ports(), self.folder)
        )

    def _evaluate(self) -> EvaluationRecord:
        base, data, train = self._record("base", BaseRecord), self._record("data", DataRecord), self._record("train", TrainRecord)
        depends: dict[str, JsonValue] = {
            "config": self.project.config.evaluate.model_dump(mode="json"),
            "contract": self.project.contract.model_dump(mode="json"),
            "seed": self.project.config.seed,
            "base": base.weights.digest,
            "template": base.template_digest,
            "curated": data.curated.digest,
            "adapter": train.adapter.digest,
        }

        def work() -> EvaluationRecord:
            adapter = self.folder.path / "adapter"
            self.folder.store.lay_out(train.adapter, adapter)
            request = evaluate_stage.Request(
                config=self.project.config,
                contract=self.project.contract,
                model_dir=self._model().directory,
                base=base,
                data=data,
                train=train,
                adapter_dir=adapter,
                merged_dir=self.folder.path / "merged",
                cache_dir=self.project.generations_dir,
                gold=gold_rows(self.folder.store, data),
            )
            ports = evaluate_stage.Ports(
                self.tools.host, self._chat_tokenizer(), self.reporter, self.tools.clock, self.frozen_test
            )
            return evaluate_stage.run(request, ports, self.folder)

        return self._stage("evaluate", EvaluationRecord, depends, work)

    def _verdict(self) -> VerdictRecord:
        decided = decide(self.records, self.project.contract)
        depends: dict[str, JsonValue] = {
            name: json_digest(record.model_dump(mode="json")) for name, record in self.records.items() if name != "doctor"
        }
        depends["gates"] = dict(decided.gates)
        return self._stage("verdict", VerdictRecord, depends, lambda: decided)

    # --- shared values ---------------------------------------------------------------------------------------------

    def _record(self, name: StageName, kind: type[R]) -> R:
        record = self.records[name]
        assert isinstance(record, kind)
        return record

    def _model(self) -> LocalModel:
        if self._local is None:
            base = self.project.config.base
            self._local = self.tools.sources.fetch(base.model, base.revision, self.reporter)
        return self._local

    def _chat_tokenizer(self) -> ChatTokenizer:
        if self._tokenizer is None:
            self._tokenizer = self.tools.tokenizer_for(self._model().directory)
        return self._tokenizer

    def _train_request(self) -> train_stage.Request:
        return train_stage.Request(
            self.project.config,
            self._model().directory,
            self._record("data", DataRecord),
            self._record("doctor", DoctorRecord).precision,
            self.folder.run_id,
            self.do_not_train,
        )

    def _train_ports(self) -> train_stage.Ports:
        return train_stage.Ports(self.tools.trainer, self._chat_tokenizer(), self.reporter)


def decide(records: dict[StageName, Record], contract: Contract) -> VerdictRecord:
    """The verdict that these records lead to; a pure function of them, so that `verify` can ask again."""
    gates: dict[str, GateState] = {}
    reasons: dict[str, str] = {}
    for name, record in records.items():
        state: GateState | None = getattr(record, "gate", None)
        if state is not None:
            gates[name] = state
            reasons[name] = _gate_reason(record)
    evaluation = records.get("evaluate")
    return verdict_rules.decide(gates, reasons, evaluation if isinstance(evaluation, EvaluationRecord) else None, contract)


def gold_rows(store: ObjectStore, data: DataRecord) -> tuple[CuratedRow, ...]:
    """The gold items as the data stage read them; empty where the contract names none."""
    for artifact in data.curated.files:
        if artifact.path == "gold.parquet":
            return tuple(from_parquet(store.get_bytes(artifact.digest)))
    return ()


def _gate_reason(record: Record) -> str:
    if isinstance(record, DataRecord):
        return record.gate_reason
    findings = getattr(record, "findings", ())
    blocks = [finding.message for finding in findings if finding.severity == "block"]
    return "; ".join(blocks[:3])


def _trees(record: Record) -> list[Tree]:
    if isinstance(record, DataRecord):
        return [record.curated]
    if isinstance(record, TrainRecord):
        return [record.adapter, Tree(digest=record.metrics.digest, files=(record.metrics,))]
    if isinstance(record, EvaluationRecord):
        files = tuple(a for a in (record.generations, record.choices, *(s.items for s in record.suites)) if a is not None)
        return [Tree(digest=record.generations.digest, files=files)]
    return []


def _stat_digest(folder: Path) -> str:
    """A cheap fingerprint of a model folder: names, sizes and times. `verify` reads the bytes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return json_digest([[p.relative_to(folder).as_posix(), p.stat().st_size, p.stat().st_mtime_ns] for p in files])
