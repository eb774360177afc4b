"""A hundred questions, each rephrased a hundred times by rules, and questions that people would put in very different words.

The rules are a grammar: a verb and an object, each with synonyms; something that is said before or after; some thirty frames
around it; a slip of the pen now and then. Nothing here is shared with the data gate. Questions differ in what is done to what,
and many share the verb or the object with another one ("cancel my order", "cancel my flight", "change my flight").
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.faults.edits import small_slip


@dataclass(frozen=True)
class Rephrased:
    """One way to ask, and the number of the question that it asks."""

    text: str
    question: int


# verbs | objects | what may be said before or after
_GRAMMAR = """
reset/change/renew|my password/my login password/the password of my account|after I was locked out
cancel/call off/undo|my order/the order I placed/my purchase|before it ships
track/follow/trace|my parcel/my package/the delivery|on my phone
return/send back/bring back|a broken lamp/a lamp that is broken/a faulty lamp|without the receipt
update/edit/change|my billing address/the address on my invoices/the invoice address|after moving house
close/delete/shut down|my savings account/the savings account I have/my account for savings|for good
open/start/set up|a business account/an account for my company/a company account|online
download/save/get|my tax statement/the statement for my taxes/the yearly tax statement|as a file
renew/extend/prolong|my library card/the card for the library/my reading card|for another year
borrow/take out/get|an audiobook/a spoken book/a book to listen to|over the weekend
book/reserve/arrange|a table for two/a dinner table for two people/a table for a couple|tonight
upgrade/improve/move up|my seat/the seat I have/my seating|on the train
cancel/call off/drop|my flight/the flight I booked/my plane ticket|without a fee
change/move/shift|my flight/the flight I booked/my plane ticket|to another day
pay/settle/clear|my electricity bill/the bill for electricity/the power bill|by card
dispute/contest/challenge|a parking fine/a parking ticket/a fine for parking|by letter
report/flag/announce|a stolen bicycle/a bicycle that was stolen/the theft of my bicycle|to the police
insure/cover/protect|my violin/a violin/the violin that I own|against damage
tune/adjust/set|my guitar/a guitar/the guitar strings|by ear
clean/wash/scrub|a wool carpet/a carpet made of wool/the woollen carpet|without shrinking it
remove/get rid of/take out|a wine stain/a red wine stain/the stain from wine|from a shirt
plant/sow/grow|tomatoes/tomato plants/cherry tomatoes|on a balcony
prune/cut back/trim|roses/rose bushes/my roses|in winter
repot/move/transfer|an orchid/my orchid/the orchid|into a larger pot
bake/make/prepare|sourdough bread/a sourdough loaf/bread with sourdough|in a small oven
boil/cook/make|soft eggs/an egg that stays soft/soft boiled eggs|at altitude
sharpen/hone/grind|a kitchen knife/kitchen knives/the chef's knife|with a stone
season/treat/prepare|a cast iron pan/an iron skillet/the cast iron skillet|for the first time
freeze/store/keep|fresh basil/basil leaves/basil|until spring
peel/skin/strip|chestnuts/roasted chestnuts/a chestnut|quickly
fix/repair/mend|a dripping tap/a tap that drips/the dripping faucet|in the bathroom
unblock/clear/open|the kitchen sink/a blocked sink/the sink drain|without chemicals
paint/coat/cover|a radiator/the radiator/my old radiator|so that it does not peel
insulate/seal/line|the attic/my attic/the loft|before winter
hang/mount/put up|a heavy mirror/the big mirror/a mirror that is heavy|on plaster
replace/swap/change|a light switch/the light switch/the switch for the light|safely
install/put in/fit|a smoke detector/the smoke alarm/a smoke alarm|in the hallway
bleed/empty/drain|the boiler/my boiler/the heating boiler|once a year
charge/power/load|an electric scooter/my electric scooter/the battery of my scooter|overnight
inflate/pump up/fill|bicycle tyres/the tyres of my bike/bike tires|to the right pressure
change/swap/replace|the oil/the engine oil/my motor oil|in my van
jump/start/boost|a dead car battery/a flat battery/the car battery|in the cold
clean/wipe/wash|my windscreen/the windscreen/the car windshield|from the inside
register/sign up/enrol|my boat/a sailing boat/the boat I bought|with the harbour
rent/hire/lease|a camper van/a motorhome/a camping van|for two weeks
find/look up/locate|a vegan bakery/a bakery with vegan bread/vegan bakeries|near the station
translate/convert/turn|a birth certificate/my birth certificate/the certificate of birth|into Polish
renew/replace/extend|my passport/the passport I have/a passport|from abroad
apply for/request/ask for|a work visa/a visa for work/the work permit|in Norway
register/record/declare|a newborn/a new baby/my newborn daughter|at the town hall
claim/request/ask for|parental leave/leave as a parent/leave for parents|from my employer
write/draft/compose|a cover letter/an application letter/the cover letter|without experience
negotiate/discuss/raise|my salary/the salary offer/a higher salary|after an interview
ask for/request/get|a reference letter/a letter of reference/a reference|from a professor
cite/quote/reference|a podcast/a podcast episode/podcasts|in an essay
memorise/learn/remember|irregular verbs/the irregular verbs/verbs that are irregular|in French
practise/train/improve|my pronunciation/how I pronounce words/pronunciation|without a teacher
solve/work out/crack|quadratic equations/a quadratic equation/equations of second degree|by hand
calculate/compute/work out|compound interest/the compound interest/interest on interest|over ten years
convert/change/turn|fahrenheit/degrees fahrenheit/a fahrenheit reading|into celsius
back up/save/copy|my photos/the photos I took/my pictures|to a hard drive
recover/restore/get back|deleted messages/messages I deleted/erased messages|from last week
block/stop/refuse|unknown callers/calls from unknown numbers/callers I do not know|on a landline
mute/silence/turn off|group notifications/notifications of a group/alerts from groups|at night
scan/digitise/copy|old negatives/film negatives/photo negatives|at home
print/produce/make|mailing labels/address labels/labels for letters|from a spreadsheet
merge/combine/join|two spreadsheets/spreadsheets/several spreadsheets|without duplicates
encrypt/protect/lock|a memory stick/a usb stick/the usb drive|with a passphrase
connect/pair/link|my hearing aid/the hearing aids/a hearing aid|to the television
extend/boost/strengthen|my wireless signal/the wifi signal/the wireless network|into the garden
uninstall/remove/delete|a browser toolbar/the toolbar in my browser/an unwanted toolbar|completely
mount/open/attach|a disk image/the disk image/an image of a disk|on linux
train/teach/educate|a puppy/my puppy/a young dog|to walk on a lead
trim/clip/cut|a rabbit's nails/my rabbit's claws/the claws of a rabbit|without hurting it
introduce/present/show|a second cat/a new cat/another cat|to the first one
feed/nourish/give food to|hedgehogs/a hedgehog/wild hedgehogs|in autumn
breed/raise/keep|guppies/guppy fish/a pair of guppies|in a small tank
treat/soothe/heal|a bee sting/bee stings/the sting of a bee|on a child
lower/reduce/bring down|my cholesterol/the cholesterol level/cholesterol|without medicine
tape/strap/bandage|a sprained ankle/an ankle that is sprained/the twisted ankle|before a match
stretch/loosen/relax|tight hamstrings/my hamstrings/stiff hamstrings|after running
swim/do/learn|the butterfly stroke/butterfly/the butterfly style|without tiring
serve/hit/play|a topspin serve/a serve with topspin/the topspin service|in tennis
wax/grease/treat|cross country skis/my skis/touring skis|for wet snow
knit/make/stitch|thumb gussets/a thumb for mittens/the thumb of a mitten|in the round
sew/stitch/attach|a hidden zip/an invisible zipper/the concealed zip|into a skirt
dye/colour/tint|linen curtains/curtains made of linen/the linen drapes|in the machine
fold/shape/make|a paper crane/an origami crane/a crane from paper|with children
develop/process/treat|black and white film/monochrome film/a black and white roll|in a kitchen
photograph/shoot/capture|the milky way/the night sky/our galaxy|without a tracker
compose/write/create|a fugue/a short fugue/fugues|in three voices
restore/refinish/renew|a walnut table/the table made of walnut/an old walnut table|with oil
identify/recognise/tell|edible mushrooms/mushrooms that can be eaten/mushrooms to eat|in a beech wood
forecast/predict/foresee|valley fog/fog in a valley/morning fog|from the evening sky
value/price/appraise|a stamp collection/old stamps/my collection of stamps|for an insurer
donate/give away/hand over|winter coats/warm coats/coats for the winter|to a shelter
found/start/set up|a choir/a singing group/a community choir|in a village
moderate/chair/lead|a panel debate/a panel discussion/the panel|with five guests
organise/plan/prepare|a street party/a party in our street/a neighbourhood party|on a budget
sell/auction/market|handmade soap/soap that I make/home-made soap|at a fair
"""

_FRAMES = (
    "How do I {vp}?",
    "How can I {vp}?",
    "how to {vp}",
    "What is the best way to {vp}?",
    "What's the easiest way to {vp}?",
    "Could you tell me how to {vp}?",
    "Can you explain how I {vp}?",
    "Please help me {vp}.",
    "I want to {vp}. What do I have to do?",
    "I need to {vp}, where do I begin?",
    "I'd like to know how to {vp}.",
    "Is there a way to {vp}?",
    "Is it possible to {vp}?",
    "What steps are needed to {vp}?",
    "Which steps do I take to {vp}?",
    "Show me how to {vp}, please.",
    "I am trying to {vp} and do not know how.",
    "My question is how to {vp}.",
    "Any idea how to {vp}?",
    "Do you know how to {vp}?",
    "Explain to me how one can {vp}.",
    "What should I do to {vp}?",
    "Would you mind telling me how to {vp}?",
    "Give me instructions to {vp}.",
    "Walk me through it: how do you {vp}?",
    "I have no clue how to {vp}. Help?",
    "Tell me what it takes to {vp}",
    "Quick question, how does one {vp}?",
    "I was wondering how I could {vp}",
    "What do people do when they have to {vp}?",
    "Somebody asked me how to {vp}.",
    "I've never had to {vp} before, how is it done?",
    "need to {vp}, what now?",
    "guide me, I must {vp}",
)


def questions() -> list[tuple[Sequence[str], Sequence[str], str]]:
    """The verbs, the objects and the circumstance of each question."""
    parsed = [line.split("|") for line in _GRAMMAR.strip().splitlines()]
    return [(verbs.split("/"), objects.split("/"), where) for verbs, objects, where in parsed]


def rephrasings(each: int, seed: int) -> list[Rephrased]:
    """Every question in so many different ways, shuffled."""
    rng = random.Random(seed)
    made = [Rephrased(text, number) for number in range(len(questions())) for text in _ways(rng, number, each)]
    rng.shuffle(made)
    return made


def _ways(rng: random.Random, number: int, each: int) -> list[str]:
    ways: dict[str, None] = {}
    while len(ways) < each:
        ways[_way(rng, number)] = None
    return list(ways)


def _way(rng: random.Random, number: int) -> str:
    verbs, objects, where = questions()[number]
    frame = rng.choice(_FRAMES)
    said = f"{rng.choice(verbs)} {rng.choice(objects)}"
    place = rng.random()
    if place < 0.4:
        text = frame.format(vp=f"{said} {where}")
    elif place < 0.6:
        text = f"{where[0].upper()}{where[1:]}: {frame[0].lower()}{frame[1:].format(vp=said)}"
    else:
        text = frame.format(vp=said)
    return small_slip(rng, text) if rng.random() < 0.15 else text


BY_HAND: tuple[tuple[str, ...], ...] = (
    (
        "How do I get a refund?",
        "can i have my money back",
        "I'd like my money returned to me please",
        "what's the process for getting refunded",
        "refund my last payment",
        "you charged me and I want that money back",
    ),
    (
        "Where is my parcel?",
        "my package hasn't turned up yet",
        "any news on when my delivery arrives",
        "I've been waiting for days, has my parcel been shipped?",
        "track my package",
        "could you check the status of my shipment",
    ),
    (
        "I can't log in.",
        "the login page keeps rejecting my password",
        "why won't it let me sign in",
        "locked out of my account",
        "signing in fails every time I try",
        "unable to access my account, password not accepted",
    ),
    (
        "What are your opening hours?",
        "when do you open",
        "how late is the shop open today",
        "are you open on a sunday evening",
        "what time does the store close",
        "tell me the hours of business",
    ),
    (
        "Cancel my subscription.",
        "I don't want to be subscribed any longer",
        "how can I stop the monthly plan",
        "please end my membership, I no longer use it",
        "unsubscribe me from the paid plan",
        "I want out of the subscription before it renews",
    ),
    (
        "The app crashes on start.",
        "as soon as I open the app it closes again",
        "your application dies right after launching",
        "app won't start, just shuts itself down",
        "every time I tap the icon the program quits",
        "crash at launch since yesterday",
    ),
    (
        "Do you ship to Canada?",
        "is delivery to canada possible",
        "I live in Toronto, can you send it to me",
        "can I order from Canada",
        "do you post parcels to Canadian addresses",
        "what about shipping outside the US, for instance to Canada",
    ),
    (
        "I was charged twice.",
        "there are two identical payments on my card",
        "you've billed me double this month",
        "why did the same amount leave my account two times",
        "duplicate charge on my statement",
        "my card shows the payment twice, please check",
    ),
    (
        "Change the name on my ticket.",
        "my name is misspelt on the booking, can you correct it",
        "I need to put a different passenger name on the ticket",
        "there's a typo in the traveller's name",
        "is it possible to alter the name of the passenger",
        "wrong surname on my ticket, how do I fix that",
    ),
    (
        "How do I make pancakes?",
        "what goes into pancake batter",
        "give me a recipe for pancakes",
        "teach me to cook pancakes from scratch",
        "I want pancakes for breakfast, how are they made",
        "pancake recipe please",
    ),
)
"""Ten questions, each put in six ways as people would put them; written by hand, so few of a question's words return."""
