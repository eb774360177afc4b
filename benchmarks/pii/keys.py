"""Keys and tokens in the form of each provider; random, they open nothing. And what resembles a key and is none."""

from __future__ import annotations

import base64
import json
import random
import string

from benchmarks.pii.values import Maker

_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "-_"
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits


def _of(*parts: str | tuple[str, int]) -> Maker:
    """A maker of texts: literal parts as they are, (alphabet, count) at random."""

    def make(rng: random.Random) -> str:
        return "".join(part if isinstance(part, str) else "".join(rng.choices(part[0], k=part[1])) for part in parts)

    return make


def _private_key(rng: random.Random) -> str:
    kind = rng.choice(("RSA ", "EC ", "OPENSSH ", "DSA ", "ENCRYPTED ", ""))
    body = "\n".join("".join(rng.choices(_ALNUM + "+/", k=64)) for _ in range(rng.randrange(3, 20)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


def _web_token(rng: random.Random) -> str:
    parts = ({"alg": "HS256"}, {"sub": str(rng.randrange(10**9)), "iat": rng.randrange(10**9)})
    written = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*written, _of((_URL, 43))(rng)])


def _google_account(rng: random.Random) -> str:
    return (
        '{"type": "service_account", "private_key_id": "'
        + _of((_HEX, 40))(rng)
        + '", "private_key": "'
        + _private_key(rng).replace("\n", "\\n")
        + '"}'
    )


