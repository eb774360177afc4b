"""The parts of the benchmark: each plants faults of some kinds into every corpus that can carry them, and measures."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.faults import (
    answers,
    do_not_train,
    files,
    labels,
    languages,
    lengths,
    paraphrases,
    personal,
    preferences,
    projects,
    provenance,
    schemas,
    sets,
    sides,
    substance,
    templates,
    triplets,
)
from benchmarks.faults.corpora import Corpus, Example, available, with_neighbour
from benchmarks.faults.example import EXAMPLE
from benchmarks.faults.gate import ROWS, GateProject, by_command, check, flags_of, report_on, timed
from benchmarks.faults.measured import Section, section
from benchmarks.faults.plant import KINDS, Fault, Kind, Planted, plant
from benchmarks.faults.score import ALARMING, Tally

from truetune.backends.sentence_encoder import SPEC, SentenceEncoder
from truetune.backends.spacy_names import SpacyNames
from truetune.backends.tokenizer import HfTokenizer
from truetune.core.config import DataConfig
from truetune.core.errors import EnvironmentFault
from truetune.core.ports import Readers
from truetune.core.records import Finding

CLEAN_PER_ROUND = 300
"""At least this many rows of a corpus stay clean in a planting: a small corpus is planted in several rounds."""

Measured = Iterator[Section | str]
"""Sections, and the reasons why some could not be had."""
Part = Callable[[int, int], Measured]
"""Measures so many faults of each kind, with a seed."""


def shipped_example() -> Section:
    """The example's own files, as they lie in the repository, against its `faults.json`, by the public command."""
    truth = json.loads((EXAMPLE / "faults.json").read_text(encoding="utf-8"))
    lines = (EXAMPLE / truth["file"]).read_text(encoding="utf-8").splitlines()
    held_out = (EXAMPLE / truth["held_out"]).read_text(encoding="utf-8").splitlines()
    faults = tuple(Fault(**fault) for fault in truth["faults"])
    faulty = {fault.line for fault in faults}
    clean = {n: _example(line) for n, line in enumerate(lines, 1) if n not in faulty}
    excused = {f.partner: KINDS[f.kind].partner_codes for f in faults if f.partner is not None}
    planted = Planted(tuple(lines), tuple(held_out), faults, clean, excused)
    tally = Tally()
    tally.add(planted, *by_command(planted))
    what = f"{len(lines)} lines, {len(held_out)} gold items"
    return section("examples/support-triage, as shipped", "support-triage", what, tally)


def _example(line: str) -> Example:
    turns = json.loads(line)["messages"]
    return Example(turns[-2]["content"], turns[-1]["content"])


def bench_kinds() -> list[Kind]:
    """What is planted into a corpus; slips are for the example only, they are easier than edits."""
    return [kind for name, kind in KINDS.items() if name != "duplicate, slip"]


