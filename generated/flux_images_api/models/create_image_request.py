# Generated from openapi.yaml. Do not edit: make sdk
from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    ClassVar,
    TypeVar,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from .._decode import decode_model
from ..models.create_image_request_output_format import (
    CreateImageRequestOutputFormat,
)
from ..models.create_image_request_response_format import (
    CreateImageRequestResponseFormat,
)
from ..models.known_model import KnownModel
from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateImageRequest")


@_attrs_define
class CreateImageRequest:
    """What to draw, with which model. Fields that are not listed here are passed on to the model.

    Attributes:
        model (KnownModel | str): The model's name. Names that are not known here are passed on.
        prompt (str): What the picture shows, in any language.
        aspect_ratio (str | Unset): Width to height, as `W:H`. The models take any ratio between 21:9 and 9:21; without
            one the model
            decides. Some gateways drop the field and draw the model's default.
        n (int | Unset): How many pictures to draw. Each is billed.
        response_format (CreateImageRequestResponseFormat | Unset): Whether a picture comes as the address of a file or
            inside the answer, as base64. Some channels
            refuse the field.
        seed (int | Unset): The same seed with the same request draws the same picture.
        output_format (CreateImageRequestOutputFormat | Unset): The picture's file format. The model's own default is
            jpeg.
        raw (bool | Unset): A less processed, more natural look.
        safety_tolerance (int | Unset): From 0, the strictest moderation, to 6, the least strict. The model's own
            default is 2.
    """

    model: KnownModel | str
    prompt: str
    aspect_ratio: str | Unset = UNSET
    n: int | Unset = UNSET
    response_format: CreateImageRequestResponseFormat | Unset = UNSET
    seed: int | Unset = UNSET
    output_format: CreateImageRequestOutputFormat | Unset = UNSET
    raw: bool | Unset = UNSET
    safety_tolerance: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=lambda: {})

    def to_dict(self) -> dict[str, Any]:
        model: str
        model = self.model

        prompt = self.prompt

        aspect_ratio = self.aspect_ratio

        n = self.n

        response_format = self.response_format

        seed = self.seed

        output_format = self.output_format

        raw = self.raw

        safety_tolerance = self.safety_tolerance

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model": model,
                "prompt": prompt,
            }
        )
        if aspect_ratio is not UNSET:
            field_dict["aspect_ratio"] = aspect_ratio
        if n is not UNSET:
            field_dict["n"] = n
        if response_format is not UNSET:
            field_dict["response_format"] = response_format
        if seed is not UNSET:
            field_dict["seed"] = seed
        if output_format is not UNSET:
            field_dict["output_format"] = output_format
        if raw is not UNSET:
            field_dict["raw"] = raw
        if safety_tolerance is not UNSET:
            field_dict["safety_tolerance"] = safety_tolerance

        return field_dict

    JSON_NAMES: ClassVar[dict[str, str]] = {
        "model": "model",
        "prompt": "prompt",
        "aspect_ratio": "aspect_ratio",
        "n": "n",
        "response_format": "response_format",
        "seed": "seed",
        "output_format": "output_format",
        "raw": "raw",
        "safety_tolerance": "safety_tolerance",
    }

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        """The model that a JSON object describes.

        Raises:
            errors.DecodeError: The object, or a value at any depth of it, is not of the declared type.
        """
        return decode_model(cls, src_dict)

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
