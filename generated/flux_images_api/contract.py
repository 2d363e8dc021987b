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
        "description": "What to draw, with which model. Fields that are not listed here are passed on to the model.",
        "properties": {
            "aspect_ratio": {
                "description": "Width "
                "to "
                "height, "
                "as "
                "`W:H`. "
                "The "
                "models "
                "take "
                "any "
                "ratio "
                "between "
                "21:9 "
                "and "
                "9:21; "
                "without "
                "one "
                "the "
                "model\n"
                "decides. "
                "Some "
                "gateways "
                "drop "
                "the "
                "field "
                "and "
                "draw "
                "the "
                "model's "
                "default.\n",
                "pattern": "^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$",
                "type": "string",
                "x-ratio-range": ["21:9", "9:21"],
            },
            "model": {
                "anyOf": [{"$ref": "#/components/schemas/KnownModel"}, {"minLength": 1, "type": "string"}],
                "description": "The model's name. Names that are not known here are passed on.",
            },
            "n": {
                "description": "How many pictures to draw. Each is billed.",
                "maximum": 10,
                "minimum": 1,
                "type": "integer",
            },
            "output_format": {
                "description": "The picture's file format. The model's own default is jpeg.",
                "enum": ["jpeg", "png"],
                "type": "string",
            },
            "prompt": {"description": "What the picture shows, in any language.", "minLength": 1, "type": "string"},
            "raw": {"description": "A less processed, more natural look.", "type": "boolean"},
            "response_format": {
                "description": "Whether "
                "a "
                "picture "
                "comes "
                "as "
                "the "
                "address "
                "of "
                "a "
                "file "
                "or "
                "inside "
                "the "
                "answer, "
                "as "
                "base64. "
                "Some "
                "channels\n"
                "refuse "
                "the "
                "field.\n",
                "enum": ["url", "b64_json"],
                "type": "string",
            },
            "safety_tolerance": {
                "description": "From "
                "0, "
                "the "
                "strictest "
                "moderation, "
                "to "
                "6, "
                "the "
                "least "
                "strict. "
                "The "
                "model's "
                "own "
                "default "
                "is "
                "2.",
                "maximum": 6,
                "minimum": 0,
                "type": "integer",
            },
            "seed": {"description": "The same seed with the same request draws the same picture.", "type": "integer"},
        },
        "required": ["model", "prompt"],
        "type": "object",
    },
    "KnownModel": {
        "description": "The models that gateways of this family were seen to offer. Any operator can add more.",
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
"""The schemas that request bodies refer to, by name."""
