"""One evaluation while it runs: what has been answered and measured so far, and the person who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from truetune.core.ports import ChatTokenizer, Clock, ModelHost, Progress
from truetune.core.records import CandidateInfo, DriftResult, TaskProfile
from truetune.evidence.digests import json_digest
from truetune.stages.evaluate import drift
from truetune.stages.evaluate.asking import Answers, Asker, GenerationJob
from truetune.stages.evaluate.candidates import CandidateKind, Weights
from truetune.stages.evaluate.generation_cache import GenerationCache
from truetune.stages.evaluate.marking import mark_choice, mark_output
from truetune.stages.evaluate.outputs import Choice, Output
from truetune.stages.evaluate.questions import OFF_TASK, Questions


class Session:
    """Asks candidates one after the other and keeps all that they answered."""

    def __init__(
        self,
        task: TaskProfile,
        questions: Questions,
        cache_dir: Path,
        host: ModelHost,
        tokenizer: ChatTokenizer,
        progress: Progress,
        clock: Clock,
    ) -> None:
        """Nothing is loaded before the first question that has no kept answer."""
        self.outputs: list[Output] = []
        self.choices: list[Choice] = []
        self.drifts: list[DriftResult] = []
        self._task = task
        self._questions = questions
        self._cache_dir = cache_dir
        self._host = host
        self._tokenizer = tokenizer
        self._progress = progress
        self._clock = clock
        self._digests: dict[CandidateKind, str] = {}
        self._seconds: dict[str, float] = {}
        self._done = 0
        self._total = 0

    def expect(self, names: list[CandidateKind]) -> None:
        """Say which candidates will be asked, so that progress has an end to run to."""
        jobs = [job for name in names for job in self._questions.jobs(name)]
        self._total = sum(len(job.prompts) if isinstance(job, GenerationJob) else len(job.items) for job in jobs)

    def ask(self, weights: Weights, names: list[CandidateKind]) -> None:
        """All questions of the candidates that share these weights, which are loaded at most once."""
        for name in names:
            self._digests[name] = self._identity(name, weights)
        cache = GenerationCache(self._cache_dir, weights.digest, self._tokenizer.template_digest)
        asker = Asker(self._host, weights.ref, cache, self._clock, self._ticker(names))
        self._take_in(asker.ask([job for name in names for job in self._questions.jobs(name)]))

    def compare_merged(self, adapter: Weights, merged: Weights, context_tokens: int) -> None:
        """Feed adapter and merged model the same test prompts and answers."""
        sequences = self._task_sequences(drift.MERGE_PROBES, context_tokens)
        if sequences:
            with self.timed("merged_model", "comparing adapter and merged model, logit by logit"):
                self.drifts.append(drift.merge_drift(self._host, adapter.ref, merged.ref, sequences, self._greedy_flips()))

    def warn_of_drift(self, base: Weights, adapter: Weights, context_tokens: int) -> None:
        """Feed base and adapter the same texts, on the task and away from it."""
        on = {
            "task prompts and their answers": self._task_sequences(drift.WARNING_PROBES, context_tokens),
            "off-task prompts and the base's outputs": self._off_task_sequences(drift.WARNING_PROBES, context_tokens),
        }
        for what, sequences in on.items():
            if sequences:
                with self.timed("tuned_adapter", "measuring how far training moved the model"):
                    self.drifts.append(drift.warning_drift(self._host, base.ref, adapter.ref, sequences, what))

    def candidates(self) -> tuple[CandidateInfo, ...]:
        """Who was asked, with what identifies each and the seconds it took in this process."""
        return tuple(
            CandidateInfo(
                name=name,
                kind=name,
                digest=digest,
                few_shot_rows=self._shown_rows() if name == "few_shot_base" else (),
                seconds=round(self._seconds.get(name, 0.0), 3),
            )
            for name, digest in self._digests.items()
        )

    @contextmanager
    def timed(self, candidate: str, note: str) -> Iterator[None]:
        """Count the time spent inside to a candidate, and say what is going on."""
        self._progress.update(self._done, self._total, note)
        begun = self._clock.monotonic_s()
        yield
        self._seconds[candidate] = self._seconds.get(candidate, 0.0) + self._clock.monotonic_s() - begun

    # --- shared ----------------------------------------------------------------------------------------------------

    def _ticker(self, names: list[CandidateKind]) -> Callable[[], None]:
        note = " and ".join(name.replace("_", " ") for name in names)

        def tick() -> None:
            self._done += 1
            self._progress.update(self._done, self._total, note)

        return tick

    def _identity(self, name: str, weights: Weights) -> str:
        return json_digest([weights.digest, list(self._shown_rows())]) if name == "few_shot_base" else weights.digest

    def _shown_rows(self) -> tuple[str, ...]:
        selection = self._questions.selection
        return tuple(row.row_id for row in selection.rows) if selection else ()

    def _take_in(self, answers: Answers) -> None:
        for candidate, seconds in answers.seconds.items():
            self._seconds[candidate] = self._seconds.get(candidate, 0.0) + seconds
        for (candidate, suite), generations in answers.generations.items():
            prompts = (self._questions.shown if candidate == "few_shot_base" else self._questions.prompts)[suite]
            items = self._questions.items[suite]
            for item, prompt, generation in zip(items, prompts, generations, strict=True):
                self.outputs.append(mark_output(self._task, (candidate, suite), item, prompt, generation))
        for (candidate, suite), values in answers.choices.items():
            for question, likelihoods in zip(self._questions.knowledge, values, strict=True):
                self.choices.append(mark_choice(candidate, suite, question, likelihoods))

    def _greedy_flips(self) -> int | None:
        """Test items that adapter and merged model answer differently; None where answers are drawn by luck."""
        if self._questions.on_task.temperature > 0:
            return None
        sides = [{o.item_id: o.output for o in self.outputs if (o.candidate, o.suite) == (name, "test")} for name in _MERGE_SIDES]
        return sum(sides[0][item] != sides[1][item] for item in sides[0].keys() & sides[1].keys())

    def _task_sequences(self, count: int, context_tokens: int) -> list[drift.Teaching]:
        items = list(zip(self._questions.items.get("test", ()), self._questions.prompts.get("test", ()), strict=True))
        chosen = drift.pick(items, count, self._questions.on_task.seed)
        prompts, answers = [prompt for _, prompt in chosen], [item.expected for item, _ in chosen]
        return drift.teach(self._tokenizer, prompts, answers, context_tokens, end=self._tokenizer.eos_token_ids[:1])

    def _off_task_sequences(self, count: int, context_tokens: int) -> list[drift.Teaching]:
        said = {o.item_id: o.output for o in self.outputs if (o.candidate, o.suite) == ("base_model", OFF_TASK)}
        items = list(zip(self._questions.items[OFF_TASK], self._questions.prompts[OFF_TASK], strict=True))
        chosen = drift.pick(items, count, self._questions.off_task.seed)
        answers = [said[item.item_id] for item, _ in chosen]
        return drift.teach(self._tokenizer, [prompt for _, prompt in chosen], answers, context_tokens)


_MERGE_SIDES = ("tuned_adapter", "merged_model")
