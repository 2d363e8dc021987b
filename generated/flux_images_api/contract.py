# Generated from openapi.yaml. Do not edit: make sdk
"""What the contract says beyond the types: where operations are, what is billed, what bodies must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Operation(NamedTuple):
    """One operation of the contract.

    Attributes:
        method: The HTTP method, in capitals.
        path: The path, with its parameters in braces.
        billed: Whether a success costs money.
        body: The JSON Schema of the JSON body, its references pointing into SCHEMAS; None where there is none.
    """

    method: str
    path: str
    billed: bool
    body: Mapping[str, Any] | None


SERVER: Final[str] = "https://gnomic.nengyongai.cn"
"""The address of the contract's first server."""

OPERATIONS: Final[Mapping[str, Operation]] = {
    "create_image": Operation(
        "POST", "/v1/images/generations", True, {"$ref": "#/components/schemas/CreateImageRequest"}
    ),
}
"""The operations by their operationId, or by method and path where they have none."""

SCHEMAS: Final[Mapping[str, Any]] = {
    "CreateImageRequest": {
        "additionalProperties": True,
        "properties": {
            "aspect_ratio": {
                "pattern": "^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$",
                "type": "string",
                "x-ratio-range": ["21:9", "9:21"],
            },
            "model": {"anyOf": [{"$ref": "#/components/schemas/KnownModel"}, {"minLength": 1, "type": "string"}]},
            "n": {"maximum": 10, "minimum": 1, "type": "integer"},
            "output_format": {"enum": ["jpeg", "png"], "type": "string"},
            "prompt": {"minLength": 1, "type": "string"},
            "raw": {"type": "boolean"},
            "response_format": {"enum": ["url", "b64_json"], "type": "string"},
            "safety_tolerance": {"maximum": 6, "minimum": 0, "type": "integer"},
            "seed": {"type": "integer"},
        },
        "required": ["model", "prompt"],
        "type": "object",
    },
    "KnownModel": {
        "enum": [
            "flux-pro-1.1-ultra",
            "flux-pro-1.1",
            "flux-pro",
            "flux-dev",
            "flux-schnell",
            "flux",
            "flux-kontext-pro",
            "flux-kontext-max",
            "flux-2-pro",
            "flux-2-flex",
            "flux-2-max",
        ],
        "type": "string",
    },
}
"""The schemas that request bodies refer to, by name, without their prose."""
