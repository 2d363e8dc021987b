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
        "type": "object",
        "description": "What to draw, with which model. Fields that are not listed here are passed on to the model.",
        "required": ["model", "prompt"],
        "additionalProperties": True,
        "properties": {
            "model": {
                "description": "The model's name. Names that are not known here are passed on.",
                "anyOf": [{"$ref": "#/components/schemas/KnownModel"}, {"type": "string", "minLength": 1}],
            },
            "prompt": {"description": "What the picture shows, in any language.", "type": "string", "minLength": 1},
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
                "x-ratio-range": ["21:9", "9:21"],
                "type": "string",
                "pattern": "^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$",
            },
            "n": {
                "description": "How many pictures to draw. Each is billed.",
                "type": "integer",
                "minimum": 1,
                "maximum": 10,
            },
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
                "type": "string",
                "enum": ["url", "b64_json"],
            },
            "seed": {"description": "The same seed with the same request draws the same picture.", "type": "integer"},
            "output_format": {
                "description": "The picture's file format. The model's own default is jpeg.",
                "type": "string",
                "enum": ["jpeg", "png"],
            },
            "raw": {"description": "A less processed, more natural look.", "type": "boolean"},
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
                "type": "integer",
                "minimum": 0,
                "maximum": 6,
            },
        },
    },
    "KnownModel": {
        "description": "The models that gateways of this family were seen to offer. Any operator can add more.",
        "type": "string",
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
    },
}
"""The schemas that request bodies refer to, by name."""
