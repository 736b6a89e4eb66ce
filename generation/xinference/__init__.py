"""The only HTTP client of the model server."""

from generation.xinference.address import shared_address
from generation.xinference.client import XinferenceClient
from generation.xinference.factory import (
    ServerConnection,
    client_for,
    configured_connection,
)
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.payloads import DrawRequest
from generation.xinference.server_memory import ServerMemory

__all__ = [
    "DrawRequest",
    "ListedModel",
    "ServedModel",
    "ServerConnection",
    "ServerMemory",
    "XinferenceClient",
    "client_for",
    "configured_connection",
    "shared_address",
]