def rounds_for(corpus: Corpus, per_kind: int) -> int:
    """How many plantings a corpus needs so that each leaves enough clean rows and uses no row twice."""
    kinds = bench_kinds()
    rows = sum(kind.origin != "held_out" for kind in kinds) * per_kind
    held = sum(kind.origin == "held_out" for kind in kinds) * per_kind
    room = len(corpus.rows) - CLEAN_PER_ROUND
    return max(-(-rows // room), -(-held // len(corpus.held_out)))


def measure(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Plant, check and count, over as many rounds as the corpus needs, each with a seed of its own."""
    rounds = rounds_for(corpus, per_kind)
    tally = _tally(corpus, bench_kinds(), -(-per_kind // rounds), rounds, seed)
    left_out = ", ".join(f"{n} {why}" for why, n in sorted(corpus.excluded.items())) or "none"
    what = f"{len(corpus.rows)} rows, {len(corpus.held_out)} held out; natural defects left out: {left_out}; plantings: {rounds}"
    return section(corpus.name, corpus.origin, what, tally)


def measure_few(
    about: str, corpus: Corpus, kinds: Sequence[Kind], per_kind: int, seed: int, noted: frozenset[str] = frozenset()
) -> Section:
    """Plant the faults that must be rarer than what is normal, a few at a time, and count."""
    each = max(2, int(answers.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = _tally(corpus, kinds, each, rounds, seed, noted)
    what = f"{len(corpus.rows)} rows; faults of {about}, {each} of a kind in each of {rounds} plantings"
    return section(f"{corpus.name}, {about}", corpus.origin, what, tally)


def _tally(
    corpus: Corpus, kinds: Iterable[Kind], each: int, rounds: int, seed: int, noted: frozenset[str] = frozenset()
) -> Tally:
    tally = Tally(noted=noted)
    for number in range(rounds):
        planted = plant(corpus, dict.fromkeys(kinds, each), seed + number)
        tally.add(planted, *check(planted))
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    return tally


def measure_listed(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Plant rows that a do-not-train list forbids, and count."""
    listed: list[do_not_train.Entry] = []
    planted = plant(corpus, dict.fromkeys(do_not_train.kinds(listed), per_kind), seed)
    tally = Tally()
    tally.add(planted, *check(planted, {"do_not_train": tuple(listed)}))
    tally.keep_alarms({do_not_train.CODE})
    what = f"{len(corpus.rows)} rows, a list of {len(listed)} entries"
    return section(f"{corpus.name}, do-not-train list", corpus.origin, what, tally)


def measure_pairs(corpus: Corpus, plantings: int, seed: int) -> Section:
    """Faults of a whole set of pairs: sets of pairs drawn from a corpus, with each fault and without, each set a planting."""
    tally = Tally()
    watched = {whole.code for whole in preferences.WHOLES.values()}
    for number in range(plantings):
        for name, whole in preferences.WHOLES.items():
            rng = random.Random(f"{seed} {number} {name}")
            lines = whole.make(rng, preferences.drawn(rng, corpus))
            found, cpu_s = _said_of(lines)
            is_found = any(code == whole.code and severity in ALARMING for code, severity in found)
            tally.add_whole(name, whole.code, len(lines), is_found=is_found, cpu_s=cpu_s)
        rng = random.Random(f"{seed} {number} sound")
        lines = preferences.sound(rng, preferences.drawn(rng, corpus))
        found, cpu_s = _said_of(lines)
        tally.add_sound_whole(f"set {number}", _alarming(found) & watched, len(lines), cpu_s)
    what = f"{plantings} sets of {preferences.PAIRS} pairs for each fault and as many sound ones; a set is counted as one row"
    return section(f"{corpus.name}, sets of pairs", corpus.origin, what, tally)


def measure_sets(corpus: Corpus, kinds: Sequence[sets.SetKind], plantings: int, seed: int) -> Section:
    """Faults of whole sets that are no preferences."""
    tally = Tally()
    for one in sets.planted_sets(corpus, kinds, plantings, seed):
        found, cpu_s = _said_of(one.lines)
        if one.kind is None:
            tally.add_sound_whole(one.name, _alarming(found, one.noted) & one.clean_of, len(one.lines), cpu_s)
        else:
            is_found = (one.kind.code, one.kind.severity) in found
            tally.add_whole(one.kind.name, one.kind.code, len(one.lines), is_found=is_found, cpu_s=cpu_s)
    what = f"{plantings} sets of {sets.size_of(corpus)} rows for each fault and as many sound ones; a set is counted as one row"
    return section(f"{corpus.name}, whole sets", corpus.origin, what, tally)


def _said_of(lines: Sequence[str]) -> tuple[set[tuple[str, str]], float]:
    """Code and severity of everything that is found, and the CPU seconds it took."""
    report, cpu_s = report_on(Planted(tuple(lines), (), (), {}, {}))
    return _said(report.findings), cpu_s


def _said(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(finding.code, finding.severity) for finding in findings}


def _alarming(found: Iterable[tuple[str, str]], noted: Container[str] = ()) -> set[str]:
    return {code for code, severity in found if severity in ALARMING or code in noted}


def measure_files(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Files in another encoding; such a file is found where the finding names the very lines that are not UTF-8."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ROWS
        for one in files.planted_files(corpus, per_kind, seed):
            path.write_bytes(one.content)
            report, cpu_s = timed([path], [], DataConfig(sources=()))
            said = [finding for finding in report.findings if finding.code == files.CODE]
            if not one.kind:
                tally.add_sound_whole(one.name, {files.CODE} if said else (), files.FILE_ROWS, cpu_s)
                continue
            named = {row.line for finding in said for row in finding.rows}
            is_found = bool(said) and (not one.lines or named == one.lines)
            tally.add_whole(one.kind, files.CODE, files.FILE_ROWS, is_found=is_found, cpu_s=cpu_s)
    what = f"{per_kind} files of {files.FILE_ROWS} rows for each fault and as many sound ones; a file is counted as one row"
    return section(f"{corpus.name}, files", corpus.origin, what, tally)


def measure_projects(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Whole projects, through the data stage: one that seals its test is run again when its rows have changed."""
    tally = Tally()
    for one in projects.planted_projects(corpus, per_kind, seed):
        findings, cpu_s = _of_project(one)
        found = _said(findings)
        if one.kind is None:
            noted = {kind.code for kind in projects.KINDS.values() if kind.severity == "note"}
            tally.add_sound_whole(one.name, _alarming(found, noted) & set(projects.CODES), projects.ROWS, cpu_s)
        else:
            is_found = (one.kind.code, one.kind.severity) in found
            tally.add_whole(one.kind.name, one.kind.code, projects.ROWS, is_found=is_found, cpu_s=cpu_s)
    what = f"{per_kind} projects of {projects.ROWS} rows for each fault and as many sound ones; a project is counted as one row"
    return section(f"{corpus.name}, projects", corpus.origin, what, tally)


def _of_project(one: projects.PlantedProject) -> tuple[tuple[Finding, ...], float]:
    project = one.project
    config = {"checks": {"data.leakage.split": {"policy": "keep"}}} if project.keeps_leaks else {}
    with tempfile.TemporaryDirectory() as folder:
        gate = GateProject(Path(folder))
        record = gate.run(project.rows, config, project.gold)
        if project.later:
            test = [line - 1 for line in gate.sealed(record)]
            record = gate.run(project.later(one.rng, project.rows, test, project.new), config, project.gold)
    return record.findings, gate.cpu_s


def measure_templates(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Chat templates, tokenizers and long rows, through the data stage; found where every row that is concerned is named."""
    tally = Tally()
    tokenizers = templates.Tokenizers(corpus)
    for one in templates.planted_templates(corpus, per_kind, seed):
        with tempfile.TemporaryDirectory() as folder:
            tokenizers.write(one.planting, Path(folder) / "model")
            gate = GateProject(Path(folder))
            rows = [{"messages": row} for row in one.planting.rows]
            record = gate.run(rows, {}, tokenizer=HfTokenizer(Path(folder) / "model"), max_length=templates.MAX_LENGTH)
        if one.kind is None:
            said = _alarming(_said(record.findings)) & set(templates.CODES)
            tally.add_sound_whole(one.name, said, len(rows), gate.cpu_s)
            continue
        mine = [f for f in record.findings if (f.code, f.severity) == (one.kind.code, one.kind.severity)]
        is_found = bool(mine) and one.planting.named <= {row.line for finding in mine for row in finding.rows}
        tally.add_whole(one.kind.name, one.kind.code, len(rows), is_found=is_found, cpu_s=gate.cpu_s)
    what = f"{per_kind} plantings of {templates.FILE_ROWS} rows for each fault and as many sound ones, each in one of "
    what += f"{len(templates.STYLES)} styles of template; a planting is counted as one row"
    return section(f"{corpus.name}, templates and tokens", corpus.origin, what, tally)


def measure_sides(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Plant test rows among the validation rows, and count; the clean rows are judged by that check alone."""
    each = min(per_kind, int(sides.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = Tally()
    for number in range(rounds):
        planted = sides.plant(corpus, each, seed + number)
        tally.add(planted, *check(planted))
    tally.keep_alarms({sides.CODE})
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows with a split of their own; {each} faults of a kind in each of {rounds} plantings"
    return section(f"{corpus.name}, held-out sides", corpus.origin, what, tally)


def measure_names(corpus: Corpus, per_kind: int, seed: int) -> Section | str:
    """Names of people, looked for by spaCy's small model as with `--names`."""
    finder = SpacyNames()
    try:
        finder.find(["Is the model there?"])
    except EnvironmentFault as absent:
        return f"skipped: {absent.what}; {absent.fix}"
    planted = plant(corpus, {personal.PERSON: per_kind}, seed)
    tally = Tally()
    tally.add(planted, *check(planted, readers=Readers(finder)))
    tally.keep_alarms({personal.PERSON.code})
    what = f"{len(corpus.rows)} rows; the alarms of this check alone"
    return section(f"{corpus.name}, names of people", corpus.origin, what, tally)


class _Remembered:
    """A sentence model that is asked for each text once: the same texts are checked again and again here."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder, self.name = encoder, encoder.name
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def measure_meanings(seed: int) -> Iterator[Section | str]:
    """Wrong labels and rephrasings again, with a sentence model that takes part as with `--sentence-model`."""
    encoder = SentenceEncoder(SPEC)
    try:
        encoder.encode(["Is the model there?"])
    except EnvironmentFault as absent:
        yield f"skipped: {absent.what}; {absent.fix}"
        return
    readers = Readers(meanings=_Remembered(encoder))
    yield paraphrases.counted(seed, readers)
    yield from labels.sections(labels.ROWS, seed, readers)


def measure_sources(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Rows from feeds that are held out, in a project that keeps sources together."""
    planted = provenance.plant_sources(corpus, per_kind, seed)
    tally = Tally()
    tally.add(planted, *check(planted, {"splits": {"keep_together": ("group", "conversation", "source")}}))
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows from {provenance.FEEDS} feeds"
    return section(f"{corpus.name}, sources", corpus.origin, what, tally)


def measure_provenance(corpus: Corpus, per_kind: int, seed: int) -> Section:
    """Plant faults of the columns and of the sidecar, a few at a time, and count both."""
    each = max(2, int(provenance.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = Tally(noted=provenance.NOTED)
    for number in range(rounds):
        rows, sidecar = provenance.plant(corpus, each, seed + number)
        report, cpu_s = report_on(rows, {"metadata.jsonl": sidecar.lines})
        tally.add(rows, flags_of(report.findings, ROWS), cpu_s)
        tally.add_beside(sidecar, flags_of(report.findings, "metadata.jsonl"))
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows; faults of metadata, {each} of a kind in each of {rounds} plantings"
    return section(f"{corpus.name}, metadata", corpus.origin, what, tally)


def _each(measured: Callable[[Corpus, int, int], Section | str], corpora: Callable[[], Iterable[Corpus | str]]) -> Part:
    def part(per_kind: int, seed: int) -> Measured:
        for corpus in corpora():
            yield corpus if isinstance(corpus, str) else measured(corpus, per_kind, seed)

    return part


def _few(
    about: str, plantings: Callable[[], Iterable[tuple[Corpus, tuple[Kind, ...]] | str]], noted: frozenset[str] = frozenset()
) -> Part:
    def part(per_kind: int, seed: int) -> Measured:
        for planting in plantings():
            yield planting if isinstance(planting, str) else measure_few(about, *planting, per_kind, seed, noted)

    return part


def _sets(per_kind: int, seed: int) -> Measured:
    for planting in sets.corpora():
        yield planting if isinstance(planting, str) else measure_sets(*planting, per_kind, seed)


PARTS: Mapping[str, Part] = {
    "example": lambda _per_kind, _seed: iter([shipped_example()]),
    "rows": _each(measure, available),
    "answers": _few("answers and encodings", answers.plantings),
    "json": _few("the form of JSON answers", schemas.plantings),
    "pairs": _few("preference pairs", preferences.plantings),
    "pair-sets": _each(measure_pairs, preferences.corpora),
    "personal": _few("personal data", personal.plantings),
    "names": _each(measure_names, personal.named),
    "do-not-train": _each(measure_listed, do_not_train.corpora),
    "languages": _few("languages", languages.plantings),
    "lengths": _few("lengths", lengths.plantings, frozenset({lengths.CODE})),
    "sets": _sets,
    "triplets": _few("embedding triplets", triplets.plantings),
    "sides": _each(measure_sides, available),
    "metadata": _each(measure_provenance, provenance.plantings),
    "sources": _each(measure_sources, provenance.plantings),
    "files": _each(measure_files, files.corpora),
    "projects": _each(measure_projects, projects.corpora),
    "templates": _each(measure_templates, templates.corpora),
    "paraphrases": paraphrases.sections,
    "labels": lambda _per_kind, seed: labels.sections(labels.ROWS, seed),
    "meanings": lambda _per_kind, seed: measure_meanings(seed),
    "substance": lambda _per_kind, seed: substance.sections(seed),
}
"""Every part, by the name that `--only` takes, in the order of the page."""
