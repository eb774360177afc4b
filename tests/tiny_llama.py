"""A random two-layer llama with a tokenizer of its own, for tests of what drives a model rather than of a model."""

from __future__ import annotations

import random
from pathlib import Path

from truetune.core.ports import TrainingExample

SYSTEM = "Sort the message. Answer with exactly one of: billing, delivery, returns, account."
LABELS = ("billing", "delivery", "returns", "account")
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_model(folder: Path, seed: int = 0) -> Path:
    """Weights, config, tokenizer and chat template, as transformers saves them."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    corpus = [SYSTEM, *LABELS, "system", "user", "assistant"] * 3
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = _TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def examples(n: int, *, shared: int = 40, seed: int = 0, vocabulary: int = 300) -> list[TrainingExample]:
    """Rows of random tokens with a common beginning; each answer is one of four, told by the token before it."""
    chooser = random.Random(seed)
    prefix = [chooser.randrange(3, vocabulary) for _ in range(shared)]
    answers = [[10 + 7 * k, 50 + 3 * k, 2] for k in range(4)]
    rows = []
    for at in range(n):
        kind = at % 4
        question = [chooser.randrange(3, vocabulary) for _ in range(chooser.randrange(3, 12))] + [200 + kind]
        ids = (*prefix, *question, *answers[kind])
        trained = (False,) * (len(prefix) + len(question)) + (True,) * len(answers[kind])
        rows.append(TrainingExample(f"row-{at:03d}", ids, trained))
    return rows
