"""The packaged items are what they claim to be, and questions become ids fairly."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

from truetune.backends.fake import FakeTokenizer
from truetune.evidence.curated import CuratedRow
from truetune.stages.evaluate.suites import KnowledgeItem, choice_item, knowledge_items, off_task_items, task_items


def test_general_knowledge_is_a_fair_battery() -> None:
    items = knowledge_items()
    assert len(items) >= 200
    assert len({item.id for item in items}) == len(items)
    assert len({item.question.casefold() for item in items}) == len(items)
    for item in items:
        assert len(set(item.options)) == len(item.options) == 4
        assert 0 <= item.answer < len(item.options)
    places = Counter(item.answer for item in items)
    assert max(places.values()) - min(places.values()) <= 0.1 * len(items)


def test_the_right_option_is_not_given_away_by_its_length() -> None:
    longest = [len(item.options[item.answer]) == max(map(len, item.options)) for item in knowledge_items()]
    assert sum(longest) / len(longest) < 0.5


def test_off_task_prompts_are_enough_and_distinct() -> None:
    items = off_task_items()
    assert len(items) >= 40
    assert len({item.item_id for item in items}) == len({item.prompt for item in items}) == len(items)
    assert sum(bool(item.expected) for item in items) >= 20


def test_items_are_inside_the_package() -> None:
    """So that a wheel, which takes the package folder, carries them."""
    folder = files("truetune.stages.evaluate").joinpath("items")
    assert {f.name for f in folder.iterdir()} >= {"general_knowledge.jsonl", "off_task.jsonl"}


def test_a_row_asks_everything_before_its_last_answer() -> None:
    messages = (
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d"},
    )
    (item,) = task_items([CuratedRow("r1", "f.jsonl", 3, "", messages, "c", "d")])
    assert item.messages == messages[:4]
    assert (item.expected, item.where, item.cluster) == ("d", "f.jsonl:3", "r1")


def test_options_continue_the_question_token_by_token() -> None:
    tokenizer = FakeTokenizer()
    for question in ("A young dog is called a", "A young dog is called an"):  # one of them splits a pair of letters
        item = KnowledgeItem(id="x", topic="t", question=question, options=("puppy.", "calf."), answer=0)
        choice = choice_item(tokenizer, item)
        assert tokenizer.decode(choice.question) == question
        assert [tokenizer.decode(option) for option in choice.options] == [" puppy.", " calf."]
