"""Digests of the model's files.

Hashing is not cached: 538 MB take 0.35 s (measured, SHA extensions, file in the page cache), and a digest that is remembered
instead of computed would not notice a file changed in place.
"""

from __future__ import annotations

from pathlib import Path

from truetune.core.ports import Progress
from truetune.core.records import Artifact, Tree
from truetune.evidence.digests import file_digest, tree_digest

_TOKENIZER_NAMES = {
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "spiece.model", "chat_template.jinja", "chat_template.json",
}  # fmt: skip
"""What transformers' tokenizers load."""


def hash_folder(folder: Path, progress: Progress) -> Tree:
    """The same tree as `digests.tree_of`, telling how far it is: large models take minutes."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    total = sum(p.stat().st_size for p in paths)
    files, done = [], 0
    for path in paths:
        name = path.relative_to(folder).as_posix()
        progress.update(done, total, f"hashing {name}")
        size_bytes = path.stat().st_size
        files.append(Artifact(path=name, digest=file_digest(path), size_bytes=size_bytes))
        done += size_bytes
    progress.update(total, total, "hashed")
    return Tree(digest=tree_digest(files), files=tuple(files))


def tokenizer_files(weights: Tree) -> list[Artifact]:
    """The files that decide how text becomes token ids."""
    return [f for f in weights.files if f.path in _TOKENIZER_NAMES]
