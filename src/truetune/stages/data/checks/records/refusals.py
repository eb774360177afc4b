"""Is a text a refusal or a disclaimer, by what it is made of: words that speak of oneself, of the request and of not doing it.

Lists of phrases know the refusals of the models that they were collected from and few others (measured: docs/log.md). Refusals
in many wordings have this in common: they say nothing about the thing that was asked. So nearly all of their words come from one
small vocabulary, and one of them declines.
"""

from __future__ import annotations

import re

from truetune.core.text import words
from truetune.stages.data.checks.contradictions.open_questions import is_open
from truetune.stages.data.substance.words import FUNCTION_WORDS, stem

MADE_OF_FRAC = 0.82
"""This share of the words must be of the vocabulary. Source: measured on wordings that the vocabulary was not made from, and on
8,110 texts that refuse nothing: docs/log.md."""
LOOSE_FRAC = 0.6
"""Enough where the text says what program is speaking, or is short and begins with what the speaker does not do."""
WORDS_MAX = 40
"""Of a longer text the first words are looked at. Source: stated; a refusal stands at the start of an answer."""
ABOUT_MIN = 2
"""Where not every word is of the vocabulary, so many must speak of the request, the rules or who answers. Source: stated."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN = _set(
    """
    a able about after again ago aim aims all also although always am an and any anybody anyone anything anyway are aren as
    ask asked asking at away back bad be because been before begin being believe best better between both but by can cannot
    case cases certain come comes concerning could couldn currently d did didn different do does doesn doing don done down
    during each earlier either else end ended ends enough even ever every everybody everyone fall falls far feel felt few
    find first for found from further get glad go goes going gone good got had happy has hasn have haven having he hello
    hence here hi hold holds how however i if in instead into is isn it its just keep keeps kind kindly know known knows
    last later leave leaves left less let lets lie lies like little ll long look looking m made make makes many may me
    merely might mine moment more most much must my myself need needed needs neither never new next no nobody nor not
    nothing now of often ok okay old on once one only or other otherwise our ourselves out over own part particular please
    point possible presently put quite rather re really regarding right s said same say see seen several shall she should
    shouldn simply since so some somebody someone something sort specific start stay stays still stop stops such t take
    taken takes tell than thank thanks that the their them then there therefore these they thing things think this those
    though through thus time to today told too tried try turn turned turning two type under until up us use used using ve
    very want wants was wasn way ways we welcome well were what whatever when where wherever which while who whom whose why
    will wish with within without won would wouldn wrong yes yet you your yours
    """
)
_ABOUT = _set(
    """
    abilities ability access accuracy accurate adult advice advise advising afraid agent ai algorithm answer answering
    answers apologies apologise apologize apology appropriate appropriately area artificial assist assistance assistant
    assistants assisting attachment attachments attempt audio authorised authority authorized based belief beliefs body book
    bot boundaries boundary browse browsing built calculate call calls capabilities capability capable carried carry cause
    certain certainty character chat chatbot chats check choose click code comfortable comfortably comment company compare
    complete completing comply complying compute computer confidential confirm conscious consciousness consult consulting
    contact content contents context continue conversation conversations create created creating creator creators customer
    cutoff danger dangerous data date describe describing design designed details developed developers digital disappoint
    disappointing disclose disclosed discuss discussing discussion dislike disrespectful doctor domain domains download
    earlier ears email emotion emotions engage engaging engineers equipped ethical ethics execute experience experienced
    experiences expert expertise experts explain explaining explicit eyes false favorite favourite favourites feeling
    feelings fictional field file files filter filters financial fulfil fulfill fulfilled future generate generating give
    given giving graphic guess guideline guidelines hands harm harmful harmless hateful hear help helper helpful helping
    human hurt identities identity image images information inquiry instruction instructions intelligence intelligent
    intended interface internet interpret irresponsible judge judgement judging knowledge language large law laws lawyer
    legal legally licensed like limit limitation limitations limits link links live love machine machine-generated maker
    makers matter matters meaning meant medical memories memory message messages misleading model models moderation moral
    nature network neural offensive offer offering online open operator opinion opinions order outdated owner perform
    personal photo photos physical pick picture pictures place policies policy position positions possess predict prediction
    preference preferences present pretend previous principle principles privacy private proceed process processing produce
    producing professional professionals program programmed programming programs prompt provide provided providing publish
    purposes qualified query question questions rank reach real reason reasons recall recommend regret regretfully
    regrettably reliable remember remit replies reply request requests respectfully respond response responses responsible
    responsibly reveal revealed risk risks role roleplay rule rules run sadly safe safely safety scope search see send sense
    sensitive service share sharing side sides simulated simulation smell software solve solving sorry speak specialist
    specialists specific specifics speculate speculating speculation stance subject subjects suggest summarise summarize
    supply support sure system talk talking task tasks taste team terms text tool topic topics trained training translate
    translating true truth understand understanding unfortunately unhelpful update updated updates usage useful user users
    values verify video videos view views violent virtual visit web wish write writing written
    """
)
_DECLINES = _set(
    """
    abstain against allow allowed allows avoid beyond block blocked breach cannot decline declined declining disallowed
    flagged forbid forbidden forbids illegal impartial impossible inappropriate incapable irresponsible lack lacking lacks
    neutral outdated outside permit permits permitted prevent prevented prevents prohibit prohibited prohibits refrain
    refuse refused refusing restrict restricted restricts skip unable unauthorised unauthorized unavailable uncomfortable
    unethical unfit unhelpful unqualified unsafe unsuitable unsupported unwilling violate violates violating violation
    withheld withhold
    """
)
_TURN_AWAY = re.compile(
    r"\b(?:turn(?:ing)? (?:this|that|it|you|the request) (?:down|away)|pass on (?:this|that|it)|have to pass|say no|"
    r"(?:rather|prefer(?: to)?) not|not (?:go|going) (?:into|there|to)|(?:something|anything|another) (?:else|topic|subject)|"
    r"change the subject|not something|no way|no comment|stay(?:ing)? out of|keep(?:s|ing)? (?:me )?(?:out of|from)|"
    r"(?:my|our) place|my (?:field|department|business|remit)|leave (?:this|that|it) (?:to|out|alone)|(?:stop|end) here|"
    r"(?:ask|consult|see|contact) (?:some(?:one|body)|anyone|anybody|a|an|your) \w+|out of date|"
    r"(?:abilities|knowledge|data|memory) (?:ends?|stops?)|my (?:training|knowledge|data)(?: \w+){0,3} (?:up to|until))\b"
)
_KNOWN = _PLAIN | _ABOUT | _DECLINES
_NEGATIONS = _set("no not nor never neither t nothing without none hardly")
_WHAT_I_AM = re.compile(
    r"\b(?:i am|i m|being|as) (?:just |only |merely |simply )?(?:an? (?:\w+ ){0,3})?(?:ai|artificial intelligence|"
    r"language model|assistant|chatbot|bot|(?:computer )?program|"
    r"neural network|machine|algorithm|language system|computer system)\b"
)
_ONESELF = _set("i me my we our us am")


_I_DO_NOT = re.compile(
    r"^(?:\w+ ){0,10}?(?:i|we|the (?:assistant|system|model|bot))"
    r"(?: (?:am|m|are|re|is|was|were|do|did|does|have|has|ve|will|would|d|must|shall|could|should|can|may|might|ll|"
    r"only|simply|really|just|also|currently))*"
    r" (?:not|no|never|neither|cannot|unable|in no|try not|try to (?:avoid|stay|keep)|"
    r"(?:isn|aren|can|couldn|don|didn|doesn|won|wouldn|haven|hasn|wasn|shouldn|shan) t)\b(?! (?:wait|believe|help but))"
)
SHORT_WORDS = 16
"""A text of so few words is short. Source: stated."""


_NO_SPEECH = re.compile(r"^\W*[A-Z][\w ]{0,30}:.*\n+\W*[A-Z][\w ]{0,30}:|^[^\n]*[\w,]\s*\n[^\n]*[\w,]\s*\n|^```")
"""A dialogue (two lines, each with a speaker), verse, or code."""


def is_refusal(text: str, prompt: str = "") -> bool:
    """Does a text only say that there will be no answer, or that a program is speaking?

    What the prompt says itself ("is it illegal?") tells nothing where the answer says it again.
    """
    said = words(text[:600])[:WORDS_MAX]
    if not said or text.rstrip().endswith("?"):
        return False
    made_of = sum([word in _KNOWN for word in said]) / len(said)
    line = " ".join(said)
    asked = frozenset(words(prompt)) - _ONESELF
    about = sum((word in _ABOUT or word in _DECLINES) and word not in asked for word in said)
    declines = any(word in _DECLINES and word not in asked for word in said) or bool(_TURN_AWAY.search(line))
    denies = declines or (not _NEGATIONS.isdisjoint(said) and (not _ONESELF.isdisjoint(said) or about >= ABOUT_MIN))
    if not denies or made_of < LOOSE_FRAC:
        return False
    if _WHAT_I_AM.search(line):
        return True
    is_own = bool(_I_DO_NOT.search(line))
    is_short = len(said) <= SHORT_WORDS
    if is_short and is_own:
        return about > 0 or (made_of < 1.0 and _ONESELF.isdisjoint(words(prompt)))
    is_made_of = (about >= ABOUT_MIN and made_of >= MADE_OF_FRAC) or (made_of == 1.0 and (declines or about > 0))
    return is_made_of and (is_short or is_own)


def is_spoken(text: str) -> bool:
    """Is a text prose in the answerer's own voice, and no dialogue, verse or code?"""
    return not _NO_SPEECH.search(text)


EVASIVE_WORDS = 12
"""A longer answer says something. Source: stated."""
_SELF = _set("i me my we us our m")
_MORE_THAN_A_SENTENCE = re.compile(r"[.!?:;,]\s|\n|\d|\?$")
"""Several clauses, a figure or a question."""
_TOLD_LETTERS = 3
"""Shorter words say too little to be the question's own."""


def speaks_of_itself(prompt: str, answer: str) -> bool:
    """Does an answer of one short sentence speak of the speaker, and of nothing that was asked ("my lips are sealed")?

    Not where the prompt can be answered in any way: there a sentence about oneself is as good as another.
    """
    if len(answer) > EVASIVE_WORDS * 15 or _MORE_THAN_A_SENTENCE.search(answer.strip()):
        return False
    said = words(answer)
    if not 2 <= len(said) <= EVASIVE_WORDS or _SELF.isdisjoint(said):
        return False
    told = {stem(word) for word in said if len(word) >= _TOLD_LETTERS and word not in FUNCTION_WORDS}
    return told.isdisjoint(map(stem, words(prompt))) and not is_open(prompt)
