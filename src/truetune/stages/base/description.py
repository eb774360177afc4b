"""What the model is: parameters, shape, context, from config.json and the weights' headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from truetune.core.errors import UsageError
from truetune.core.records import ModelShape
from truetune.stages.base.checkpoint import Checkpoint
from truetune.stages.base.safetensors_header import BITS, Tensor

Config = Mapping[str, object]

_EMBEDDINGS = ("embed_tokens", "wte", "word_embeddings", "tok_embeddings", "embed_in")
"""What the architectures in transformers call the input embedding."""
_HEADS = ("lm_head", "embed_out", "output")
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length", "n_ctx")
_PLAIN_ROPE = {"default", None}


@dataclass(frozen=True)
class Description:
    """`embedding_rows` is how many token ids the model has a vector for."""

    parameters: int
    embedding_rows: int
    context_length_tokens: int
    architecture: str
    shape: ModelShape
    risks: tuple[str, ...]


def read_config(folder: Path) -> Config:
    """config.json; of a model for text and images, the part about text, with the whole's own keys where it has none.

    Raises:
        UsageError: `base.not_a_model`, there is none, or it is not a JSON object.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _not_a_model(path, "there is no config.json") from error
    except (ValueError, RecursionError) as error:
        raise _not_a_model(path, f"config.json is not JSON: {str(error).splitlines()[0]}") from error
    if not isinstance(config, dict):
        raise _not_a_model(path, "config.json is not a JSON object")
    inner = config.get("text_config")
    return {**config, **inner, "architectures": config.get("architectures")} if isinstance(inner, dict) else config


def _not_a_model(path: Path, why: str) -> UsageError:
    return UsageError(
        "base.not_a_model",
        f"{path.parent} is not a model that transformers can load",
        why=why,
        fix="name a folder or hub id with config.json, tokenizer files and safetensors weights",
        where=str(path),
    )


def describe(config: Config, checkpoint: Checkpoint) -> Description:
    """The facts that planning and gating need.

    Raises:
        UsageError: `base.context_unknown`, the config does not say how long a text may be.
    """
    names = config.get("architectures")
    return Description(
        parameters=count_parameters(config, checkpoint),
        embedding_rows=_embedding_rows(config, checkpoint),
        context_length_tokens=_context_length(config),
        architecture=str(names[0]) if isinstance(names, list) and names else str(config.get("model_type", "unknown")),
        shape=_shape(config, checkpoint),
        risks=_rope_risk(config),
    )


def count_parameters(config: Config, checkpoint: Checkpoint) -> int:
    """Parameters in the files, tied weights counted once, packed weights unpacked."""
    total = sum(_elements(name, tensor, config) for name, tensor in checkpoint.tensors.items())
    head = _named(checkpoint, _HEADS)
    embedding = _named(checkpoint, _EMBEDDINGS)
    if config.get("tie_word_embeddings") and head and embedding and head.shape == embedding.shape:
        total -= head.elements
    return total


def _elements(name: str, tensor: Tensor, config: Config) -> int:
    if tensor.is_float:
        return tensor.elements
    bits = quantised_bits(config)
    if bits and name.endswith((".weight", ".qweight")):
        return tensor.elements * BITS.get(tensor.dtype, 8) // bits
    return 0


def quantised_bits(config: Config) -> int | None:
    """Bits a weight, where the config says that the weights are quantised."""
    quantisation = config.get("quantization_config")
    if not isinstance(quantisation, dict):
        return None
    if isinstance(quantisation.get("bits"), int):
        return int(quantisation["bits"])
    return 4 if quantisation.get("load_in_4bit") else 8


def _named(checkpoint: Checkpoint, modules: tuple[str, ...]) -> Tensor | None:
    for name, tensor in checkpoint.tensors.items():
        parts = name.split(".")
        if len(parts) >= 2 and parts[-1] == "weight" and parts[-2] in modules and len(tensor.shape) == 2:
            return tensor
    return None


def _embedding_rows(config: Config, checkpoint: Checkpoint) -> int:
    embedding = _named(checkpoint, _EMBEDDINGS)
    return embedding.shape[0] if embedding else _integer(config, "vocab_size")


def _integer(config: Config, *keys: str) -> int:
    """The first of the keys that holds a positive whole number, else 0."""
    found = (config.get(key) for key in keys)
    return next((v for v in found if isinstance(v, int) and not isinstance(v, bool) and v > 0), 0)


def _context_length(config: Config) -> int:
    length = _integer(config, *_CONTEXT_KEYS)
    if length == 0:
        raise UsageError(
            "base.context_unknown",
            "the model's config.json does not say how many tokens a text may have",
            why=f"it has none of {', '.join(_CONTEXT_KEYS)}",
            fix='add "max_position_embeddings" with the length from the model\'s card to a local copy of its config.json',
        )
    return length


def _rope_risk(config: Config) -> tuple[str, ...]:
    """A context stretched by rope scaling works less well near its end than the number says."""
    for key in ("rope_scaling", "rope_parameters"):
        rope = config.get(key)
        if not isinstance(rope, dict):
            continue
        kind = rope.get("rope_type", rope.get("type"))
        if kind not in _PLAIN_ROPE:
            original = rope.get("original_max_position_embeddings")
            before = f" from {original} tokens" if isinstance(original, int) else ""
            return (f"the context is stretched{before} by rope scaling ({kind}): quality near its end is lower",)
    return ()


def _shape(config: Config, checkpoint: Checkpoint) -> ModelShape:
    heads = _integer(config, "num_attention_heads", "n_head") or 1
    hidden = _integer(config, "hidden_size", "n_embd", "d_model")
    return ModelShape(
        layers=_integer(config, "num_hidden_layers", "n_layer", "num_layers"),
        hidden_size=hidden,
        intermediate_size=_integer(config, "intermediate_size", "n_inner", "ffn_dim") or 4 * hidden,
        key_value_frac=(_integer(config, "num_key_value_heads") or heads) / heads,
        linear_in_plus_out=_linear_layers(checkpoint),
    )


def _linear_layers(checkpoint: Checkpoint) -> dict[str, int]:
    """Inputs + outputs of each kind of linear layer, over all blocks; embeddings and head are not among LoRA's targets."""
    sums: dict[str, int] = {}
    for name, tensor in checkpoint.tensors.items():
        parts = name.split(".")
        if len(parts) < 2 or parts[-1] != "weight" or len(tensor.shape) != 2 or parts[-2] in {*_EMBEDDINGS, *_HEADS, "wpe"}:
            continue
        sums[parts[-2]] = sums.get(parts[-2], 0) + sum(tensor.shape)
    return dict(sorted(sums.items()))
