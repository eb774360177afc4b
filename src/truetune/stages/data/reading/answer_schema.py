"""The JSON schema (Draft 2020-12) that the user declares for the answers: read once, held against each answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from truetune.core.errors import ConfigError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

CODE = "config.answer_schema"


def read_schema(path: Path, shown: str) -> str:
    """The schema of a file, as JSON in one line.

    Raises:
        ConfigError: there is no such file, it is not JSON, no valid schema, or one that refers to another file.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only a declared schema pays for it
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(shown, f"it cannot be read: {error.strerror}", f"ls -l {shown}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(shown, f"it is not JSON: {error}", f"python -m json.tool {shown}") from error
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise _unusable(shown, f"at {error.json_path}: {error.message}", "correct the schema there") from error
    outside = next(_outside_references(schema), None)
    if outside is not None:
        raise _unusable(shown, f"it refers to {outside!r}", "put what is referred to under $defs in the same file")
    return json.dumps(schema, sort_keys=True, ensure_ascii=False)


def _unusable(shown: str, why: str, fix: str) -> ConfigError:
    return ConfigError(CODE, f"{shown} is no schema that answers can be held against", why=why, fix=fix, where=shown)


def _outside_references(schema: object) -> Iterator[str]:
    """References to other files and to the network, which are never followed."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#"):
                yield value
            yield from _outside_references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _outside_references(value)


@lru_cache(maxsize=8)
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    # An empty registry: nothing is ever fetched.
    return Draft202012Validator(json.loads(schema), registry=Registry())


def violation(answer: str, schema: str) -> tuple[str, str] | None:
    """Where and how an answer does not fit, as (JSON path, message); None where it fits. Of several faults the most telling."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError) as error:
        return "$", f"the answer is not JSON: {error}"
    validator = _validator(schema)
    if validator.is_valid(value):
        return None
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    errors = list(validator.iter_errors(value))
    worst: ValidationError | None = best_match(errors)
    assert worst is not None
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return worst.json_path, f"{worst.json_path}: {worst.message}{more}"
