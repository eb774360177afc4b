"""Things of one kind, one of two, opposites in every degree: what answers contradict each other by, and what they do not."""

from __future__ import annotations

import pytest
from tests.unit.stages.data.substance.kinds_for_tests import kinds

from truetune.stages.data.substance.contraries import are_opposites
from truetune.stages.data.substance.kinds import are_related, is_kind_of, is_noun, nouns_between
from truetune.stages.data.substance.words import stem


@pytest.mark.parametrize(
    ("kind", "question", "first", "second"),
    [
        ("name", "Which wood is it?", "It is oak.", "The table is made of beech."),
        ("name", "Which instrument does she play?", "The cello.", "She plays the oboe in a trio."),
        ("name", "In which room do they meet?", "They meet in the library.", "In the chapel."),
        ("name", "What does the lever move?", "It moves the rudder.", "It moves the brake."),
        ("name", "Which nut is in it?", "It contains almonds.", "It contains hazelnuts."),
        ("name", "Which team is on call?", "The platform team is on call.", "The security team."),
        ("name", "Who phoned whom?", "Selma phoned Jorge.", "Selma phoned Anton."),
        ("opposite", "How does it feel?", "The rope feels stiff.", "The rope feels supple."),
        ("opposite", "What does the knob do?", "It dims the light.", "It brightens the light."),
        ("opposite", "What happened to the fee?", "It became cheaper.", "It became more expensive."),
        ("opposite", "What happened to the queue?", "The queue shortened.", "The queue got longer."),
        ("opposite", "Is it opt-in?", "The list is opt-in.", "The list is opt-out."),
        ("opposite", "Who may enter?", "Only members may enter.", "Anyone may enter."),
        ("order", "Which is heavier, the anvil or the vice?", "The anvil.", "The anvil is lighter than the vice."),
        ("order", "Which goes on first, the primer or the paint?", "The primer.", "The primer goes on after the paint."),
        ("order", "Who drove whom?", "Nils took Wanda home.", "Wanda drove Nils."),
        ("order", "Who audits whom?", "It is the board that audits the bank.", "The bank audits the board."),
        ("order", "Which wire is whose?", "Pump one is red and pump two blue.", "Pump two is red and pump one blue."),
        ("negation", "Where do I leave it?", "Leave it with the person at the desk.", "Do not leave it at the desk."),
        ("yes/no", "Do all rooms have a bath?", "Yes, all of them.", "Only the suites have one."),
        ("yes/no", "Is A-hall older than the mill?", "Yes, much older.", "The mill is older than A-hall."),
    ],
)
def test_different(kind: str, question: str, first: str, second: str) -> None:
    assert kind in kinds(question, first, second)
    assert kinds(question, second, first)


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("Which part is loose?", "The seat is loose.", "The saddle is loose."),
        ("What is it made of?", "It is made of wood.", "It is made of oak."),
        ("Which tool do I need?", "You need a spanner.", "You need a wrench."),
        ("What kind of knot is it?", "It is loose enough to undo by hand.", "Loose: your fingers can undo it."),
        ("Which drink is included?", "A soft drink is included.", "A lemonade is included."),
        ("Who may use the lift?", "Guests may use the lift.", "Visitors may use the lift."),
        ("What happened to the fee?", "It became cheaper.", "It became less expensive."),
        ("Which is heavier, the anvil or the vice?", "The anvil.", "The vice is lighter than the anvil."),
        ("Which of the two lamps is wider?", "The right lamp is narrower than the left one.", "The left one is the wider lamp."),
        ("Which team won, the blue or the red one?", "The blue team won.", "The red team lost."),
        ("Which comes first, the oath or the speech?", "The oath comes first.", "The speech comes last."),
        ("What colour is the flag?", "The flag is red and white.", "White and red."),
        ("Who drove whom?", "Nils drove Wanda.", "Wanda was driven by Nils."),
        ("Who plays left and who plays right?", "Ann plays left, Bo plays right.", "Bo plays right and Ann plays left."),
        ("What is the tile like?", "It is rough, so that nobody slips.", "It has a rough surface against slipping."),
    ],
)
def test_the_same(question: str, first: str, second: str) -> None:
    assert not kinds(question, first, second)
    assert not kinds(question, second, first)


def test_the_tree_of_kinds_tells_another_name_from_another_thing() -> None:
    assert is_kind_of("oaks", "wood")
    assert not is_kind_of("wood", "oak")
    assert are_related("lorry", "truck")
    assert are_related("sparrow", "bird")
    assert are_related("puppy", "dog")
    assert not are_related("oak", "beech")
    assert nouns_between("oak", "beech") < nouns_between("oak", "copper")
    assert not is_noun("because")


def test_opposites_in_every_degree() -> None:
    assert are_opposites(stem("cheaper"), stem("expensive"))
    assert are_opposites(stem("brightens"), stem("dimmed"))
    assert are_opposites(stem("shortened"), stem("longest"))
    assert not are_opposites(stem("cheaper"), stem("cheapest"))
    assert not are_opposites(stem("after"), stem("for"))
