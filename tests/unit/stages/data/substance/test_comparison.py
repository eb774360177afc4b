"""Two answers to one question: what makes them say different things, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.substance.kinds_for_tests import kinds

from truetune.stages.data.substance import differences, says_the_same


@pytest.mark.parametrize(
    ("kind", "question", "first", "second"),
    [
        ("number", "What does it cost?", "It costs 20 euros a month.", "You pay €25 each month."),
        ("number", "How long does it take?", "It takes two weeks.", "It takes 20 days."),
        ("number", "How many rooms are there?", "There are 1,200 rooms.", "There are 1500 rooms."),
        ("number", "What is 12 times 3?", "10 times 3 is 30, plus 6. The answer is 36.", "The answer is 39."),
        ("date", "When is the deadline?", "The deadline is 3 May.", "By May 13th."),
        ("date", "When are you closed?", "We are closed on Mondays.", "Every Tuesday."),
        ("time", "When do you open?", "We open at 10 am.", "At 10:30."),
        ("time", "When does the pool open?", "At half past nine.", "8:30 in the morning."),
        ("time", "When is the roll call?", "At a quarter to eight in the morning.", "It is at 8:15."),
        ("time", "How long is the desk open?", "Until five in the afternoon.", "It closes at nine."),
        ("date", "When was it founded?", "1923, by three bakers.", "It goes back to 1932."),
        ("date", "Until when may I apply?", "You can apply until 30/09.", "Until 15 September."),
        ("number", "When is rent due?", "On the twenty-fifth.", "On the 5th of each month."),
        ("number", "What is the fee?", "Six pounds fifty.", "It costs £5.60."),
        ("number", "How many times may I renew it?", "Twice.", "You can renew it four times."),
        ("link", "Where do I register?", "Go to shop.example/register.", "Register on shop.example/owners."),
        ("yes/no", "Can I park here?", "Yes, for two hours.", "No, not without a permit."),
        ("yes/no", "Is smoking allowed?", "Smoking is forbidden.", "Yes, on the terrace."),
        ("negation", "Is lunch included?", "Lunch is included.", "Lunch isn't included."),
        ("negation", "How do I store it?", "Put it in the fridge and do not freeze it.", "Put it in the fridge and freeze it."),
        ("name", "Where is the office?", "The office is in Lisbon.", "It is in Porto."),
        ("code", "Which form is it?", "Fill in form A-12.", "Fill in form B-7."),
        ("link", "Where do I write?", "Write to help@example.org.", "Write to sales@example.org."),
        ("opposite", "Which way do I turn?", "Turn left at the church.", "Turn right at the church."),
        ("opposite", "What happened to sales?", "Sales increased last year.", "Sales fell last year, they dropped."),
        ("order", "Who pays whom?", "The tenant pays the landlord.", "The landlord pays the tenant."),
        ("order", "Where does it run?", "It runs from Cork to Leeds.", "It runs from Leeds to Cork."),
        ("negation", "Who may fish?", "Non-residents can fish here.", "Non-residents cannot fish here."),
        ("negation", "Who may fish?", "Only residents may fish.", "Only non-residents may fish."),
        ("order", "Is Mount Ayo higher than Mount Bexi?", "Mount Ayo is higher.", "It is Mount Bexi that is higher."),
        ("negation", "What about bikes?", "Bikes are banned from the yard.", "Bikes may be left in the yard."),
        ("negation", "What of the hood?", "The hood has to be on.", "The hood does not have to be on."),
        ("negation", "What do the rules say about pets?", "Members are free to bring pets.", "Members may not bring pets."),
        ("order", "Which is taller?", "The mast is taller than the chimney.", "The mast is not as tall as the chimney."),
        ("order", "Who gets it?", "The clerk forwards it to the mayor.", "The clerk receives it from the mayor."),
        ("yes/no", "Does the oven have a timer?", "The oven has a timer.", "No, use a kitchen clock."),
        ("yes/no", "Are there seats left?", "There are some in the last row.", "No, it is sold out."),
        ("yes/no", "Do I need a stamp?", "A stamp is not necessary.", "Yes, one for letters."),
        ("negation", "Can I enter by the side door?", "You can.", "You can't enter by the side door."),
        ("negation", "What should I do first?", "Unplug it and do not touch the blade.", "Unplug it and touch the blade."),
        ("number", "How many windows are there?", "6, and a glass door.", "There are 8 windows and 2 doors."),
        ("code", "Which number do I call?", "Call 020 7946 0123.", "It is 020 7946 0321."),
        ("date", "When did it sink?", "It sank in June of 1904.", "In June 1914."),
        ("date", "When is it due?", "On the tenth of May.", "It is due on May 20th."),
        ("name", "Who built it?", "Atelier Voss built it.", "It was built by Atelier Lund."),
        ("name", "What is the next stop?", "Dover.", "The next stop is Calais."),
        ("opposite", "How much may it weigh?", "No more than 5 kg.", "It must weigh at least 5 kg."),
        ("opposite", "Was it foreseen?", "The delay was announced.", "The delay was unannounced."),
        ("opposite", "Which wire is it?", "It is the red wire.", "It is the green wire."),
        ("order", "Who won the final?", "Larks beat Owls in the final.", "Owls did."),
        ("order", "Who elects whom?", "The members elect the chair.", "The members are elected by the chair."),
        ("order", "Where does the pipe run?", "From the boiler it runs to the tank.", "It leads from the tank into the boiler."),
        ("order", "Who supplies whom?", "The mill gets its grain from the farm.", "The mill supplies the farm with grain."),
        ("order", "What comes first?", "First the soup, then the salad.", "The soup follows the salad."),
        ("order", "Which is heavier?", "The drum is heavier than the box.", "The drum is lighter than the box."),
        (
            "order",
            "What do they cost?",
            "Adults pay 12 euros, children 5 euros.",
            "12 euros for children and 5 euros for adults.",
        ),
        ("order", "Which do I take?", "Take oil instead of butter.", "Take butter instead of oil."),
        ("opposite", "What is the path like?", "The path is rough.", "It is a smooth path."),
        ("opposite", "How is she?", "She is happy.", "She is unhappy."),
        ("opposite", "What is the lake like?", "It is shallower in May.", "It is deeper in May."),
        ("opposite", "How long must it be?", "It needs 12 letters or more.", "It has at most 12 letters."),
        ("name", "Who waters the plants?", "The plants are watered by the caretaker.", "The tenants water the plants."),
        ("number", "What is the rent?", "One hundred and fifty euros.", "It is 115 euros."),
        ("number", "How many may come?", "More than 5 people may come.", "4 people may come."),
        ("number", "How many may come?", "No fewer than 5 people may come.", "4 people may come."),
        ("number", "How long is the ride?", "Three quarters of an hour.", "You ride for half an hour."),
        ("number", "How long is it valid?", "It is valid for a week.", "For ten days."),
        ("number", "How much do I get back?", "Two thirds of the price.", "You get 30% of it back."),
        ("number", "How long between two doses?", "Wait six hours.", "Two hours."),
        ("date", "Since when has it stood there?", "It has stood there since nineteen twenty-three.", "Since 1932."),
        ("time", "When is the visit?", "At 9.40 in the morning, on 5 June.", "On 5 June at 11.20 am."),
        (
            "link",
            "Where is the log?",
            "Send form R5. The log is in /var/log/foo.log.",
            "Send form R5 and look in /opt/foo/out.log.",
        ),
        ("code", "Which flag is it?", "Add -y to it.", "Run it with the flag -q."),
        ("code", "Which file do I edit?", "Edit settings.toml.", "It stands in config.json."),
        ("code", "What do I set?", "Set sleep_after to 0.", "It is dim_delay that you set to 0."),
        ("yes/no", "Can I enter without a ticket?", "You need a ticket.", "Yes, just walk in."),
        ("yes/no", "Does it come with a lid?", "It comes without one.", "Yes, a glass one."),
        ("yes/no", "Is it free of nuts?", "It's made with hazelnuts, so no.", "Yes."),
        ("yes/no", "May I take leave in May?", "Yes, you may.", "You can't take leave until June."),
        ("negation", "Is there milk in it?", "The bread contains milk.", "It is milk-free bread."),
        ("negation", "What does the lamp do at night?", "It goes on blinking.", "It doesn't blink at all at night."),
        ("negation", "What happens at the end?", "The fan switches off.", "It only beeps; the fan does not switch off."),
        ("negation", "What are the rules on pets?", "There is a ban on pets.", "There is no ban on pets."),
        ("negation", "What about oil?", "Do not use any oil.", "You are free to use oil."),
        (
            "opposite",
            "Should the lid be open or closed?",
            "Keep it open, or it will burst.",
            "It has to be closed; steam must stay in.",
        ),
        ("name", "Which subject does she teach?", "Geology.", "She teaches botany."),
    ],
)
def test_a_difference_in_substance_is_named(kind: str, question: str, first: str, second: str) -> None:
    assert kind in kinds(question, first, second)
    assert kind in kinds(question, second, first)


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("What does it cost?", "It costs 1,000 euros.", "€1000."),
        ("How long does it take?", "It takes two weeks.", "14 days."),
        ("How far is it?", "It is 2 km away.", "2,000 metres, about half an hour on foot."),
        ("How much is it?", "About 50 dollars.", "It is $48."),
        ("When is the deadline?", "The deadline is 3 May.", "May 3rd, 2024, at the latest."),
        ("When is it?", "On 2024-05-03.", "03/05/2024"),
        ("When do you close?", "We close at 5 pm.", "At 17:00."),
        ("When do you close?", "At half past five in the afternoon.", "We close at 17:30."),
        ("When do you close?", "We close at ten to six in the evening.", "At 5:50 pm, sharp."),
        ("When does it start?", "At eight.", "It starts at 8 o'clock in the evening."),
        ("When is rent due?", "On the 25th.", "It is due on the twenty-fifth of each month."),
        ("How many seats are there?", "1950.", "There are 1,950 seats."),
        ("When was it founded?", "1923, by three bakers.", "It was founded in 1923."),
        ("How often is it read?", "Twice a year.", "Every six months."),
        ("How often is it read?", "It is read twice.", "It is read two times."),
        ("What is the fee?", "Six pounds fifty.", "It costs £6.50."),
        ("Where do I register?", "Go to https://shop.example/register/.", "Register on shop.example/register."),
        ("Is it allowed?", "You do not need a permit.", "You don't need a permit."),
        ("Can I come in?", "Yes, please do.", "Of course, the door is open."),
        ("Is the shop open?", "The shop is closed on Sundays.", "No, it is not open on Sundays."),
        ("Is it possible?", "It is impossible.", "No, that is not possible."),
        ("Where is the office?", "The office is in Lisbon.", "It is in Lisbon, Portugal, near the river."),
        ("Where are you from?", "We are from the UK.", "We are from the United Kingdom."),
        ("When do you open?", "On Monday we open early.", "We open early on Monday."),
        ("What is in it?", "Salt and pepper.", "Pepper and salt."),
        ("Which comes first?", "The primer goes on before the paint.", "The paint goes on after the primer."),
        ("Can I bring a friend?", "Your friend has to wait elsewhere.", "No, members only."),
        ("Is it stored in Oslo?", "It is stored in Bergen.", "No, in Bergen."),
        ("Can I come without a ticket?", "You do not need a ticket.", "Yes, just come."),
        ("Is there a charge for parking?", "You can park as long as you like.", "No, parking is free."),
        ("Is it steep?", "It isn't, because of the bends.", "Nobody finds it steep."),
        ("Is camping allowed?", "Camping is prohibited on the shore.", "You may not camp there."),
        ("Who elects whom?", "The members elect the chair.", "Every year the chair is elected by the members."),
        ("Who teaches whom?", "Mira teaches Ben.", "Ben learns from Mira."),
        ("What is above what?", "The shelf hangs over the sink.", "The sink is below the shelf."),
        ("Which is heavier?", "The drum is heavier than the box.", "The box is lighter than the drum."),
        ("Who married whom?", "Ada married Karl.", "Karl married Ada."),
        ("What is next to it?", "The bakery is next to the chemist.", "The chemist is next to the bakery."),
        ("How far is it?", "It is 8 km from Ashby to Milton.", "It is 8 km from Milton to Ashby."),
        ("When are the classes?", "Yoga is on Monday and pilates on Thursday.", "On Thursday there is pilates, on Monday yoga."),
        ("Who sends it?", "The baker sends it to the shop.", "The shop gets it from the baker."),
        ("Which one is ours?", "The old one made of iron.", "It's the iron gate, the old one."),
        ("Which knob is it?", "Turn the left knob.", "The left knob is the one."),
        ("When may I swim?", "Two hours after a meal.", "Not before two hours have passed."),
        ("Is it shut in May?", "It stays shut in May.", "Yes, and it opens again on 1 June."),
        ("Does it help?", "It helps a lot.", "It is of great help to people with bad backs."),
        ("What is the rent?", "A hundred and ten euros.", "It is 110 euros."),
        ("How long is the ride?", "An hour and a half.", "You ride for 90 minutes."),
        ("How long is the ride?", "For up to an hour and twenty minutes.", "80 minutes at most."),
        ("How long is the ride?", "It takes 2 h 30 min.", "You ride for two and a half hours."),
        ("How tall is she?", "5 feet 3 inches.", "She is 63 inches tall."),
        ("How long is the ride?", "You ride for an hour or two.", "Two hours at most."),
        ("How much is taken off?", "A fifth off the price.", "They take off 20%."),
        ("How many of them?", "Two thirds of them are open.", "Eight are open, four are shut."),
        ("Since when?", "Since nineteen twenty-three.", "It dates from 1923."),
        ("When do we eat?", "The midday meal is at one.", "You eat at 1 pm."),
        ("When is the next ferry?", "The next one leaves at 6 pm.", "It sails at 18:00."),
        ("Until when can I cancel?", "You can cancel before the 20th.", "Up to the 19th of the month."),
        ("How many may come?", "Fewer than 5 people may come.", "Up to 4 people may come."),
        ("Where is the log?", "It is /var/log/foo/out.log.", "You find out.log under /var/log/foo."),
        ("Which flag is it?", "Add -q to it.", "Run it with --quiet."),
        ("Does it come with a lid?", "It comes without one.", "No."),
        ("Do I eat before I swim?", "First swim, then eat.", "No, eat afterwards."),
        ("Are boots worn in the hall?", "Boots are left outside the hall.", "No, they stay on the rack."),
        ("Can I enter without a ticket?", "No ticket is needed.", "Yes, just walk in."),
        ("Is there milk in it?", "No, it is milk-free.", "There is no milk in it."),
        ("Which drink is free?", "A cold drink is free.", "A lemonade is free."),
        ("Should the lid be open or closed?", "Keep it open.", "It should not be closed."),
        ("Who has the drill?", "Ask Tobias; it is in his van.", "Tobias Wendt has it."),
        ("Where do I register?", "Open form K7 on the site.", "Go to the site and choose form K7."),
        ("Do I get the bail back?", "You get it back when the tent is undamaged.", "Yes, on your last day."),
        ("Which is taller?", "The mast is taller than the chimney.", "The mast is not as tall as the spire."),
        ("Which is taller?", "The mast is taller than the chimney.", "The chimney is not as tall as the mast."),
        ("Is Mount Ayo higher than Mount Bexi?", "Mount Ayo is higher than Mount Bexi.", "Yes. Mount Bexi is lower."),
        ("Is the loft warmer or cooler than the hall?", "The loft is warmer.", "It is cooler in the hall than in the loft."),
        ("What about bikes?", "Bikes have to stay off the lawn.", "On the lawn bikes are forbidden."),
        ("What about bikes?", "Bikes may be left in the yard.", "Bikes are banned unless they are left in the yard."),
        ("Does tin stick to wood?", "Tin isn't held by wood.", "No, wood does not hold tin."),
        ("Does it list old files?", "Old files are listed by default.", "Yes, it lists old files."),
        ("How is the grade made up?", "The oral test counts for half.", "Half; the rest is the written test."),
        ("Where may dogs go?", "Dogs have to stay off the lawn.", "On the lawn dogs are forbidden."),
        ("Will my table be kept?", "Your table is kept.", "We don't release a table when a guest is late."),
        ("How do I sort a list?", "```python\nsorted(x)[:3]\n```", "```python\nx.sort()\nx[:5]\n```"),
    ],
)
def test_another_way_of_putting_it_is_no_difference(question: str, first: str, second: str) -> None:
    assert differences(question, first, second) == []
    assert differences(question, second, first) == []


@pytest.mark.parametrize(
    "written",
    [
        "22/29",
        "31/31/2020",
        "00/00/0000",
        "2020-13-45",
        "99.99.99",
        "0:99",
        "24:61 pm",
        "half past twelve to",
        "9" * 400,
        "²",
        "٣",
    ],
)
def test_what_looks_like_a_date_or_a_time_and_is_none_is_read(written: str) -> None:
    assert kinds("Which issue is it?", f"It is the Oct. {written} issue.", f"It is the Oct. {written} issue!") == set()


@pytest.mark.parametrize(
    ("is_plain", "question", "first", "second"),
    [
        (True, "What does it cost?", "It costs 20 euros a month.", "You pay €25 each month."),
        (True, "How many may come?", "No more than 8 people.", "Up to 12 people can come along."),
        (False, "When is it shut?", "The mill is shut on Monday.", "It opens on all days but Sunday."),
        (False, "Is A or B dearer?", "It costs 14 euros.", "You pay 5 euros more for it."),
        (True, "Can I park here?", "Yes, for two hours.", "No, not without a permit."),
        (False, "Does the oven have a timer?", "The oven has a timer.", "No, use a kitchen clock."),
        (True, "Where is the office?", "The office is in Lisbon.", "You find us in Porto."),
        (True, "What is the next stop?", "Dover.", "Calais."),
        (False, "What is it made of?", "It is made of oak.", "They take beech for it."),
        (True, "Which way do I turn?", "Turn left at the church.", "Turn right at the church."),
        (False, "What happened to sales?", "Sales increased last year.", "They decreased."),
        (True, "Is lunch included?", "Lunch is included.", "Lunch isn't included."),
    ],
)
def test_a_difference_is_plain_in_values_and_where_the_answers_are_worded_alike(
    is_plain: bool, question: str, first: str, second: str
) -> None:
    found = differences(question, first, second)
    assert found and any(difference.plain for difference in found) is is_plain


def test_more_detail_is_no_difference() -> None:
    first = "Delivery takes 3 days."
    second = "Delivery takes 3 days. Returns are free for 30 days, and the office in Ghent is open from 9 am to 5 pm."
    assert differences("How long does delivery take?", first, second) == []


def test_the_differing_part_is_marked_in_both_answers() -> None:
    first, second = "The fee is 20 euros a year, drinks aside.", "The fee is 30 euros a year, drinks aside."
    (difference,) = differences("What is the fee?", first, second)
    assert first[slice(*difference.left)] == "20 euros"
    assert second[slice(*difference.right)] == "30 euros"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [("1,000", "1000", True), ("Don't stop", "do not stop", True), ("3 May", "May 3rd", True), ("4 May", "May 3rd", False)],
)
def test_texts_are_the_same_once_values_and_contractions_are_read(first: str, second: str, same: bool) -> None:
    assert says_the_same(first, second) is same


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_can_be_compared_and_spans_lie_inside(first: str, second: str) -> None:
    for difference in differences("Is it so?", first, second):
        assert 0 <= difference.left[0] < difference.left[1] <= len(first)
        assert 0 <= difference.right[0] < difference.right[1] <= len(second)


PIECES = (  # noqa: SIM905
    "22/29 30/09 1/2 31.12.99 1923 25th twenty fifth first half quarter past to five ten 9 13 ² ½ ٣ 10:30 99:99 noon midnight "
    "a.m. pm o'clock sharp minutes in at the morning night until by £ 5.60 six pounds fifty twice a year Oct. May Monday % , . - "
    "foo.example/x b/c not as deep so is it who that which than larger smaller A B or and first then up non members only may "
    "must need have been never no allowed banned optional oak beech a an the hundred thousand million quarters couple third of "
    "off hour week feet inches for within nineteen 9.40 -y --quiet /var/x a_b x.json sugar-free without only until than one "
    "two high low"
).split()


@given(*[st.lists(st.sampled_from([*PIECES, "9" * 400]), max_size=12).map(" ".join)] * 3)
def test_any_pieces_of_what_is_understood_can_be_compared(question: str, first: str, second: str) -> None:
    for difference in differences(f"Which {question}?", first, second):
        assert 0 <= difference.left[0] < difference.left[1] <= len(first)
        assert 0 <= difference.right[0] < difference.right[1] <= len(second)


@given(st.text(max_size=200))
def test_no_text_differs_from_itself(text: str) -> None:
    assert differences("How many are there?", text, text) == []


@pytest.mark.parametrize(
    "piece",
    [
        "word ",
        "a.",
        "a1-",
        "left ",
        "not ",
        "12 ",
        "1,",
        ",",
        "Name ",
        "x@y.",
        "the cost 3 is 4 euros. ",
        "/a",
        "a_",
        "--a-",
        "a-b.",
    ],
)
def test_an_endless_answer_takes_no_more_than_linear_work(piece: str) -> None:
    long = piece * (60_000 // len(piece))
    started = time.process_time()
    differences("How much is it?", long, f"other {long}")
    assert time.process_time() - started < 5  # quadratic work on it takes a minute and more
