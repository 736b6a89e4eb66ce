"""The only HTTP client of the model server."""

from generation.xinference.address import shared_address
from generation.xinference.client import POLL_FIRST, POLL_LATER, XinferenceClient
from generation.xinference.configured import configured_client
from generation.xinference.orders import DrawRequest
from generation.xinference.served import ListedModel, ServedModel

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
