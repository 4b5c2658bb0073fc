"""The JSON Schema of targets.json, made from the models (draft 2020-12)."""

from __future__ import annotations

import json
from typing import Any, Final

from nmlopt.spec.models import Targets
from nmlopt.spec.text import COMMENT

SCHEMA_ID: Final = "nmlopt-targets-1.schema.json"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema as plain data. It knows the form only: `nmlopt check` knows units, references and the document."""
    made = Targets.model_json_schema(by_alias=True)
    for part in (made, *made["$defs"].values()):
        if part.get("additionalProperties") is False:
            part["patternProperties"] = {f"^\\{COMMENT}$": {"description": "Anything; it is ignored."}}
        for field in part.get("properties", {}).values():
            field.pop("title", None)
    return {"$schema": _DIALECT, "$id": SCHEMA_ID, **made}


def schema_text() -> str:
    """The text of the shipped file `schemas/v1/targets.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
