"""The shipped JSON Schema: up to date, described, closed."""

from __future__ import annotations

import json

from nmlopt.resources import targets_schema
from nmlopt.spec.schema import SCHEMA_ID, schema, schema_text


def test_shipped_schema_is_up_to_date():
    assert targets_schema().read_text() == schema_text(), "nmlopt schema > schemas/v1/targets.schema.json"


def test_identity():
    made = schema()
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$id"] == SCHEMA_ID
    assert "://" not in SCHEMA_ID


def test_every_object_is_closed_but_for_comments():
    for part in (schema(), *schema()["$defs"].values()):
        assert part["additionalProperties"] is False
        assert list(part["patternProperties"]) == [r"^\$comment$"]


def test_everything_is_described():
    parts = {"Targets": schema(), **schema()["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, field in part["properties"].items()
        if "description" not in field and key != "type"
    ]
    assert not bare
    assert all(part["description"] for part in parts.values())


def test_schema_is_plain_json():
    assert json.loads(schema_text()) == schema()
