"""Log-likelihoods of a question's options; the question is computed once."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.backends.transformers_host.forward import Forward, Prefix, Row, State
from truetune.backends.transformers_host.loading import torch_module
from truetune.core.ports import ChoiceItem


def score_choices(forward: Forward, prefix: Prefix, items: Sequence[ChoiceItem]) -> list[tuple[float, ...]]:
    """Summed log-probabilities of each item's options: the question's last logits give the first token, one pass the rest."""
    torch = torch_module()
    longest = max(len(o) for item in items for o in item.options)
    logits, state = forward.prefill(prefix, [tuple(item.question) for item in items], keep=1, room=longest)
    first = torch.log_softmax(logits[:, -1].float(), dim=-1)
    options = [(i, tuple(option)) for i, item in enumerate(items) for option in item.options]
    scores = [float(first[i, option[0]]) for i, option in options]
    longer = [k for k, (_, option) in enumerate(options) if len(option) > 1]
    if longer:
        state.select(torch.tensor([options[k][0] for k in longer], device=forward.device))
        for k, rest in zip(longer, _rest_scores(forward, state, [options[k][1] for k in longer]), strict=True):
            scores[k] += rest
    ends = _cumulative([len(item.options) for item in items])
    return [tuple(scores[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def _rest_scores(forward: Forward, state: State, options: Sequence[Row]) -> list[float]:
    """For each option, the summed log-probability of its tokens after the first; padding is on the right, unseen by them."""
    torch = torch_module()
    width = max(len(o) for o in options) - 1
    ids = torch.tensor([o[:-1] + (0,) * (width - len(o) + 1) for o in options], device=forward.device)
    logits = torch.log_softmax(forward.feed(state, ids).float(), dim=-1)
    return [float(logits[row, torch.arange(len(o) - 1), torch.tensor(o[1:])].double().sum()) for row, o in enumerate(options)]


def _cumulative(counts: Sequence[int]) -> list[int]:
    ends, total = [], 0
    for count in counts:
        total += count
        ends.append(total)
    return ends
