"""Small but valid model folders, and a tokenizer that behaves as a test says."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from truetune.core.config import BaseConfig
from truetune.core.errors import DataError
from truetune.core.ports import Encoding, LocalModel, Message
from truetune.core.records import BaseRecord
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.base import stage

BYTES = {"F32": 4, "BF16": 2, "U8": 1, "I32": 4}
CONFIG: dict[str, object] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 300,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
TENSORS: dict[str, tuple[str, list[int]]] = {
    "model.embed_tokens.weight": ("F32", [300, 8]),
    **{
        f"model.layers.{n}.{module}.weight": ("F32", shape)
        for n in range(2)
        for module, shape in {
            "self_attn.q_proj": [8, 8],
            "self_attn.k_proj": [4, 8],
            "mlp.down_proj": [8, 16],
            "input_layernorm": [8],
        }.items()
    },
}
PARAMETERS = 300 * 8 + 2 * (64 + 32 + 128 + 8)


def safetensors(tensors: Mapping[str, tuple[str, list[int]]]) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, (dtype, shape) in tensors.items():
        size = BYTES[dtype]
        for n in shape:
            size *= n
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [position, position + size]}
        position += size
    return packed(header, position)


def packed(header: object, data_bytes: int) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"\x00" * data_bytes


def write_model(
    folder: Path, config: Mapping[str, object] = CONFIG, tensors: Mapping[str, tuple[str, list[int]]] = TENSORS
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
    return folder


@dataclass
class Tokenizer:
    """One token a character, ChatML-like; the faults are switches."""

    template_digest: str | None = "sha256:" + "a" * 64
    vocabulary_size: int = 300
    ends: bool = True
    takes_system: bool = True
    refuses: bool = False
    stable: bool = True
    eos_token_ids: tuple[int, ...] = (ord("$"),)

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        if self.refuses:
            raise DataError("data.template", "roles must alternate")
        shown = [m for m in messages if self.takes_system or m["role"] != "system"]
        text = "".join(f"<{m['role']}>{m['content']}{'$' if self.ends else ''}\n" for m in shown)
        opening = "<assistant>" if self.stable else "<think>"
        return text + (opening if add_generation_prompt else "")

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        return [Encoding(tuple(map(ord, t)), tuple((i, i + 1) for i in range(len(t)))) for t in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


@dataclass
class Progress:
    heard: list[tuple[float, float]] = field(default_factory=list)

    def update(self, done: float, total: float, note: str = "") -> None:
        self.heard.append((done, total))


class Clock:
    def now_iso(self) -> str:
        return "2026-11-22T03:15:02+00:00"

    def monotonic_s(self) -> float:
        return 0.0


def decide(
    folder: Path,
    config: BaseConfig | None = None,
    tokenizer: Tokenizer | None = None,
    licence: str | None = "Apache-2.0",
    progress: Progress | None = None,
) -> BaseRecord:
    local = LocalModel(folder, "some/model", "abc123", licence, "the card", risks=("dequantised from 4 bit",))
    evidence = RunFolder(folder.parent / "run", ObjectStore(folder.parent / "objects"), Clock())
    request = stage.Request(config or BaseConfig(model="some/model"), local)
    return stage.run(request, stage.Ports(tokenizer or Tokenizer(), progress or Progress()), evidence)
