"""The only HTTP client of the model server."""

from generation.xinference.address import shared_address
from generation.xinference.client import XinferenceClient
from generation.xinference.factory import configured_client
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.payloads import DrawRequest

__all__ = [
    "DrawRequest",
    "ListedModel",
    "ServedModel",
    "XinferenceClient",
    "configured_client",
    "shared_address",
]
