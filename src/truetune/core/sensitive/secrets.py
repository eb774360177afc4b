"""Keys, tokens, private keys and passwords: by the form that each provider gives its own, and by what they are assigned to.

Source: the providers' own documentation of their token formats; a form without a mark of its own (32 hex digits) counts only
where the text says whose key it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from truetune.core.sensitive.spans import PLACEHOLDER, Span, claim

_AFTER = r"(?![A-Za-z0-9_-])"

_PROVIDERS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, literal, re.compile(pattern))
    for kind, literal, pattern in (
        ("aws_access_key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
        ("aws_access_key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
        ("github_token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{30,255}\b"),
        ("github_token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
        ("gitlab_token", "gl", r"\bgl(?:pat|ptt|dt|rt|cbt|soat|agent|ft|imt|oas)-[A-Za-z0-9_-]{20,}"),
        ("slack_token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{11,}"),
        ("slack_token", "xapp-", r"\bxapp-[0-9]-[A-Za-z0-9-]{20,}"),
        ("slack_webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}"),
        ("discord_webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}"),
        ("discord_token", ".", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}" + _AFTER),
        ("telegram_token", ":AA", r"(?<![\w:])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}" + _AFTER),
        ("google_api_key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("google_oauth_secret", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
        ("google_oauth_token", "ya29.", r"\bya29\.[A-Za-z0-9_-]{30,}"),
        ("stripe_key", "k_", r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}\b"),
        ("stripe_webhook_secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
        ("anthropic_key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
        ("openai_key", "sk-", r"\bsk-(?!ant-)(?=[A-Za-z0-9_-]{0,64}\d)(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}"),
        ("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
        ("groq_key", "gsk_", r"\bgsk_[A-Za-z0-9]{40,}\b"),
        ("xai_key", "xai-", r"\bxai-[A-Za-z0-9]{60,}\b"),
        ("perplexity_key", "pplx-", r"\bpplx-[A-Za-z0-9]{40,}\b"),
        ("replicate_token", "r8_", r"\br8_[A-Za-z0-9]{37}\b"),
        ("langsmith_key", "lsv2_", r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b"),
        ("databricks_token", "dapi", r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b"),
        ("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi_token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        ("rubygems_key", "rubygems_", r"\brubygems_[0-9a-f]{48}\b"),
        ("docker_token", "dckr_", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
        ("sendgrid_key", "SG.", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
        ("mailgun_key", "key-", r"\bkey-[0-9a-f]{32}\b"),
        ("mailchimp_key", "-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
        ("brevo_key", "xkeysib-", r"\bxkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}\b"),
        ("twilio_key", "SK", r"\bSK[0-9a-f]{32}\b"),
        ("shopify_token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
        ("square_token", "sq0", r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}" + _AFTER),
        ("paypal_braintree_token", "access_token$", r"\baccess_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}\b"),
        ("digitalocean_token", "_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
        ("azure_storage_key", "AccountKey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
        ("hashicorp_vault_token", "hv", r"\bhv[bs]\.[A-Za-z0-9_-]{24,}"),
        ("terraform_token", ".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"),
        ("pulumi_token", "pul-", r"\bpul-[0-9a-f]{40}\b"),
        ("grafana_token", "gl", r"\bgl(?:sa_[A-Za-z0-9]{32}_[0-9a-f]{8}|c_[A-Za-z0-9+/]{32,}={0,2})"),
        ("new_relic_key", "NRAK-", r"\bNRAK-[A-Z0-9]{27}\b"),
        ("sentry_token", "sntry", r"\bsntry[su]_[A-Za-z0-9+/=_]{40,}"),
        ("postman_key", "PMAK-", r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b"),
        ("notion_token", "ntn_", r"\bntn_[A-Za-z0-9]{40,}\b"),
        ("linear_key", "lin_api_", r"\blin_api_[A-Za-z0-9]{40}\b"),
        ("figma_token", "figd_", r"\bfigd_[A-Za-z0-9_-]{40}"),
        ("atlassian_token", "ATATT3", r"\bATATT3[A-Za-z0-9_=-]{60,}"),
        ("planetscale_token", "pscale_", r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}"),
        ("supabase_token", "sbp_", r"\bsbp_[0-9a-f]{40}\b"),
        ("age_key", "AGE-SECRET-KEY-1", r"\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\b"),
        ("jwt", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        (
            "private_key",
            "PRIVATE KEY",
            r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,8000}?-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----)?",
        ),
        ("password_in_url", "://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,64}:[^\s/@]{3,128}@[\w.-]+"),
    )
)
_UNMARKED = re.compile(r"[A-Za-z0-9/+_=-]{32,64}(?![\w/+=-])")
_OWNERS = (
    "twilio", "datadog", "heroku", "cohere", "mistral", "azure", "okta", "algolia", "cloudflare", "pagerduty", "asana",
    "aws_secret",
)  # fmt: skip
_WHOSE = re.compile(
    rf"(?i)\b(?:{'|'.join(_OWNERS)})[\w .-]{{0,24}}?(?:key|token|secret|sid)[\"'` ]{{0,2}}(?:=>?|:|is)?[\"'` ]{{0,3}}\Z"
)
_WHOSE_CHARACTERS = 56
_ASSIGNED = re.compile(r"[=:]>?\s{0,3}[\"']?(?=([^\s\"',;<>{}]{8,200}))")
_ASSIGNED_TO = re.compile(
    r"(?i)(?:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?(?:key|token)|auth[_-]?token|client[_-]?secret|token|"
    r"passwd|password|pwd)[\"']?\s{0,3}\Z"
)
_NAME_PARTS = ("key", "token", "secret", "passw", "pwd")
"""Each name that `_ASSIGNED_TO` knows has one of these in it: where none stands in a text, nothing is assigned."""
_NAME_CHARACTERS = 32
_PLACEHOLDER = re.compile(r"(?i)your|xxxx|\*\*\*|\.\.\.|placeholder|changeme|redacted|\$|%\(|dummy|^[a-z_.]+$|^[A-Z_]+$|^\d+$")
_MARKED_CHARACTERS, _UNMARKED_CHARACTERS = 16, 32
"""No key with a provider's mark, and none that needs its provider's name beside it, has fewer characters in one piece."""
MIN_SECRET_ENTROPY_BITS = 3.0
"""Bits per character from which an assigned value counts as a secret. Source: Shannon entropy of English words in the
measured corpora stays below 2.9 for 8 to 20 characters; random base-62 of 16 characters is above 3.4 in 99 % of draws."""


def find_secrets(text: str) -> list[Span]:
    """Keys, tokens, private keys and passwords in a text, left to right, none overlapping another."""
    found: list[Span] = []
    words = [word for word in text.split() if len(word) >= _MARKED_CHARACTERS]
    long, folded = " ".join(words), text.casefold()
    if long or "PRIVATE KEY" in text:
        for kind, literal, pattern in _PROVIDERS:
            if literal in long or (" " in literal and literal in text):
                claim(found, (Span(kind, *m.span()) for m in pattern.finditer(text)))
    if _holds_one_of(_NAME_PARTS, folded):
        claim(found, _assigned(text))
    if any(len(word) >= _UNMARKED_CHARACTERS for word in words) and _holds_one_of(_OWNERS, folded):
        claim(found, _unmarked(text))
    return [span for span in found if not PLACEHOLDER.search(text, span.start, span.end)] if found else found


def _holds_one_of(parts: Sequence[str], text: str) -> bool:
    for part in parts:  # noqa: SIM110  (half the time of `any`, and every text comes by here)
        if part in text:
            return True
    return False


def _unmarked(text: str) -> Iterator[Span]:
    """Keys that are nothing but random characters, where the text says whose they are."""
    for match in _UNMARKED.finditer(text):
        before = max(0, match.start() - _WHOSE_CHARACTERS)
        if _looks_random(match.group()) and _WHOSE.search(text, before, match.start()):
            yield Span("assigned_secret", *match.span())


def _assigned(text: str) -> Iterator[Span]:
    """What is assigned to a name such as `api_key`; the sign is looked for first, because it is rarer than the name."""
    for place in _signs(text):
        match = _ASSIGNED.match(text, place)
        if match and _looks_random(match.group(1)) and _ASSIGNED_TO.search(text, max(0, place - _NAME_CHARACTERS), place):
            yield Span("assigned_secret", *match.span(1))


def _signs(text: str) -> list[int]:
    """Where something is assigned, perhaps; `find` crosses a text faster than a pattern."""
    found = []
    for sign in "=:":
        place = text.find(sign)
        while place >= 0:
            found.append(place)
            place = text.find(sign, place + 1)
    return sorted(found)


def _looks_random(value: str) -> bool:
    value = value.rstrip(".)!?")
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return (
        len(value) >= 8
        and mixed
        and not _PLACEHOLDER.search(value)
        and entropy_bits(value) >= MIN_SECRET_ENTROPY_BITS - (0.5 if len(value) < 12 else 0.0)
    )


def entropy_bits(text: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())