KEYS: dict[str, Maker] = {
    "AWS access key": _of("AKIA", (string.ascii_uppercase + "234567", 16)),
    "AWS temporary key": _of("ASIA", (string.ascii_uppercase + "234567", 16)),
    "AWS secret key": _of("aws_secret_access_key = ", (_ALNUM + "+/", 40)),
    "GitHub token": _of("ghp_", (_ALNUM, 36)),
    "GitHub app token": _of("ghs_", (_ALNUM, 36)),
    "GitHub fine-grained": _of("github_pat_", (_ALNUM, 22), "_", (_ALNUM, 59)),
    "GitLab token": _of("glpat-", (_URL, 20)),
    "Slack bot token": _of("xoxb-", (string.digits, 12), "-", (string.digits, 13), "-", (_ALNUM, 24)),
    "Slack app token": _of("xapp-1-A", (_UPPER, 10), "-", (string.digits, 13), "-", (_HEX, 64)),
    "Slack webhook": _of("https://hooks.slack.com/services/T", (_UPPER, 10), "/B", (_UPPER, 10), "/", (_ALNUM, 24)),
    "Discord webhook": _of("https://discord.com/api/webhooks/", (string.digits, 19), "/", (_URL, 68)),
    "Telegram bot token": _of((string.digits, 10), ":AA", (_URL, 33)),
    "Google API key": _of("AIza", (_URL, 35)),
    "Google OAuth secret": _of("GOCSPX-", (_URL, 28)),
    "Google service account": _google_account,
    "Stripe secret key": _of("sk_live_", (_ALNUM, 24)),
    "Stripe restricted key": _of("rk_live_", (_ALNUM, 99)),
    "Stripe webhook secret": _of("whsec_", (_ALNUM, 32)),
    "OpenAI key": _of("sk-", (_ALNUM, 20), "T3BlbkFJ", (_ALNUM, 20)),
    "OpenAI project key": _of("sk-proj-", (_URL, 74), "T3BlbkFJ", (_URL, 74)),
    "Anthropic key": _of("sk-ant-api03-", (_URL, 93), "AA"),
    "OpenRouter key": _of("sk-or-v1-", (_HEX, 64)),
    "Hugging Face token": _of("hf_", (string.ascii_letters, 34)),
    "Groq key": _of("gsk_", (_ALNUM, 52)),
    "xAI key": _of("xai-", (_ALNUM, 80)),
    "Perplexity key": _of("pplx-", (_ALNUM, 48)),
    "Replicate token": _of("r8_", (_ALNUM, 37)),
    "LangSmith key": _of("lsv2_pt_", (_HEX, 32), "_", (_HEX, 10)),
    "Databricks token": _of("dapi", (_HEX, 32)),
    "npm token": _of("npm_", (_ALNUM, 36)),
    "PyPI token": _of("pypi-AgEIcHlwaS5vcmc", (_URL, 140)),
    "RubyGems key": _of("rubygems_", (_HEX, 48)),
    "Docker Hub token": _of("dckr_pat_", (_URL, 27)),
    "SendGrid key": _of("SG.", (_URL, 22), ".", (_URL, 43)),
    "Mailgun key": _of("key-", (_HEX, 32)),
    "Mailchimp key": _of((_HEX, 32), "-us14"),
    "Brevo key": _of("xkeysib-", (_HEX, 64), "-", (_ALNUM, 16)),
    "Twilio key": _of("SK", (_HEX, 32)),
    "Shopify token": _of("shpat_", (_HEX, 32)),
    "Square token": _of("sq0atp-", (_URL, 22)),
    "DigitalOcean token": _of("dop_v1_", (_HEX, 64)),
    "Azure storage key": _of("DefaultEndpointsProtocol=https;AccountName=stock;AccountKey=", (_ALNUM + "+/", 86), "=="),
    "Vault token": _of("hvs.", (_URL, 90)),
    "Terraform token": _of((_ALNUM, 14), ".atlasv1.", (_URL, 67)),
    "Pulumi token": _of("pul-", (_HEX, 40)),
    "Grafana token": _of("glsa_", (_ALNUM, 32), "_", (_HEX, 8)),
    "New Relic key": _of("NRAK-", (_UPPER, 27)),
    "Sentry token": _of("sntrys_", (_ALNUM, 80)),
    "Postman key": _of("PMAK-", (_HEX, 24), "-", (_HEX, 34)),
    "Notion token": _of("ntn_", (_ALNUM, 46)),
    "Linear key": _of("lin_api_", (_ALNUM, 40)),
    "Figma token": _of("figd_", (_URL, 40)),
    "Atlassian token": _of("ATATT3xFfGF0", (_URL, 170), "=", (string.hexdigits[:16].upper(), 8)),
    "Supabase token": _of("sbp_", (_HEX, 40)),
    "age key": _of("AGE-SECRET-KEY-1", ("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    "private key": _private_key,
    "web token": _web_token,
    "password in a URL": _of("postgres://shop:", (_ALNUM, 14), "@db.example.com/orders"),
    "Redis URL": _of("redis://:", (_ALNUM, 20), "@cache.example.com:6379"),
    "password, assigned": _of("password: ", (string.ascii_letters, 6), (string.digits, 3), "!", (string.ascii_letters, 3)),
    "API key, assigned": _of('api_key = "', (_ALNUM, 32), '"'),
    "client secret, assigned": _of("client_secret=", (_URL, 40)),
}
KEY_CARRIERS = (
    "I set it up with {} as the manual says.",
    "The log shows {} in clear.",
    "{}",
    "My config has this line:\n{}\nand still fails.",
)


def _documentation(rng: random.Random) -> str:
    return rng.choice(
        (
            "api_key = your_api_key_here",
            "token: <TOKEN>",
            "password=${PASSWORD}",
            "export GITHUB_TOKEN=ghp_xxxx",
            "sk-...",
            "password: please reset it",
            "AKIA****************",
            "Authorization: Bearer <token>",
        )
    )


NO_KEYS: dict[str, Maker] = {
    "documentation": _documentation,
    "git commit": _of("commit ", (_HEX, 40)),
    "sha256": _of("sha256:", (_HEX, 64)),
    "UUID": _of((_HEX, 8), "-", (_HEX, 4), "-", (_HEX, 4), "-", (_HEX, 4), "-", (_HEX, 12)),
    "image digest": _of("registry.example.com/app@sha256:", (_HEX, 64)),
    "order number": _of("order ", (_UPPER, 12)),
    "tracking number": _of("1Z", (_UPPER, 6), (string.digits, 10)),
    "long link": _of("https://shop.example.com/account/orders/", (string.digits, 8), "?ref=mail_", (_HEX, 12)),
    "snake case name": _of("sk_", (string.ascii_lowercase, 6), "_", (string.ascii_lowercase, 8), "_total"),
    "css class": _of("sk-", (string.ascii_lowercase, 8), "-", (string.ascii_lowercase, 9), "-panel"),
    "base64 image": _of("data:image/png;base64,iVBORw0KGgo", (_ALNUM, 60)),
    "password reset": _of("my password expired on 2024-05-1", (string.digits, 1)),
    "token count": _of("the token limit is 4", (string.digits, 3)),
}
