"""Which backend stands behind which port. The only module that imports backends, and each only when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from truetune.core.config import DataConfig, Engine
from truetune.core.ports import ChatTokenizer, Clock, MachineProbe, NameFinder, Progress, Readers, RowEngine

if TYPE_CHECKING:
    # The loop brings every stage with it, and the check of a file needs one of them.
    from truetune.loop import Tools


def cache_dir() -> Path:
    """Where models are kept between projects: `$TRUETUNE_CACHE`, else `$XDG_CACHE_HOME/truetune`, else `~/.cache/truetune`."""
    if named := os.environ.get("TRUETUNE_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "truetune"


def clock() -> Clock:
    """The system's clock."""
    from truetune.backends.machine import SystemClock

    return SystemClock()


def probe() -> MachineProbe:
    """This machine."""
    from truetune.backends.machine import SystemProbe

    return SystemProbe()


def chat_tokenizer(model: str, revision: str | None, progress: Progress) -> ChatTokenizer:
    """The tokenizer of a model, without the libraries that train and generate.

    Raises:
        UsageError: the model names nothing that can be had.
        EnvironmentFault: it cannot be had now.
    """
    if model.startswith("fake:"):
        from truetune.backends import fake

        return fake.FakeTokenizer(fake.FakeModelSource(cache_dir()).fetch(model, revision, progress).directory)
    from truetune.backends.model_sources import ModelSources
    from truetune.backends.tokenizer import HfTokenizer

    return HfTokenizer(ModelSources(cache_dir()).fetch(model, revision, progress).directory)


def local_tokenizer(model: str, revision: str | None, progress: Progress) -> ChatTokenizer | None:
    """The tokenizer of a model that is on this machine already; None where it would have to be downloaded.

    Raises:
        EvidenceError: the files there are no tokenizer.
    """
    if model.startswith("fake:"):
        return chat_tokenizer(model, revision, progress)
    from truetune.backends.model_sources import ModelSources
    from truetune.backends.tokenizer import HfTokenizer

    directory = ModelSources(cache_dir()).here(model, revision)
    return HfTokenizer(directory) if directory else None


def row_engine(name: Engine) -> RowEngine:
    """Who does the per-row work of the data gate."""
    if name == "ray":
        from truetune.backends.ray import RayRows

        return RayRows()
    from truetune.stages.data.rows.one_pass import IN_PROCESS

    return IN_PROCESS


def name_finder(is_wanted: bool) -> NameFinder | None:
    """Who finds names of people; None where nobody asked for it."""
    from truetune.backends.spacy_names import SpacyNames

    return SpacyNames() if is_wanted else None


def readers(config: DataConfig) -> Readers:
    """The models that the config asks for."""
    from truetune.backends.sentence_encoder import SentenceEncoder

    meanings = SentenceEncoder(config.sentence_model) if config.sentence_model is not None else None
    return Readers(name_finder(config.pii_names), meanings)


def tools(model: str) -> Tools:
    """The tools for a model source; `fake:NAME` gets the deterministic ones that the tests use."""
    return _fake_tools() if model.startswith("fake:") else _real_tools()


def _real_tools() -> Tools:
    from truetune.backends.model_sources import ModelSources
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost
    from truetune.backends.trl import TrlTrainer
    from truetune.loop import Tools

    cache = cache_dir()
    return Tools(
        clock(),
        probe(),
        ModelSources(cache),
        HfTokenizer,
        TrlTrainer(),
        TransformersHost(HfTokenizer),
        cache,
        row_engine,
        readers,
    )


def _fake_tools() -> Tools:
    from truetune.backends import fake
    from truetune.loop import Tools

    cache = cache_dir()
    return Tools(
        clock(),
        fake.FakeProbe(),
        fake.FakeModelSource(cache),
        fake.FakeTokenizer,
        fake.FakeTrainer(),
        fake.FakeHost(),
        cache,
        row_engine,
        readers,
    )
