"""Which entry of the do-not-train list a row falls under, if any."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath

from truetune.core.config import DoNotTrainEntry
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import normalise
from truetune.evidence.curated import CuratedRow
from truetune.project.do_not_train.entries import DoNotTrainList, compiled
from truetune.project.do_not_train.wording import Wordings

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a row: its ids (ours, the user's), its sources (file, the metadata's source), its turns' texts."""

    ids: Sequence[str]
    sources: Sequence[str]
    texts: Sequence[str]


def subject_of(row: CuratedRow) -> Subject:
    """A curated row as the list sees it; the system prompt, which rows share, is not looked at."""
    whole = row.row_id.partition(".")[0]
    return Subject(
        ids=[name for name in (row.row_id, whole, whole.removeprefix("replay-"), row.id) if name],
        sources=[row.file, *([row.source] if row.source else [])],
        texts=[message["content"] for message in row.messages if message["role"] != "system"],
    )


class DoNotTrain:
    """The list, ready to be asked row by row; every stage that asks gets the same answer."""

    def __init__(self, listed: DoNotTrainList) -> None:
        """Sort the entries by kind."""
        entries = listed.entries
        self.digest = listed.digest
        self._ids = {entry.id: entry for entry in reversed(entries) if entry.id is not None}
        self._sources = [(entry.source, entry) for entry in entries if entry.source is not None]
        self._regexes = [(compiled(entry.regex), entry) for entry in entries if entry.regex is not None]
        self._hashes = {entry.sha256.removeprefix("sha256:"): entry for entry in reversed(entries) if entry.sha256 is not None}
        self._texts = [entry for entry in entries if entry.text is not None]
        self._wordings = Wordings([entry.text for entry in self._texts if entry.text is not None])

    def entry_for(self, subject: Subject) -> DoNotTrainEntry | None:
        """The entry that forbids the row; None where none does. By id first, then source, expression, hash, near text."""
        return (
            next((self._ids[name] for name in subject.ids if name in self._ids), None)
            or next((entry for source, entry in self._sources if _is_from(source, subject.sources)), None)
            or next((entry for regex, entry in self._regexes if any(map(regex.search, subject.texts))), None)
            or self._hashed(subject.texts)
            or self._near(subject.texts)
        )

    def _hashed(self, texts: Sequence[str]) -> DoNotTrainEntry | None:
        if not self._hashes:
            return None
        wholes = (*texts, "\n".join(texts))
        return next((self._hashes[digest] for text in wholes if (digest := text_sha256(text)) in self._hashes), None)

    def _near(self, texts: Sequence[str]) -> DoNotTrainEntry | None:
        if not self._texts:
            return None
        number = self._wordings.first_in(texts)
        return None if number is None else self._texts[number]


def text_sha256(text: str) -> str:
    """The hex SHA-256 of a text as the list wants it: NFC, case folded, runs of white space one space, UTF-8."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()


def described(entry: DoNotTrainEntry) -> str:
    """The entry in words, its text masked and shortened, with the reason that the list gives."""
    reason = f" ({entry.reason})" if entry.reason else ""
    if entry.text is not None:
        return f"a near copy of the listed text {excerpt(entry.text, _SHOWN_CHARACTERS)!r}{reason}"
    kinds = {"id": entry.id, "source": entry.source, "expression": entry.regex, "sha256": entry.sha256}
    return next(f"the {kind} {value!r}{reason}" for kind, value in kinds.items() if value is not None)


def _is_from(listed: str, sources: Sequence[str]) -> bool:
    return any(fnmatchcase(name, listed) for source in sources for name in (source, PurePath(source).name))
