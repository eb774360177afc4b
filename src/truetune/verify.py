"""Derive every digest of a finished run again, from the user's files to the verdict, and name the first that differs.

The order is the order in which evidence was made, so that the first mismatch is the cause and the rest its consequences.
A link that cannot be looked at here (the base model is not on this machine) is *not measured*, never passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from truetune.core.contract import Contract
from truetune.core.errors import ConfigError, EvidenceError, TruetuneError
from truetune.core.ports import LocalModel
from truetune.core.records import (
    Artifact,
    BaseRecord,
    DataRecord,
    DiagnosisRecord,
    DoctorRecord,
    EvaluationRecord,
    PlanRecord,
    Record,
    SourceFile,
    TrainRecord,
    Tree,
    VerdictRecord,
    Verification,
    VerifyRecord,
)
from truetune.evidence.curated import read_split
from truetune.evidence.digests import file_digest, json_digest, tree_digest, tree_of
from truetune.evidence.frozen_test import FrozenTest
from truetune.evidence.run_folder import RunFolder, load_record
from truetune.loop import StageName, decide, frozen_test
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.project.do_not_train.matching import DoNotTrain, subject_of
from truetune.project.project import Project
from truetune.stages.data.splits.cut import split_digest
from truetune.stages.diagnose import stage as diagnose_stage
from truetune.stages.evaluate.rescore import rescore

RECORD_TYPES: dict[StageName, type[Record]] = {
    "doctor": DoctorRecord,
    "base": BaseRecord,
    "data": DataRecord,
    "plan": PlanRecord,
    "train": TrainRecord,
    "diagnose": DiagnosisRecord,
    "evaluate": EvaluationRecord,
    "verdict": VerdictRecord,
}


def verify(project: Project, run: RunFolder, base_model: Callable[[], LocalModel]) -> VerifyRecord:
    """Check a run link by link.

    Args:
        project: the project as it is now; its files are hashed again.
        run: the run to check.
        base_model: finds the base model on this machine; may raise where it cannot be had.

    Returns:
        The record; its gate is failed at the first mismatch's cost, not measured where a link could not be looked at.
    """
    checks = list(_Verifier(project, run, base_model).checks())
    broken = [check for check in checks if check.state == "failed"]
    unseen = [check for check in checks if check.state == "not_measured"]
    return VerifyRecord(
        gate="failed" if broken else "not_measured" if unseen else "passed",
        run_id=run.run_id,
        checks=tuple(checks),
        first_mismatch=f"{broken[0].name}: {broken[0].detail}" if broken else None,
    )


@dataclass
class _Verifier:
    project: Project
    run: RunFolder
    base_model: Callable[[], LocalModel]
    records: dict[StageName, Record] = field(default_factory=dict)

    def checks(self) -> Iterator[Verification]:
        yield self._check("ledger", self._ledger)
        yield self._check("config", self._config)
        for stage in RECORD_TYPES:
            if self.run.record_path(stage).exists() or self._in_ledger(stage):
                yield self._check(f"record {stage}", partial(self._stage_record, stage))
        yield from self._data_checks()
        yield from self._base_checks()
        yield from self._train_checks()
        yield from self._evaluation_checks()
        if "verdict" in self.records:
            yield self._check("verdict", self._verdict)

    def _check(self, name: str, derive: Callable[[], str]) -> Verification:
        """Run one derivation; it returns what it found, or raises."""
        try:
            return Verification(name=name, state="passed", detail=derive())
        except EvidenceError as error:
            return Verification(name=name, state="failed", detail=f"{error.what}" + (f" ({error.where})" if error.where else ""))
        except (OSError, ValueError, KeyError, RecursionError) as error:
            return Verification(name=name, state="failed", detail=f"cannot be read: {error}")

    # --- the ledger and the records --------------------------------------------------------------------------------

    def _ledger(self) -> str:
        entries = self.run.ledger.read()
        if not entries:
            raise _mismatch("the ledger is missing or empty", self.run.ledger.path)
        return f"{len(entries)} entries, head {entries[-1].hash}"

    def _in_ledger(self, stage: StageName) -> bool:
        try:
            return self.run.stage_entry(stage) is not None
        except EvidenceError:
            return False

    def _config(self) -> str:
        path = self.run.path / "config.json"
        digest = json_digest(json.loads(path.read_text(encoding="utf-8")))
        recorded = self.run.ledger.read()[0].data.get("config")
        if digest != recorded or file_digest(path) != recorded:
            raise _mismatch("the resolved config is not the one that the ledger names", path)
        return digest

    def _stage_record(self, stage: StageName) -> str:
        path = self.run.record_path(stage)
        entry = self.run.stage_entry(stage)
        if entry is None:
            raise _mismatch("the ledger does not know this record", path)
        if not path.exists():
            raise _mismatch("the record is missing", path)
        if file_digest(path) != entry["record"]:
            raise _mismatch("the record was changed after it was written", path)
        self.records[stage] = load_record(path, RECORD_TYPES[stage])
        return str(entry["record"])

    # --- data ------------------------------------------------------------------------------------------------------

    def _data_checks(self) -> Iterator[Verification]:
        data = self.records.get("data")
        if not isinstance(data, DataRecord):
            return
        files: tuple[SourceFile | Artifact, ...] = (*data.sources, *data.held_out, *data.metadata)
        for source in files:
            yield self._check(f"source {source.path}", partial(self._source, source))
        for artifact in data.curated.files:
            yield self._check(f"curated {artifact.path}", partial(self._blob, artifact))
        yield self._check("curated tree", partial(self._tree_digest, data.curated))
        if data.do_not_train is not None:
            yield self._check("do-not-train list", partial(self._do_not_train, data))
        for name, split in data.splits.items():
            yield self._check(f"split {name}", partial(self._split, data, name, split.digest))
        yield from self._frozen_test(data)

    def _frozen_test(self, data: DataRecord) -> Iterator[Verification]:
        """Every look at this run's test since it was sealed, by whichever run; what did not pass the gate is not sealed."""
        frozen = frozen_test(self.project, self.run.clock)
        if data.gate != "passed":
            return
        if frozen.seal_path.exists() or frozen.ledger.path.exists():
            yield self._check("frozen test", partial(self._looks, frozen, data.splits["test"].digest))
        else:
            yield Verification(name="frozen test", state="not_measured", detail="the project has no seal: nothing froze the test")

    def _looks(self, frozen: FrozenTest, digest: str) -> str:
        info, seal = frozen.info(digest), frozen.seal()
        if info is None:
            raise _mismatch("the project never sealed the test of this run", frozen.ledger.path)
        looked = f"looked at {'once' if info.looks == 1 else f'{info.looks} times'} since it was sealed on {info.sealed_at[:10]}"
        return looked if seal is not None and seal.digest == digest else f"{looked}; it is not the project's test any more"

    def _source(self, source: SourceFile | Artifact) -> str:
        path = self.project.resolve_data_path(source.path)
        if not path.exists():
            raise _mismatch("the source file is gone", path)
        return self._same(file_digest(path), source.digest, "the source file has changed since the run", path)

    def _do_not_train(self, data: DataRecord) -> str:
        """The list is the one that was enforced, and no training row falls under it."""
        try:
            listed = read_do_not_train(self.project.config.data.do_not_train, self.project.root)
        except ConfigError as error:
            raise _mismatch(error.what, self.project.root) from error
        digest = self._same(
            listed.digest if listed else "none", str(data.do_not_train), "the list has changed since the run", self.project.root
        )
        assert listed is not None
        matcher = DoNotTrain(listed)
        for row in read_split(self.run.store, data.curated, "train"):
            if matcher.entry_for(subject_of(row)) is not None:
                raise _mismatch(f"a training row is on the do-not-train list: {row.file}, line {row.line}", self.run.path)
        return digest

    def _split(self, data: DataRecord, name: str, digest: str) -> str:
        artifact = next(a for a in data.curated.files if a.path == f"{name}.parquet")
        content = self.run.store.get_bytes(artifact.digest)
        return self._same(
            split_digest(content), digest, "the rows of the split are not the frozen ones", self.run.store.path(artifact.digest)
        )

    # --- base ------------------------------------------------------------------------------------------------------

    def _base_checks(self) -> Iterator[Verification]:
        base = self.records.get("base")
        if not isinstance(base, BaseRecord):
            return
        try:
            local = self.base_model()
        except TruetuneError as error:
            yield Verification(name="base weights", state="not_measured", detail=f"{error.what}; {error.why}")
            return
        yield self._check("base weights", partial(self._folder, local.directory, base.weights))

    def _folder(self, folder: Path, recorded: Tree) -> str:
        """Compare a folder with its record; a differing file is named before the folder's digest is."""
        now = {a.path: a.digest for a in tree_of(folder).files}
        then = {a.path: a.digest for a in recorded.files}
        for path in sorted(set(now) | set(then)):
            if now.get(path) != then.get(path):
                what = "is missing" if path not in now else "was added" if path not in then else "was changed"
                raise _mismatch(f"{path} {what}", folder / path)
        return recorded.digest

    # --- train -----------------------------------------------------------------------------------------------------

    def _train_checks(self) -> Iterator[Verification]:
        train = self.records.get("train")
        if not isinstance(train, TrainRecord):
            return
        for artifact in train.adapter.files:
            yield self._check(f"adapter {artifact.path}", partial(self._blob, artifact))
        yield self._check("adapter folder", partial(self._folder, self.run.path / "adapter", train.adapter))
        yield self._check("metrics", partial(self._blob, train.metrics))
        if "diagnose" in self.records:
            yield self._check("diagnosis", partial(self._diagnosis, train))

    def _diagnosis(self, train: TrainRecord) -> str:
        data = self.records.get("data")
        request = diagnose_stage.Request(train, data if isinstance(data, DataRecord) else None)
        again = diagnose_stage.run(request, diagnose_stage.Ports(), self.run)
        if again != self.records["diagnose"]:
            raise _mismatch("the curves do not give the recorded diagnosis", self.run.record_path("diagnose"))
        return again.summary

    # --- evaluation ------------------------------------------------------------------------------------------------

    def _evaluation_checks(self) -> Iterator[Verification]:
        record = self.records.get("evaluate")
        if not isinstance(record, EvaluationRecord):
            return
        for suite in record.suites:
            yield self._check(f"suite {suite.name}", partial(self._blob, suite.items))
        yield self._check("generations", partial(self._blob, record.generations))
        if record.choices is not None:
            yield self._check("choices", partial(self._blob, record.choices))
        merged = self.run.path / "merged"
        candidate = next((c for c in record.candidates if c.kind == "merged_model"), None)
        if candidate is not None and merged.exists():
            yield self._check(
                "merged model",
                lambda: self._same(tree_of(merged).digest, candidate.digest, "the merged model was changed", merged),
            )
        yield self._check("scores", partial(self._scores, record))

    def _merged(self, folder: Path, digest: str) -> str:
        return self._same(tree_of(folder).digest, digest, "the merged model was changed", folder)

    def _scores(self, record: EvaluationRecord) -> str:
        store = self.run.store
        choices = store.get_bytes(record.choices.digest) if record.choices else None
        again = rescore(record, store.get_bytes(record.generations.digest), choices)
        for recorded, derived in zip(record.scores, again, strict=True):
            if recorded != derived:
                place = f"{recorded.candidate} on {recorded.suite}, {recorded.metric}"
                raise _mismatch(f"{place}: recorded {recorded.value}, derived {derived.value}", self.run.record_path("evaluate"))
        return f"{len(again)} scores derived again"

    def _verdict(self) -> str:
        known: dict[StageName, Record] = {name: record for name, record in self.records.items() if name != "verdict"}
        settings = json.loads((self.run.path / "config.json").read_text(encoding="utf-8"))
        again = decide(known, Contract.model_validate(settings["contract"]))
        if again != self.records["verdict"]:
            raise _mismatch(f"these records lead to {again.verdict!r}, the run says otherwise", self.run.record_path("verdict"))
        return again.verdict

    # --- shared ----------------------------------------------------------------------------------------------------

    def _blob(self, artifact: Artifact) -> str:
        path = self.run.store.path(artifact.digest)
        if not path.exists():
            raise _mismatch("the object is missing from the store", path)
        return self._same(file_digest(path), artifact.digest, "the object was changed after it was stored", path)

    def _tree_digest(self, tree: Tree) -> str:
        return self._same(tree_digest(tree.files), tree.digest, "the digest does not follow from the files", self.run.path)

    def _same(self, now: str, then: str, what: str, where: Path) -> str:
        if now != then:
            raise _mismatch(f"{what}: recorded {then[:19]}…, found {now[:19]}…", where)
        return now


def _mismatch(what: str, where: Path) -> EvidenceError:
    return EvidenceError("evidence.mismatch", what, fix="truetune run --new", where=str(where))
