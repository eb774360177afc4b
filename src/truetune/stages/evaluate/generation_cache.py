"""Answers kept as they come, so that a killed evaluation goes on where it was.

A key names all that an answer depends on: the candidate's weights, the chat template, the exact prompt ids and the decoding.
Two candidates can never share an answer, because their digests differ. (A cache keyed by the prompt alone once made base and
adapter agree to the last bit.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from truetune.core.ports import ChoiceItem, Decoding, Generation
from truetune.evidence import atomic
from truetune.evidence.digests import canonical_json, json_digest

_CHECK_CHARACTERS = 16


class GenerationCache:
    """One candidate's answers in an append-only JSON-lines file below `folder`.

    A line that was cut by a kill, or does not match its own check sum, is not an answer: it is asked again.
    """

    def __init__(self, folder: Path, candidate_digest: str, template_digest: str | None) -> None:
        """Reads what is there; nothing is made on disk before the first answer."""
        self._identity: list[JsonValue] = [candidate_digest, template_digest]
        self.path = folder / f"{candidate_digest.removeprefix('sha256:')[:32]}.jsonl"
        self._bodies: dict[str, JsonValue] = dict(self._read())

    def generation(self, prompt: Sequence[int], decoding: Decoding) -> Generation | None:
        """The kept answer to exactly this prompt under exactly this decoding."""
        body = self._bodies.get(self._prompt_key(prompt, decoding))
        if not isinstance(body, list) or len(body) != 3:
            return None
        text, finished, new_tokens = body
        if isinstance(text, str) and isinstance(finished, bool) and isinstance(new_tokens, int):
            return Generation(text, finished, new_tokens)
        return None

    def keep_generation(self, prompt: Sequence[int], decoding: Decoding, generation: Generation) -> None:
        """Keep an answer.

        Raises:
            EnvironmentFault: the disk is full or read-only.
        """
        self._append(self._prompt_key(prompt, decoding), [generation.text, generation.finished, generation.new_tokens])

    def log_likelihoods(self, item: ChoiceItem) -> tuple[float, ...] | None:
        """The kept log-likelihoods of exactly these options after exactly this question."""
        body = self._bodies.get(self._choice_key(item))
        if not isinstance(body, list) or len(body) != len(item.options):
            return None
        values = tuple(float(value) for value in body if isinstance(value, int | float))
        return values if len(values) == len(body) else None

    def keep_log_likelihoods(self, item: ChoiceItem, values: Sequence[float]) -> None:
        """Keep an item's log-likelihoods.

        Raises:
            EnvironmentFault: the disk is full or read-only.
        """
        self._append(self._choice_key(item), list(values))

    def _prompt_key(self, prompt: Sequence[int], decoding: Decoding) -> str:
        how: list[JsonValue] = [decoding.max_new_tokens, decoding.temperature, decoding.seed]
        return json_digest(["generation", self._identity, list(prompt), how])

    def _choice_key(self, item: ChoiceItem) -> str:
        return json_digest(["choice", self._identity, list(item.question), [list(option) for option in item.options]])

    def _append(self, key: str, body: JsonValue) -> None:
        with atomic.writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                # A newline first: whatever a kill left before it becomes a line of its own, and is ignored.
                stream.write(b"\n" + canonical_json({"key": key, "body": body, "check": _check(key, body)}) + b"\n")
        self._bodies[key] = body

    def _read(self) -> dict[str, JsonValue]:
        if not self.path.exists():
            return {}
        whole = (_parse(line) for line in self.path.read_bytes().split(b"\n")[:-1])
        return dict(pair for pair in whole if pair is not None)


def _parse(line: bytes) -> tuple[str, JsonValue] | None:
    try:
        value = json.loads(line.decode("utf-8", "surrogatepass"))
        key, body, check = value["key"], value["body"], value["check"]
        return (key, body) if isinstance(key, str) and check == _check(key, body) else None
    except (ValueError, KeyError, TypeError):
        return None


def _check(key: str, body: JsonValue) -> str:
    return json_digest([key, body]).removeprefix("sha256:")[:_CHECK_CHARACTERS]
