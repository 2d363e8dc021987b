# Generated from openapi.yaml. Do not edit: make sdk
from typing import Literal

CreateImageRequestOutputFormat = Literal["jpeg", "png"]

CREATE_IMAGE_REQUEST_OUTPUT_FORMAT_VALUES: set[CreateImageRequestOutputFormat] = {
    "jpeg",
    "png",
}


def check_create_image_request_output_format(value: str) -> CreateImageRequestOutputFormat:
    if value in CREATE_IMAGE_REQUEST_OUTPUT_FORMAT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREATE_IMAGE_REQUEST_OUTPUT_FORMAT_VALUES!r}")
