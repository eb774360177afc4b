"""The base record says what the model is and whether it may be used, from its files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.stages.base.model_folder import CONFIG, PARAMETERS, TENSORS, Progress, Tokenizer, decide, write_model

from truetune.core.config import BaseConfig
from truetune.core.errors import EvidenceError, TruetuneError, UsageError
from truetune.core.records import BaseRecord
from truetune.evidence.digests import tree_of


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def codes(record: BaseRecord) -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in record.findings]


def refused(folder: Path) -> TruetuneError:
    with pytest.raises(TruetuneError) as caught:
        decide(folder)
    assert caught.value.fix
    assert caught.value.where
    return caught.value


def test_a_plain_model_passes(model: Path) -> None:
    record = decide(model)
    assert (record.gate, record.findings) == ("passed", ())
    assert record.parameters == PARAMETERS
    assert record.vocabulary_size == 300
    assert record.context_length_tokens == 512
    assert record.architecture == "LlamaForCausalLM"
    assert record.weights == tree_of(model)
    assert record.known_risks == ("dequantised from 4 bit",)


def test_shape_gives_the_size_of_an_adapter(model: Path) -> None:
    shape = decide(model).shape
    assert shape is not None
    assert shape.linear_in_plus_out == {"down_proj": 2 * 24, "k_proj": 2 * 12, "q_proj": 2 * 16}
    assert (shape.layers, shape.hidden_size, shape.intermediate_size, shape.key_value_frac) == (2, 8, 16, 0.5)


def test_tokenizer_digest_follows_tokenizer_files_only(model: Path) -> None:
    before = decide(model)
    (model / "README.md").write_text("words", encoding="utf-8")
    other = decide(model)
    assert other.tokenizer_digest == before.tokenizer_digest
    assert other.weights.digest != before.weights.digest
    (model / "tokenizer.json").write_text('{"changed": 1}', encoding="utf-8")
    assert decide(model).tokenizer_digest != before.tokenizer_digest


def test_hashing_tells_how_far_it_is(model: Path) -> None:
    progress = Progress()
    decide(model, progress=progress)
    done = [d for d, _ in progress.heard]
    assert done == sorted(done)
    assert progress.heard[-1][0] == progress.heard[-1][1] > 0


# --- parameters ------------------------------------------------------------------------------------------------------


def test_tied_weights_that_are_stored_twice_count_once(tmp_path: Path) -> None:
    tensors = {**TENSORS, "lm_head.weight": ("F32", [300, 8])}
    assert decide(write_model(tmp_path / "tied", tensors=tensors)).parameters == PARAMETERS
    untied = {**CONFIG, "tie_word_embeddings": False}
    assert decide(write_model(tmp_path / "untied", untied, tensors)).parameters == PARAMETERS + 2400


def test_integer_buffers_are_not_parameters(tmp_path: Path) -> None:
    tensors = {**TENSORS, "model.position_ids": ("I32", [512])}
    assert decide(write_model(tmp_path / "m", tensors=tensors)).parameters == PARAMETERS


def test_packed_weights_are_counted_unpacked_and_warned_of(tmp_path: Path) -> None:
    config = {**CONFIG, "quantization_config": {"quant_method": "gptq", "bits": 4}}
    tensors = {**TENSORS, "model.layers.0.mlp.up_proj.qweight": ("I32", [1, 16])}
    record = decide(write_model(tmp_path / "m", config, tensors))
    assert record.parameters == PARAMETERS + 16 * 8
    assert ("base.quantised", "warn") in codes(record)
    assert any("4 bits" in risk for risk in record.known_risks)


def test_shards_are_added_up(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", tensors=dict(list(TENSORS.items())[:1]))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    second = write_model(tmp_path / "rest", tensors=dict(list(TENSORS.items())[1:]))
    (second / "model.safetensors").rename(folder / "model-00002-of-00002.safetensors")
    names = ["model-00001-of-00002.safetensors"] + ["model-00002-of-00002.safetensors"] * (len(TENSORS) - 1)
    index = ", ".join(f'"{tensor}": "{name}"' for tensor, name in zip(TENSORS, names, strict=True))
    (folder / "model.safetensors.index.json").write_text(f'{{"weight_map": {{{index}}}}}', encoding="utf-8")
    assert decide(folder).parameters == PARAMETERS
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002" in refused(folder).what


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": 1}', "nonsense", '{"weight_map": {"a": "../../etc/passwd"}}'])
def test_index_that_is_none(model: Path, index: str) -> None:
    (model / "model.safetensors").unlink()
    (model / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    assert refused(model).code == "base.weights.damaged"


# --- what is not a model ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "[1]", "not json", ""])
def test_config_that_is_none(model: Path, content: str | None) -> None:
    (model / "config.json").unlink()
    if content is not None:
        (model / "config.json").write_text(content, encoding="utf-8")
    error = refused(model)
    assert isinstance(error, UsageError)
    assert error.code == "base.not_a_model"


def test_no_weights_and_an_adapter_in_their_place(model: Path) -> None:
    (model / "model.safetensors").unlink()
    assert refused(model).code == "base.not_a_model"
    (model / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert "adapter" in refused(model).why


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\x80\x02}q\x00.", b"\x80\x05."])
def test_pickled_weights_are_refused(model: Path, content: bytes) -> None:
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(content)
    error = refused(model)
    assert error.code == "base.pickle_weights"
    assert "pytorch_model.bin" in error.what


def test_pickles_beside_safetensors_are_a_warning(model: Path) -> None:
    (model / "training_args.bin").write_bytes(b"PK\x03\x04")
    (model / "harmless.bin").write_bytes(b"\x00\x01\x02\x03")
    record = decide(model)
    assert codes(record) == [("base.pickle_weights", "warn")]
    assert record.findings[0].evidence["files"] == ["training_args.bin"]
    assert record.gate == "passed"


def test_context_that_is_not_stated(tmp_path: Path) -> None:
    config = {k: v for k, v in CONFIG.items() if k != "max_position_embeddings"}
    with pytest.raises(UsageError) as caught:
        decide(write_model(tmp_path / "m", config))
    assert caught.value.code == "base.context_unknown"
    assert decide(write_model(tmp_path / "gpt2", {**config, "n_positions": 1024})).context_length_tokens == 1024


def test_text_part_of_a_model_for_images_too(tmp_path: Path) -> None:
    config = {"architectures": ["SomeVLM"], "text_config": {**CONFIG, "architectures": None}, "vision_config": {}}
    record = decide(write_model(tmp_path / "m", config))
    assert (record.architecture, record.context_length_tokens) == ("SomeVLM", 512)


@pytest.mark.parametrize(
    ("rope", "said"),
    [
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}}, "from 128 tokens"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "linear"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}, None),
        ({"rope_scaling": None}, None),
    ],
)
def test_stretched_context_is_a_known_risk(tmp_path: Path, rope: dict[str, object], said: str | None) -> None:
    risks = decide(write_model(tmp_path / "m", {**CONFIG, **rope})).known_risks[1:]
    assert (said in risks[0]) if said else not risks


def test_own_code_is_a_known_risk(tmp_path: Path) -> None:
    record = decide(write_model(tmp_path / "m", {**CONFIG, "auto_map": {"AutoModel": "modeling.Own"}}))
    assert codes(record) == [("base.remote_code", "warn")]


# --- template and vocabulary -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokenizer", "found"),
    [
        (Tokenizer(template_digest=None), ("base.template.missing", "block")),
        (Tokenizer(refuses=True), ("base.template.unusable", "block")),
        (Tokenizer(stable=False), ("base.template.unusable", "block")),
        (Tokenizer(ends=False), ("base.template.no_end", "warn")),
        (Tokenizer(takes_system=False), ("base.template.no_system", "note")),
        (Tokenizer(vocabulary_size=301), ("base.vocabulary.mismatch", "block")),
    ],
)
def test_template_and_vocabulary_faults(model: Path, tokenizer: Tokenizer, found: tuple[str, str]) -> None:
    record = decide(model, tokenizer=tokenizer)
    assert codes(record) == [found]
    assert (record.gate == "failed") is (found[1] == "block")
    assert record.findings[0].fix


def test_fewer_tokens_than_rows_is_padding_and_fine(model: Path) -> None:
    assert decide(model, tokenizer=Tokenizer(vocabulary_size=290)).findings == ()


# --- licence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "spdx", "commercial", "redistribution"),
    [
        ("apache-2.0", "Apache-2.0", True, True),
        ("Apache 2.0", "Apache-2.0", True, True),
        ("MIT", "MIT", True, True),
        ("bsd-3-clause", "BSD-3-Clause", True, True),
        ("cc-by-4.0", "CC-BY-4.0", True, True),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0", False, True),
        ("CC-BY-NC-ND-4.0", "CC-BY-NC-ND-4.0", False, False),
        ("PolyForm-Noncommercial-1.0.0", "PolyForm-Noncommercial-1.0.0", False, True),
        ("LGPL-2.1-only", "LGPL-2.1-only", True, True),
        ("llama3.1", "LicenseRef-llama3.1", True, True),
        ("gemma", "LicenseRef-gemma", True, True),
        ("openrail", "LicenseRef-openrail", True, True),
        ("MIT AND cc-by-nc-4.0", "MIT AND CC-BY-NC-4.0", False, True),
        ("MIT OR cc-by-nc-4.0", "MIT OR CC-BY-NC-4.0", True, True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", True, True),
        ("Zlib", "Zlib", None, None),
        ("LicenseRef-own AND MIT", "LicenseRef-own AND MIT", None, None),
        ("other", None, None, None),
        ("see the website", None, None, None),
        ("(MIT", None, None, None),
        ("MIT AND", None, None, None),
        (None, None, None, None),
    ],
)
def test_licence_as_spdx_with_its_terms(
    model: Path, stated: str | None, spdx: str | None, commercial: bool | None, redistribution: bool | None
) -> None:
    record = decide(model, licence=stated)
    licence = record.licence
    assert (licence.spdx, licence.commercial_use, licence.redistribution) == (spdx, commercial, redistribution)
    assert (licence.raw, licence.source) == (stated, "the card")
    assert (("base.licence.unknown", "warn") in codes(record)) is (commercial is None)
    assert record.gate == "passed"


def test_licence_that_forbids_the_stated_use_blocks(model: Path) -> None:
    commercial = BaseConfig(model="m", commercial=True)
    assert codes(decide(model, commercial, licence="cc-by-nc-4.0")) == [("base.licence.forbids_use", "block")]
    assert decide(model, commercial, licence="cc-by-nc-4.0").gate == "failed"
    assert decide(model, commercial, licence="mit").gate == "passed"
    assert decide(model, BaseConfig(model="m"), licence="cc-by-nc-4.0").gate == "passed"


def test_licence_in_the_config_counts_before_the_source(model: Path) -> None:
    record = decide(model, BaseConfig(model="m", licence="MIT", commercial=True), licence="cc-by-nc-4.0")
    assert (record.licence.spdx, record.gate) == ("MIT", "passed")
    assert "truetune.yaml" in record.licence.source


def test_conditions_of_open_weights_licences_are_said(model: Path) -> None:
    record = decide(model, licence="llama3.1")
    assert codes(record) == [("base.licence.conditions", "note")]
    assert any("700 million" in risk for risk in record.known_risks)


def test_damaged_weights_are_an_evidence_error(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert isinstance(refused(model), EvidenceError)
