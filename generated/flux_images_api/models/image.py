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
from ..types import UNSET, Unset

T = TypeVar("T", bound="Image")


@_attrs_define
class Image:
    """One picture, as an address or as base64. The part that is not used is absent, null or empty.

    Attributes:
        url (None | str | Unset): Where to fetch the picture. Signed, and valid for about 10 minutes; never send the API
            key there.
        b64_json (None | str | Unset): The picture's file in base64, in some gateways with a `data:` prefix.
        revised_prompt (None | str | Unset): The prompt that was drawn, where the model or the gateway changed it.
    """

    url: None | str | Unset = UNSET
    b64_json: None | str | Unset = UNSET
    revised_prompt: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=lambda: {})

    def to_dict(self) -> dict[str, Any]:
        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        b64_json: None | str | Unset
        if isinstance(self.b64_json, Unset):
            b64_json = UNSET
        else:
            b64_json = self.b64_json

        revised_prompt: None | str | Unset
        if isinstance(self.revised_prompt, Unset):
            revised_prompt = UNSET
        else:
            revised_prompt = self.revised_prompt

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if url is not UNSET:
            field_dict["url"] = url
        if b64_json is not UNSET:
            field_dict["b64_json"] = b64_json
        if revised_prompt is not UNSET:
            field_dict["revised_prompt"] = revised_prompt

        return field_dict

    JSON_NAMES: ClassVar[dict[str, str]] = {
        "url": "url",
        "b64_json": "b64_json",
        "revised_prompt": "revised_prompt",
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
