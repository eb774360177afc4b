"""JSON Schemas of the files a user writes, so that editors complete and check them."""

from __future__ import annotations

from pydantic import JsonValue

from truetune.core.config import Config
from truetune.core.contract import Contract

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, JsonValue]:
    """The JSON Schema of truetune.yaml, short forms included."""
    return {"$schema": _DIALECT, **Config.model_json_schema()}


def contract_schema() -> dict[str, JsonValue]:
    """The JSON Schema of the contract, bare numbers included."""
    return {"$schema": _DIALECT, **Contract.model_json_schema()}
