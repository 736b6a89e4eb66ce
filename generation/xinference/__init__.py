"""The only HTTP client of the model server."""

from generation.xinference.address import shared_address
from generation.xinference.client import POLL_FIRST, POLL_LATER, XinferenceClient
from generation.xinference.factory import configured_client
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.payloads import DrawRequest

__all__ = [
    "POLL_FIRST",
    "POLL_LATER",
    "DrawRequest",
    "ListedModel",
    "ServedModel",
    "XinferenceClient",
    "configured_client",
    "shared_address",
]
