"""Is a text what stands where an answer was to be written: a mark, a template's slot, a note to whoever was to write it?"""

from __future__ import annotations

import re

from truetune.stages.data.checks.contradictions.open_questions import is_open

PLACEHOLDER_CHARACTERS = 60
"""A longer text is no bare placeholder. Source: stated."""

_INSIDE = re.compile(
    r"\blorem ipsum (?:dolor|text)\b|\[(?:insert|add|fill|todo|placeholder)\b[^\]\n]{0,60}\]?|"
    r"<(?:insert|placeholder)\b[^>\n]{0,40}>|\[object Object\]",
    re.IGNORECASE,
)
"""Such a part makes a placeholder of any text, but of a long one that was asked for as a form to fill in."""
_FORM = re.compile(r"\b(?:templates?|forms?|samples?|examples?|e-?mails?|letters?|placeholders?|filler)\b", re.IGNORECASE)
"""What may have slots when it is asked for."""

_WRITTEN = r"(?:answer|response|repl(?:y|ie)|output|completion|text|content|value)s?"
_DONE = r"(?:written|added|filled(?: in)?|done|completed|provided|supplied|determined|decided|announced|confirmed)"
_LATER = r"(?: (?:in|later|soon|here|by \w+))?"
_BLANK = r"(?:blank|empty)"

_SLOT = re.compile(
    rf"[\[{{<(%$#_*]{{1,4}}\s*(?:[\w -]{{0,20}}[\s_.-])?(?:{_WRITTEN}|messages?|inputs?|strings?|data|placeholder|todo|tbd|fill|"
    rf"insert|{_BLANK}|missing|none|null|name|your [\w ]{{1,20}})(?:[\s_.-][\w -]{{0,20}})?\s*[\]}}>)%$#_*]{{0,4}}",
    re.IGNORECASE,
)
"""A name in the brackets or signs of a template."""
_SHEET_ERROR = re.compile(r"#(?:REF|VALUE|NAME|DIV/0|NULL|NUM)[!?]?|#N/A", re.IGNORECASE)
_ONLY_MARKS = re.compile(r"[?.!…\s_*#=~-]*(?:[?…_~]|\.{3})[?.!…\s_*#=~-]*")
_NOTES = (
    r"to[ -]?do|tbd|tba|fixme|tbc|placeholder|nan|undefined|xxx+|asdf\w*|qwerty\w*|dummy|lipsum|abc|123|1234|12345|aaa+",
    r"(?:todo|tbd|fixme|placeholder)\s*[:;,.!?(–—-].{0,40}",
    rf"(?:(?:will|needs? to|has to|must|should|can) be|to be) {_DONE}{_LATER}",
    r"(?:fill|write|add|complete|replace|change|edit)(?: this| me| it)(?: in| out| up)?(?: later)?",
    r"(?:fill|write|add|complete|replace|change|edit)(?: in| out| up)?(?: later)",
    r"coming soon|to follow|to come|work in progress|under construction",
    rf".{{0,20}}\b{_WRITTEN} (?:goes )?here",
    rf"(?:sample|dummy|test|example|default|mock|some|random) {_WRITTEN}\W?\d*",
    rf"{_WRITTEN} (?:(?:is|are|was|were|still) )?(?:pending|missing|needed|required|unavailable|removed|deleted|omitted|tbd|"
    rf"tba|tbc|todo|later|follows?|n/a|none|null|{_BLANK}|not (?:yet )?(?:written|available|given|provided|found|set))",
    rf"(?:no|needs?|requires?|missing|awaiting|waiting for) (?:an? |the |any )?(?:{_WRITTEN}|input|data|fields?|entry)"
    r"(?: (?:yet|provided|given|available|found|here|written|specified|recorded))?",
    r"(?:same|see|as) (?:as )?(?:above|below|before|previous(?:ly)?|last(?: one)?|attached|prompt|question)",
    rf"(?:(?:this )?(?:page|field|cell|row|line) (?:is )?)?(?:intentionally |deliberately )?(?:left )?"
    rf"(?:intentionally |deliberately )?{_BLANK}(?: (?:on purpose|by design|for now))",
    rf"(?:(?:this )?(?:page|field|cell|row|line) (?:is )?)?(?:intentionally |deliberately |left )+{_BLANK}",
    r"lorem ipsum.*",
    r"foo(?: ?bar)?(?: ?baz)?|(?:bla+h? ?){2,4}|test(?:ing)?(?: ?\d+)+|(?:test(?:ing)? ){1,3}test(?:ing)?",
    r"(?:please )?(?:click|tap|type|enter|insert|write|put|paste|fill|add|provide|complete)(?: in| out| down| up)?"
    r"(?: here)?(?: (?:or|and) (?:tap|type|enter))?(?: to (?:enter|type|add))?"
    r"(?: (?:the|your|an?|some|any|model|right|correct|own|here|this|to|something|field|words))*"
    rf"(?: (?:{_WRITTEN}|something|here|this))(?: here)?",
)
_NOTE = re.compile("|".join(f"(?:{form})" for form in _NOTES), re.IGNORECASE | re.DOTALL)
_NOTE_IN_PROSE = re.compile(
    r"(?:todo|tbd|fixme|placeholder)\b.{0,40}|(?:fill|write|add|complete|replace|change|edit)(?: in| out| up)?",
    re.IGNORECASE | re.DOTALL,
)
"""Where answers are labels or values, `todo_list` and `change` are among them."""
_NO_VALUE = re.compile(
    rf"n ?[/.]? ?a|not applicable|not available|none|null|nil|no (?:{_WRITTEN}|data|comment)|unknown|missing|{_BLANK}|pending|"
    r"ditto|idem|test(?:ing)?|same|skip(?:ped)?|idk|dunno",
    re.IGNORECASE,
)
_AROUND = " \t\n\r.,;:!?…-–—_*#()[]{}<>\"'`«»“”/\\|=~"


def is_placeholder(text: str, no_value_is_an_answer: bool, prompt: str = "") -> bool:
    """Is a text a placeholder?

    Args:
        text: an answer, or one text of a JSON answer.
        no_value_is_an_answer: `n/a`, `none` and `pending` are legitimate labels and field values; in prose they are placeholders.
        prompt: what was asked. A word that stands in it is an answer ("Is it null or undefined?"), and a letter that it asks for
            may have slots.
    """
    text = text.strip()
    if len(text) > PLACEHOLDER_CHARACTERS:
        return bool(_INSIDE.search(text)) and not (_FORM.search(prompt) or is_open(prompt))
    bare = " ".join(text.replace("_", " ").strip(_AROUND).split())
    if _INSIDE.search(text) or any(form.fullmatch(text) for form in (_SLOT, _SHEET_ERROR, _ONLY_MARKS)):
        return True
    is_note = _NOTE.fullmatch(bare) or (not no_value_is_an_answer and (not bare or _NO_VALUE.fullmatch(bare)))
    if not is_note and (no_value_is_an_answer or not _NOTE_IN_PROSE.fullmatch(bare)):
        return False
    return not bare or not re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", prompt, re.IGNORECASE)
