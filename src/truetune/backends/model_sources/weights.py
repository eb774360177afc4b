"""Which files make a model folder, and the refusal of pickled weights."""

from __future__ import annotations

from pathlib import Path

from truetune.core.errors import UsageError

MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "README.md", "LICENSE*")
"""What loading, tokenising and the licence need; everything else in a folder or repository is left alone."""
PICKLE_FILES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def model_files(folder: Path) -> list[Path]:
    """The folder's own model files, sorted by name; nothing from folders below it."""
    return sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()})


def require_loadable(folder: Path, name: str) -> None:
    """Return if the folder holds a config and safetensors weights.

    Raises:
        UsageError: it does not; `base.pickle_weights` where its weights are pickles.
    """
    if not (folder / "config.json").is_file():
        raise UsageError(
            "base.no_config",
            f"{name} has no config.json",
            why="without it nobody can tell what kind of model the weights are",
            fix="name the folder that save_pretrained() wrote, with config.json and *.safetensors in it",
            where=str(folder),
        )
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(path.name for pattern in PICKLE_FILES for path in folder.glob(pattern))
    if pickles:
        raise pickle_weights(name, pickles[0], str(folder))
    raise UsageError(
        "base.no_weights",
        f"{name} has no weights",
        why="there is no *.safetensors file",
        fix="name a folder or a repository that holds the weights as safetensors",
        where=str(folder),
    )


def pickle_weights(name: str, file: str, where: str) -> UsageError:
    """The refusal of a model whose weights are pickles."""
    return UsageError(
        "base.pickle_weights",
        f"{name} has its weights as a pickle ({file})",
        why="a pickle runs code when it is read; truetune loads safetensors only",
        fix='where you trust the file: python -c "from transformers import AutoModelForCausalLM as M; '
        "M.from_pretrained('IN').save_pretrained('OUT')\"",
        where=where,
    )
