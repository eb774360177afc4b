"""A config that is wrong says so once, for everything, at the place; a config that is right is read as written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from truetune.core.config import Config, TrainConfig
from truetune.core.contract import Contract
from truetune.core.errors import ConfigError, TruetuneError
from truetune.project.yaml_file import read_yaml

START = "task: sort tickets\nbase: some/model\ndata: tickets.jsonl\n"


def read(tmp_path: Path, text: str | bytes, model: type[Config] | type[Contract] = Config) -> Config | Contract:
    path = tmp_path / "truetune.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return read_yaml(path, model)


def refused(tmp_path: Path, text: str | bytes, model: type[Config] | type[Contract] = Config) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, model)
    return caught.value


def test_short_forms(tmp_path: Path) -> None:
    config = read(tmp_path, START)
    assert isinstance(config, Config)
    assert config.base.model == "some/model"
    assert config.data.sources == ("tickets.jsonl",)
    listed = read(tmp_path, START.replace("tickets.jsonl", "[a.jsonl, b.jsonl]"))
    assert isinstance(listed, Config)
    assert listed.data.sources == ("a.jsonl", "b.jsonl")


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001", "'1e-3'", '"0.001"', "1E-3", ".001"])
def test_every_way_to_write_a_learning_rate(tmp_path: Path, written: str) -> None:
    config = read(tmp_path, START + f"train: {{learning_rate: {written}}}\n")
    assert isinstance(config, Config)
    assert config.train.learning_rate == 0.001
    assert type(config.train.learning_rate) is float


def test_pass_through_values_are_plain(tmp_path: Path) -> None:
    config = read(tmp_path, START + "train: {trainer_overrides: {a: 1e-3, b: [0x10, true], c: {d: text}}}\n")
    assert isinstance(config, Config)
    overrides = config.train.trainer_overrides
    assert overrides == {"a": 0.001, "b": [16, True], "c": {"d": "text"}}
    assert type(overrides["a"]) is float


def test_all_problems_at_once_each_at_its_place(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        "task: sort\nbase: {model: 5}\ndata: tickets.jsonl\nseeed: 3\ntrain:\n  epochs: many\n  lora_rank: 8\n"
        "  weight_decay: -1\n",
    )
    assert error.code == "config.invalid"
    said = {line.split("  ")[0].rsplit("/", 1)[-1]: line for line in error.why.splitlines()}
    assert list(said) == [
        "truetune.yaml:2:15",
        "truetune.yaml:4:1",
        "truetune.yaml:6:11",
        "truetune.yaml:7:3",
        "truetune.yaml:8:17",
    ]
    assert "`base.model` must be text, not 5" in said["truetune.yaml:2:15"]
    assert "did you mean `seed`?" in said["truetune.yaml:4:1"]
    assert "`train.epochs` must be a number, not the text 'many'" in said["truetune.yaml:6:11"]
    assert "did you mean `lora_r`?" in said["truetune.yaml:7:3"]
    assert "greater than or equal to 0, not -1" in said["truetune.yaml:8:17"]
    assert error.where.endswith("truetune.yaml:2:15")


@pytest.mark.parametrize(
    ("extra", "near"),
    [
        ("seeed: 3\n", "`seed`"),
        ("learning_rte: 1\n", "`learning_rate` under `train:`"),
        ("lora_alpha: 8\n", "`lora_alpha` under `train:`"),
        ("train: {trainer_overides: {}}\n", "`trainer_overrides`"),
        ("validation_frac: 0.1\n", "`validation_frac` under `data.splits:`"),
    ],
)
def test_unknown_key_names_the_nearest(tmp_path: Path, extra: str, near: str) -> None:
    error = refused(tmp_path, START + extra)
    assert error.code == "config.unknown_key"
    assert f"did you mean {near}" in error.what
    assert ":4:" in error.where


def test_unknown_key_with_no_near_name_lists_what_is_known(tmp_path: Path) -> None:
    assert "known here are base, contract, data" in refused(tmp_path, START + "zzz: 1\n").what


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (START + "train: {epochs: 1\n", ":5:1", "expected ',' or '}'"),
        (START + "train:\n\tepochs: 1\n", ":5:1", "a tab where YAML wants spaces"),
        (START + "task: again\n", ":4:1", 'duplicate key "task"'),
        (START + "x: *nope\n", ":4:4", "undefined alias"),
        (START + "a: \x00\n", ":4:4", "'\\x00' is not allowed"),
        (START + "---\nb: 1\n", ":4:1", "another document"),
        (START.replace("sort tickets", "'sort"), ":4:1", "begins at line 1"),
        (START + "train: !!python/object:os.system x\n", ":4:8", "YAML tag"),
        (START + "train: !custom {epochs: 1}\n", ":4:8", "YAML tag"),
        ("", ":1:1", "it must have `task`, `base`, `data`"),
        ("# only a comment\n", ":1:1", "it must have `task`, `base`, `data`"),
        ("- a\n- b\n", ":1:1", "must be a table of keys, not a list"),
        ("just text\n", ":1:1", "must be a table of keys, not the text"),
        ("task: x\nbase: y\n", ":1:1", "`data` is missing"),
        (START.replace("sort tickets", "2026-11-01"), ":1:7", "put it in quotes"),
        (START + "train: {lora_r: true}\n", ":4:17", "must be a number, not true"),
        (START + "train: {learning_rate: .nan}\n", ":4:24", "finite"),
        (START + "train: {learning_rate: .inf}\n", ":4:24", "finite"),
        (START + "train: {target_modules: 5}\n", ":4:25", "must be text or a list, not 5"),
        (START + "train: {method: full}\n", ":4:17", "must be 'lora', not the text 'full'"),
        ("task: x\nbase: y\ndata: {sources: [a], splits: {validation_frac: .8, test_frac: .8}}\n", ":3:30", "below 1"),
        ("task: x\nbase: y\ndata: [a, 5]\n", ":3:", "must be text, not 5"),
        (b"\xff\xfet\x00a\x00", ":1:1", "not UTF-8"),
        (START.encode() + b"seed: \xe9\n", ":4:1", "not UTF-8"),
        (b"x" * (1 << 21), ":1:1", "over 1 MiB"),
    ],
)
def test_one_fault_names_place_and_cause(tmp_path: Path, text: str | bytes, place: str, said: str) -> None:
    error = refused(tmp_path, text)
    assert error.code == "config.invalid"
    assert place in error.where.split("truetune.yaml")[1]
    assert said in error.what
    assert error.fix


def test_aliases_that_multiply_are_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 10000 values" in refused(tmp_path, "\n".join(lines) + "\n").what


@pytest.mark.parametrize("depth", [60, 5_000])
def test_endless_nesting_is_refused(tmp_path: Path, depth: int) -> None:
    assert refused(tmp_path, START + "train: {trainer_overrides: {a: " + "[" * depth + "]" * depth + "}}\n").what


def test_byte_order_mark_and_crlf_are_no_problem(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + START.replace("\n", "\r\n").encode())


def test_contract_bounds_and_their_faults(tmp_path: Path) -> None:
    contract = read(tmp_path, "metrics: {task_success_min: 0.8, forgetting_max: '0.02'}\n", Contract)
    assert isinstance(contract, Contract)
    assert contract.metrics["task_success_min"].bound == 0.8
    assert contract.metrics["forgetting_max"].bound == 0.02
    error = refused(
        tmp_path, "metrics:\n  task_sucess_min: 0.8\n  zzz: 1\n  forgetting_max: {bound: .1, decde: point}\n", Contract
    )
    assert error.code == "config.unknown_key"
    assert "unknown metric `task_sucess_min`; did you mean `task_success_min`?" in error.why
    assert "truetune.yaml:3:3  unknown metric `zzz`; known are task_success_min" in error.why
    assert "truetune.yaml:4:31  unknown key `decde`; did you mean `decide`?" in error.why
    assert "`metrics.task_success_min` must be" in refused(tmp_path, "metrics: {task_success_min: true}\n", Contract).what


def test_missing_file_and_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        read_yaml(tmp_path / "none.yaml", Config)
    assert missing.value.code == "config.missing_file"
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(TruetuneError) as folder:
        read_yaml(tmp_path / "folder.yaml", Config)
    assert folder.value.code == "environment.unreadable"


_KEYS = st.sampled_from([*TrainConfig.model_fields, "epoch", "x", "learning rate"])
_VALUES = st.one_of(
    st.integers(-5, 5000), st.floats(), st.booleans(), st.text(max_size=5), st.none(), st.lists(st.integers(), max_size=2)
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_table_is_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, table: dict[str, object]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump({"task": "t", "base": "b", "data": "d", "train": table}, stream)
    try:
        config = read_yaml(path, Config)
    except ConfigError as error:
        assert error.code in {"config.invalid", "config.unknown_key"}
        assert error.where.rsplit(":", 2)[1].isdigit()
    else:
        assert set(table) <= set(TrainConfig.model_fields)
        assert config.train.learning_rate > 0


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        read_yaml(path, Config)
    assert caught.value.what
