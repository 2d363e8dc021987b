# Generated from openapi.yaml. Do not edit: make sdk
from typing import Literal

CreateImageRequestResponseFormat = Literal["b64_json", "url"]

CREATE_IMAGE_REQUEST_RESPONSE_FORMAT_VALUES: set[CreateImageRequestResponseFormat] = {
    "b64_json",
    "url",
}


def check_create_image_request_response_format(value: str) -> CreateImageRequestResponseFormat:
    if value in CREATE_IMAGE_REQUEST_RESPONSE_FORMAT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREATE_IMAGE_REQUEST_RESPONSE_FORMAT_VALUES!r}")
