"""Put every question to every candidate: each set of weights is loaded once, and not at all where all answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from truetune.core.ports import CandidateRef, ChoiceItem, Clock, Decoding, Generation, LanguageModel, ModelHost
from truetune.stages.evaluate.generation_cache import GenerationCache

CHOICES_AT_ONCE = 64
"""Log-likelihoods come back with the whole call, so this many questions are lost to a kill at most."""


@dataclass(frozen=True)
class GenerationJob:
    """Prompts for one candidate on one suite."""

    candidate: str
    suite: str
    prompts: tuple[tuple[int, ...], ...]
    decoding: Decoding


@dataclass(frozen=True)
class ChoiceJob:
    """Multiple-choice questions for one candidate."""

    candidate: str
    suite: str
    items: tuple[ChoiceItem, ...]


@dataclass(frozen=True)
class Answers:
    """What one set of weights answered, by (candidate, suite), and how long each candidate took in this process."""

    generations: dict[tuple[str, str], list[Generation]]
    choices: dict[tuple[str, str], list[tuple[float, ...]]]
    seconds: dict[str, float]


class Asker:
    """Asks one set of weights, keeping each answer as it comes."""

    def __init__(
        self, host: ModelHost, ref: CandidateRef, cache: GenerationCache, clock: Clock, tick: Callable[[], None]
    ) -> None:
        """`tick` is called once for each answer, kept or new."""
        self._host = host
        self._ref = ref
        self._cache = cache
        self._clock = clock
        self._tick = tick
        self._stack = ExitStack()
        self._model: LanguageModel | None = None

    def ask(self, jobs: Sequence[GenerationJob | ChoiceJob]) -> Answers:
        """All answers, from the cache where they are kept."""
        answers = Answers({}, {}, {})
        with self._stack:
            for job in jobs:
                begun = self._clock.monotonic_s()
                if isinstance(job, GenerationJob):
                    answers.generations[job.candidate, job.suite] = self._generate(job)
                else:
                    answers.choices[job.candidate, job.suite] = self._choose(job)
                spent = self._clock.monotonic_s() - begun
                answers.seconds[job.candidate] = answers.seconds.get(job.candidate, 0.0) + spent
        return answers

    def _loaded(self) -> LanguageModel:
        if self._model is None:
            self._model = self._stack.enter_context(self._host.open(self._ref))
        return self._model

    def _generate(self, job: GenerationJob) -> list[Generation]:
        known = {prompt: self._cache.generation(prompt, job.decoding) for prompt in job.prompts}
        missing = [prompt for prompt, generation in known.items() if generation is None]
        for _ in range(len(job.prompts) - len(missing)):
            self._tick()

        def keep(index: int, generation: Generation) -> None:
            self._cache.keep_generation(missing[index], job.decoding, generation)
            self._tick()

        if missing:
            known.update(zip(missing, self._loaded().generate(missing, job.decoding, keep), strict=True))
        return [generation for prompt in job.prompts if (generation := known[prompt]) is not None]

    def _choose(self, job: ChoiceJob) -> list[tuple[float, ...]]:
        known = [self._cache.log_likelihoods(item) for item in job.items]
        missing = [index for index, values in enumerate(known) if values is None]
        for _ in range(len(job.items) - len(missing)):
            self._tick()
        for start in range(0, len(missing), CHOICES_AT_ONCE):
            block = missing[start : start + CHOICES_AT_ONCE]
            asked = [job.items[index] for index in block]
            values = self._loaded().choice_log_likelihoods(asked, lambda _: self._tick())
            for index, item, answer in zip(block, asked, values, strict=True):
                self._cache.keep_log_likelihoods(item, answer)
                known[index] = answer
        return [values for values in known if values is not None]
