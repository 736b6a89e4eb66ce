"""The only HTTP client of the model server."""

from generation.xinference.address import shared_address
from generation.xinference.client import XinferenceClient
from generation.xinference.factory import configured_client
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.payloads import DrawRequest
from generation.xinference.server_memory import ServerMemory

__all__ = [
    "DrawRequest",
    "ListedModel",
    "ServedModel",
    "ServerMemory",
    "XinferenceClient",
    "configured_client",
    "shared_address",
]
