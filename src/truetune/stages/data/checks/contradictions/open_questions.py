"""Prompts that have many right answers: there two answers that differ contradict nothing."""

from __future__ import annotations

import re

_CREATE = (
    "write|compose|create|generate|draft|invent|imagine|brainstorm|suggest|recommend|propose|come up with|make up|think of|"
    "design|pretend|role-?play|rewrite|rephrase|paraphrase|reword|edit|improve|expand|elaborate|continue|describe|discuss|"
    "develop|devise|build|prepare|compile|discover|search for|look for|"
    "summari[sz]e|tell (?:me|us) (?:a|an|about|something)|explain|translate|sing|plan|complete|finish|turn|make (?:a|an|up)"
)
_POLITE = r"(?:(?:please|kindly|now|then|and|also|could you|can you|would you|i want you to|i need you to|help me(?: to)?),? )*"
_IMPERATIVE = re.compile(rf"(?:^|[.!?:;\n]\s*){_POLITE}(?:{_CREATE})\b", re.IGNORECASE)
_SOME_OF_MANY = re.compile(
    r"\b(?:give|list|name|find|show|provide|share|tell|pick|choose)(?: me| us)?(?: an?| any| some| a few| several| \d+| two|"
    r" three| four| five| six| ten| your)\b"
    r"|\b(?:an?|some|any|few|more) (?:example|idea|tip|joke|poem|story|haiku|slogan|tagline|name|title|riddle|quote|sentence)s?\b"
    r"|\b(?:what|which) (?:is|are|would be) (?:an?|some|your)\b"
    r"|\b(?:what|which) (?:should|could|do|can) (?:you|i|we) (?:\w+ly )?(?:do|say|tell|ask|eat|cook|make|wear|give|buy|bring|"
    r"read|watch|visit|see|try|write|name|call|know|consider|suggest|recommend|expect|play|learn|like|want|think|enjoy|prefer|find|get)\b"
    r"|\bwho (?:is|are|would be|could be) (?:an?|some|your)\b"
    r"|\b(?:best|top|relevant|related|similar) [a-z]+s\b"
    r"|\b(?:list|names|some) of\b"
    r"|(?:^|[.!?:\n]\s*|\b(?:are|is) (?:the )?)(?:\d+|two|three|four|five|six|ten) [a-z]+s (?:that|which|who|with|from|of|in)\b"
    r"|\b(?:your|do you|would you) (?:favou?rite|opinion|think|feel|like|prefer|enjoy|recommend)\b"
    r"|\bhow (?:are|do) you\b|\bat random\b|\brandom\b",
    re.IGNORECASE,
)
_READ_CHARACTERS = 4000


def is_open(prompt: str) -> bool:
    """Does the prompt ask for something that can be done in many ways: to write, to suggest, to give one of many?"""
    read = prompt if len(prompt) <= 2 * _READ_CHARACTERS else f"{prompt[:_READ_CHARACTERS]}\n{prompt[-_READ_CHARACTERS:]}"
    return bool(_IMPERATIVE.search(read) or _SOME_OF_MANY.search(read))
