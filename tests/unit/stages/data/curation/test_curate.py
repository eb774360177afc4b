"""Curated files: what stays is as it was given, what goes is listed, nothing else changes, whenever the process dies."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.stages.data.rows_for_tests import LONG, Record, Silent, labelled, record, write_lines

from truetune.core.config import DataConfig
from truetune.core.errors import DataError, UsageError
from truetune.evidence.digests import file_digest, tree_digest, tree_of
from truetune.stages.data.curation import curate as curate_module
from truetune.stages.data.curation.curate import Curated, Request, curate, newest_version, read_version

KEY = "AKIA" + "Q3EXAMPLE7Z2KLMN"


def faulty() -> list[Record]:
    """30 clean rows with a field of the user's own, then a repeat, a secret, an empty answer, an e-mail address."""
    clean = [{**row, "id": f"r{n}"} for n, row in enumerate(labelled(30))]
    return [
        *clean,
        clean[0],
        record(f"My key is {KEY}", "joy"),
        record("What now", ""),
        record("Write to ann@example.com about the boat", "calm"),
    ]


def run(tmp_path: Path, *files: Path, checks: dict[str, object] | None = None, **config: object) -> Curated:
    settings = DataConfig.model_validate({"sources": [], "checks": checks or {}, **config})
    return curate(Request([(f, f.name) for f in files], [], settings, tmp_path / "curated"), Silent())


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_that_stay_are_as_they_were_given(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    before = file_digest(source), source.stat().st_mtime_ns
    done = run(tmp_path, source)
    version = Path(done.record.version)
    assert lines(version / "rows.jsonl") == [*faulty()[:30], faulty()[33]]
    assert [(r["line"], r["code"]) for r in lines(version / "dropped.jsonl")] == [
        (31, "data.duplicate.exact"),
        (32, "data.secret"),
        (33, "data.record.empty"),
    ]
    assert (file_digest(source), source.stat().st_mtime_ns) == before
    assert (done.record.gate, done.record.gate_reason) == ("passed", "31 of 34 rows kept")


def test_lineage_leads_from_each_line_to_its_source(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a.jsonl", faulty())
    second = write_lines(tmp_path / "b.jsonl", [*labelled(40)[30:], labelled(1)[0]])
    version = Path(run(tmp_path, first, second).record.version)
    lineage = pq.read_table(version / "lineage.parquet").to_pylist()
    assert len({row["row_id"] for row in lineage}) == len(lineage) == 41
    for row in lineage:
        curated, given = lines(version / row["file"]), lines(tmp_path / row["source"])
        assert curated[row["line"] - 1] == given[row["source_line"] - 1]


def test_quarantine_holds_the_whole_record(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    checks = {"data.pii.*": {"policy": "quarantine"}, "data.record.empty": {"policy": "quarantine"}}
    done = run(tmp_path, source, checks=checks)
    aside = lines(Path(done.record.version) / "quarantine.jsonl")
    assert [row["record"] for row in aside] == [faulty()[32], faulty()[33]]
    assert [row["code"] for row in aside] == ["data.record.empty", "data.pii.email"]
    assert done.record.stats.quarantined == 2
    assert done.record.policies["data.pii.email"] == "quarantine"


def test_a_secret_travels_no_further(tmp_path: Path) -> None:
    version = Path(run(tmp_path, write_lines(tmp_path / "rows.jsonl", faulty())).record.version)
    for path in version.iterdir():
        assert KEY.encode() not in path.read_bytes(), path.name


def test_the_difference_can_be_read(tmp_path: Path) -> None:
    text = (Path(run(tmp_path, write_lines(tmp_path / "rows.jsonl", faulty())).record.version) / "changes.md").read_text()
    assert "34 rows came in, 31 are kept, 3 are not." in text
    assert "## data.record.empty: 1 row left out" in text
    assert "- rows.jsonl:31: the same row stands earlier: rows.jsonl, line 1" in text
    assert "## Found and kept" in text and "- data.pii.email: 1" in text


def test_the_difference_shows_rows_with_placeholders_as_they_are_now(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    version = Path(run(tmp_path, source, checks={"data.pii.*": {"policy": "redact"}}).record.version)
    text = (version / "changes.md").read_text(encoding="utf-8")
    assert "## Placeholders: 1 row kept with them" in text
    assert "- rows.jsonl:34: redacted: [EMAIL" in text
    assert "  > Write to [EMAIL" in text and "about the boat → calm" in text
    assert "ann@example.com" not in text + (version / "rows.jsonl").read_text(encoding="utf-8")


def test_the_record_names_every_file(tmp_path: Path) -> None:
    done = run(tmp_path, write_lines(tmp_path / "rows.jsonl", faulty()))
    version = Path(done.record.version)
    (version / "curation.json").unlink()
    assert tree_of(version) == done.record.files
    assert tree_digest(done.record.files.files) == done.record.files.digest


def test_nothing_new_makes_no_version_and_a_change_makes_one(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    first = run(tmp_path, source)
    again = run(tmp_path, source)
    assert first.is_new and not again.is_new and again.record == first.record
    other = run(tmp_path, source, checks={"data.pii.*": {"policy": "drop"}})
    write_lines(source, faulty()[:20])
    third = run(tmp_path, source)
    assert [Path(done.record.version).name for done in (first, other, third)] == ["0001", "0002", "0003"]


def test_a_version_that_lost_a_file_is_made_again(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    first = run(tmp_path, source)
    (Path(first.record.version) / "rows.jsonl").unlink()
    second = run(tmp_path, source)
    assert second.is_new and Path(second.record.version).name == "0002"


def test_too_much_left_out_fails_and_is_written(tmp_path: Path) -> None:
    done = run(tmp_path, write_lines(tmp_path / "rows.jsonl", faulty()), max_dropped_frac=0.05)
    assert done.record.gate == "failed"
    assert "3 of 34 rows (9%) had to be left out; max_dropped_frac allows 5%" in done.record.gate_reason
    assert (Path(done.record.version) / "rows.jsonl").exists()


@pytest.mark.parametrize("name", ["rows.csv", "rows.json", "dropped.jsonl"])
def test_other_formats_and_names_of_ours(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [{"prompt": LONG, "completion": 'yes, "quoted"\nand long'}, {"prompt": "Other question", "completion": "no"}]
    if name.endswith(".csv"):
        path.write_text(f'prompt,completion\n"{LONG}","yes, ""quoted""\nand long"\nOther question,no\n', encoding="utf-8")
    else:
        path.write_text(json.dumps(rows) if name.endswith(".json") else "\n".join(map(json.dumps, rows)), encoding="utf-8")
    version = Path(run(tmp_path, path).record.version)
    assert lines(version / ("dropped-2.jsonl" if name == "dropped.jsonl" else "rows.jsonl")) == rows


def test_two_files_of_one_name_are_two_files(tmp_path: Path) -> None:
    for folder, rows in (("a", labelled(10)), ("b", labelled(20)[10:])):
        (tmp_path / folder).mkdir()
        write_lines(tmp_path / folder / "rows.jsonl", rows)
    files = [(tmp_path / folder / "rows.jsonl", f"{folder}/rows.jsonl") for folder in ("a", "b")]
    done = curate(Request(files, [], DataConfig(sources=()), tmp_path / "curated"), Silent())
    version = Path(done.record.version)
    assert lines(version / "rows.jsonl") == labelled(10)
    assert lines(version / "rows-2.jsonl") == labelled(20)[10:]


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    judge = curate_module.judge

    def and_then_someone_writes(*arguments: object, **named: object) -> object:
        judged = judge(*arguments, **named)  # type: ignore[arg-type]
        write_lines(source, labelled(5))
        return judged

    monkeypatch.setattr(curate_module, "judge", and_then_someone_writes)
    with pytest.raises(DataError) as caught:
        run(tmp_path, source)
    assert caught.value.code == "data.file.changed"
    assert newest_version(tmp_path / "curated") is None


def test_two_at_once_is_refused(tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "curated").mkdir()
    with FileLock(tmp_path / "curated" / ".lock"), pytest.raises(UsageError, match="curating"):
        run(tmp_path, write_lines(tmp_path / "rows.jsonl", faulty()))


# --- killed at any moment ---------------------------------------------------------------------------------------------

_EVENTS = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.rmdir", "shutil.rmtree", "tempfile.mkdtemp"}


def _killed_at(step: int, work: object) -> bool:
    """In a child process: die by SIGKILL at the given one of the events that touch the file system. False: it came to its end."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, _arguments: object) -> None:
            nonlocal seen
            if event in _EVENTS:
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_at_every_step_leaves_the_previous_state(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", faulty())
    first = run(tmp_path, source)
    before, given = tree_of(Path(first.record.version)), file_digest(source)
    out = tmp_path / "curated"
    step, killed = 1, 0
    while _killed_at(step, lambda: run(tmp_path, source, checks={"data.pii.*": {"policy": "drop"}})):
        assert tree_of(Path(first.record.version)) == before
        assert file_digest(source) == given
        newest = newest_version(out)
        assert newest is not None
        record = read_version(newest)
        assert record is not None, "a version that has its name is whole"
        for artifact in record.files.files:
            assert file_digest(newest / artifact.path) == artifact.digest
        if newest.name == "0002":
            break
        step, killed = step + 1, killed + 1
    assert killed > 10
    run(tmp_path, source, checks={"data.pii.*": {"policy": "drop"}})
    assert sorted(p.name for p in out.iterdir()) == [".lock", "0001", "0002"]
