"""A model folder's own tokenizer and chat template, without torch and without transformers.

Ids come from the `tokenizers` library, as in transformers; the template is rendered as
`transformers.PreTrainedTokenizerBase.apply_chat_template` renders it (same Jinja environment, same variables). A contract
test holds both against transformers itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from truetune.core.errors import DataError, EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import Encoding, Message
from truetune.evidence.digests import bytes_digest

_NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_REPLACEMENT = "\ufffd"


class HfTokenizer:
    """`tokenizer.json` and its companions in a model folder."""

    def __init__(self, directory: Path, now: Callable[[], datetime] = datetime.now) -> None:
        """Read the folder once. `now` is what a template that writes today's date is told.

        Raises:
            UsageError: the folder has no `tokenizer.json`.
            EvidenceError: one of the files cannot be read.
            EnvironmentFault: the `tokenizers` package is not installed.
        """
        self._directory = directory
        self._now = now
        self._config = _json_object(directory / "tokenizer_config.json")
        self._named = _named_tokens(directory, self._config)
        self._tokenizer = _load(directory, self._config, self._named)
        self._source = _template_source(directory, self._config)
        self._compiled: Any = None
        self._eos_ids = self._find_eos_ids()

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        """The tokenizer's end token first, then what the generation config and the model config add."""
        return self._eos_ids

    @property
    def template_digest(self) -> str | None:
        """Digest of the template's source text, None where the model has none."""
        return None if self._source is None else bytes_digest(self._source.encode("utf-8"))

    @property
    def vocabulary_size(self) -> int:
        """Token ids including added tokens."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The conversation as the template writes it, default system prompt and all.

        Raises:
            UsageError: the model has no chat template.
            DataError: the template refuses the conversation.
        """
        import jinja2

        if self._compiled is None:
            self._compiled = self._compile()
        try:
            text = self._compiled.render(
                messages=[dict(m) for m in messages],
                tools=None,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self._named,
            )
        except (jinja2.TemplateError, TypeError, ValueError, LookupError) as error:
            roles = ", ".join(m.get("role", "?") for m in messages)
            raise DataError(
                "data.template.refused",
                f"the model's chat template refuses a conversation with the roles {roles}",
                why=str(error),
                fix="change the rows to the roles that the template knows, or use another base model",
                where=str(self._directory),
            ) from error
        return str(text)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenise rendered texts. A lone surrogate, which no tokenizer can read, counts as U+FFFD."""
        encodings = self._tokenizer.encode_batch([_readable(text) for text in texts], add_special_tokens=False)
        return [Encoding(tuple(e.ids), tuple((int(a), int(b)) for a, b in e.offsets)) for e in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, special tokens included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def _compile(self) -> Any:
        import jinja2

        if self._source is None:
            raise UsageError(
                "base.no_chat_template",
                "the model has no chat template",
                why="a base model that was never tuned for chat does not say how a conversation is written",
                fix="name the -Instruct or -Chat variant of the model as `base` in truetune.yaml",
                where=str(self._directory),
            )
        try:
            return _environment(self._now).from_string(self._source)
        except jinja2.TemplateSyntaxError as error:
            raise EvidenceError(
                "base.template_syntax",
                "the model's chat template is not valid Jinja",
                why=f"line {error.lineno}: {error.message}",
                fix="download the model again, or correct its chat_template.jinja",
                where=str(self._directory),
            ) from error

    def _find_eos_ids(self) -> tuple[int, ...]:
        named = self._named.get("eos_token")
        found = [self._tokenizer.token_to_id(named)] if named else []
        for name in ("generation_config.json", "config.json"):
            value = _json_object(self._directory / name).get("eos_token_id")
            found.extend(value if isinstance(value, list) else [value])
        return tuple(dict.fromkeys(i for i in found if isinstance(i, int)))


def _load(directory: Path, config: dict[str, Any], named: dict[str, str]) -> Any:
    path = directory / "tokenizer.json"
    if not path.is_file():
        raise UsageError(
            "base.no_tokenizer",
            f"{directory.name} has no tokenizer.json",
            why="truetune reads the one-file format of the `tokenizers` library",
            fix="load the tokenizer with transformers' AutoTokenizer and save_pretrained() it into the model's folder",
            where=str(path),
        )
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise EnvironmentFault(
            "environment.missing_extra",
            "the model's tokenizer needs the package `tokenizers`",
            why="it comes with the extra `train`, which is not installed",
            fix="pip install 'truetune[train]'",
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises bare Exception
        raise _unreadable(path, str(error)) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    _keep_whole_offsets(tokenizer)
    _add_missing_tokens(tokenizer, config, named)
    return tokenizer


def _keep_whole_offsets(tokenizer: Any) -> None:
    """Without this, RoBERTa-like post-processors cut the spaces off a token's offsets, and a token of spaces has none.

    No special token is ever added here, so nothing else of the post-processor is lost.
    """
    from tokenizers import processors

    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)


def _add_missing_tokens(tokenizer: Any, config: dict[str, Any], named: dict[str, str]) -> None:
    """Tokens that only `tokenizer_config.json` knows are added in order of their ids, as transformers does."""
    from tokenizers import AddedToken

    present = {str(token) for token in tokenizer.get_added_tokens_decoder().values()}
    listed = config.get("added_tokens_decoder") or {}
    for identifier in sorted(listed, key=int):
        entry = dict(listed[identifier])
        if entry.get("content") not in present:
            flags = {k: bool(entry.get(k, False)) for k in ("single_word", "lstrip", "rstrip", "normalized", "special")}
            tokenizer.add_tokens([AddedToken(entry["content"], **flags)])
            present.add(entry["content"])
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in named.values() if text not in present])


def _named_tokens(directory: Path, config: dict[str, Any]) -> dict[str, str]:
    merged = {**_json_object(directory / "special_tokens_map.json"), **config}
    values = {name: merged.get(name) for name in _NAMED_TOKENS}
    texts = {name: value.get("content") if isinstance(value, dict) else value for name, value in values.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _template_source(directory: Path, config: dict[str, Any]) -> str | None:
    path = directory / "chat_template.jinja"
    if path.is_file():
        # With universal newlines, as transformers reads it: a template with CRLF would give other token ids.
        return path.read_text(encoding="utf-8")
    template = config.get("chat_template")
    if isinstance(template, list):
        named = {entry["name"]: entry["template"] for entry in template}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _json_object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    return value if isinstance(value, dict) else {}


def _unreadable(path: Path, why: str) -> EvidenceError:
    fix = "download the model again; a copy that was cut short cannot be repaired"
    return EvidenceError("base.unreadable", f"{path.name} of the model cannot be read", why=why, fix=fix, where=str(path))


def _readable(text: str) -> str:
    return "".join(_REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in text) if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _environment(now: Callable[[], datetime]) -> Any:
    """The Jinja environment that chat templates are written for.

    Source: transformers 5, `utils/chat_template_utils.py`: sandboxed, trim_blocks, lstrip_blocks, loop controls, the
    `generation` block, and `raise_exception`, `strftime_now` and a plain `tojson`.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_generation_block(), "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: now().strftime(form)
    return environment


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _generation_block() -> type[Any]:
    """`{% generation %}` marks what assistants say; for the text it is transparent."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class GenerationBlock(Extension):
        """Renders its body in a scope of its own, as a call block does."""

        tags = {"generation"}  # noqa: RUF012 - Jinja's own declaration

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

        def _body(self, caller: Callable[[], str]) -> str:
            return caller()

    return GenerationBlock
