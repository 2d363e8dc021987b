# Generated from openapi.yaml. Do not edit: make sdk
"""Contains all the data models used in inputs/outputs"""

from .create_image_request import CreateImageRequest
from .create_image_request_output_format import CreateImageRequestOutputFormat
from .create_image_request_response_format import CreateImageRequestResponseFormat
from .error_detail import ErrorDetail
from .error_response import ErrorResponse
from .image import Image
from .images_response import ImagesResponse
from .images_response_metadata_type_0 import ImagesResponseMetadataType0
from .known_model import KnownModel

__all__ = (
    "CreateImageRequest",
    "CreateImageRequestOutputFormat",
    "CreateImageRequestResponseFormat",
    "ErrorDetail",
    "ErrorResponse",
    "Image",
    "ImagesResponse",
    "ImagesResponseMetadataType0",
    "KnownModel",
)
