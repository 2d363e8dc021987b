# Generated from openapi.yaml. Do not edit: make sdk

"""A client library for accessing Flux Images"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
