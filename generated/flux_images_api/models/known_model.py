# Generated from openapi.yaml. Do not edit: make sdk
from typing import Literal

KnownModel = Literal[
    "flux",
    "flux-2-flex",
    "flux-2-max",
    "flux-2-pro",
    "flux-dev",
    "flux-kontext-max",
    "flux-kontext-pro",
    "flux-pro",
    "flux-pro-1.1",
    "flux-pro-1.1-ultra",
    "flux-schnell",
]

KNOWN_MODEL_VALUES: set[KnownModel] = {
    "flux",
    "flux-2-flex",
    "flux-2-max",
    "flux-2-pro",
    "flux-dev",
    "flux-kontext-max",
    "flux-kontext-pro",
    "flux-pro",
    "flux-pro-1.1",
    "flux-pro-1.1-ultra",
    "flux-schnell",
}


def check_known_model(value: str) -> KnownModel:
    if value in KNOWN_MODEL_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_MODEL_VALUES!r}")
