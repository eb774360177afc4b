"""Real data sets become chat messages, their defects included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import real_data


def _snips(folder: Path) -> None:
    (folder / "snips_nlu").mkdir()
    for name, encoding, text in (("PlayMusic", "latin-1", "joue Café del Mar "), ("GetWeather", "utf-8", "météo à Nice")):
        rows = [{"data": [{"text": text}, {"text": f"{n}", "entity": "n"}]} for n in range(20)]
        content = json.dumps({name: rows}, ensure_ascii=False).encode(encoding)
        (folder / "snips_nlu" / f"train_{name}_full.json").write_bytes(content)


def test_rows_are_messages_balanced_over_the_intents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _snips(tmp_path)
    monkeypatch.setenv("TRUETUNE_SHARED_DATA", str(tmp_path))
    out = tmp_path / "out.jsonl"
    assert real_data.main(["snips", str(out), "--rows", "12"]) == 0
    rows = [json.loads(line)["messages"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert [len(row) for row in rows] == [3] * 12
    assert sorted(row[2]["content"] for row in rows) == ["GetWeather"] * 6 + ["PlayMusic"] * 6
    assert {row[0]["content"] for row in rows} == {
        "Name the intent of the message. Answer with one label only: GetWeather, PlayMusic."
    }
    assert any("Café del Mar" in row[1]["content"] for row in rows)


def test_the_draw_is_seeded(tmp_path: Path) -> None:
    _snips(tmp_path)
    texts = real_data.read_snips(tmp_path)["train"]
    assert real_data.draw(texts, 10, 7, seed=1) == real_data.draw(texts, 10, 7, seed=1)
    assert real_data.draw(texts, 10, 7, seed=1) != real_data.draw(texts, 10, 7, seed=2)


def test_an_absent_data_set_is_said_and_not_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRUETUNE_SHARED_DATA", str(tmp_path))
    assert real_data.main(["clinc150", str(tmp_path / "out.jsonl")]) == 3
    assert "set TRUETUNE_SHARED_DATA" in capsys.readouterr().err
