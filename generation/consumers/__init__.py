"""Sockets: who is there, what he says, and what he is told."""

from __future__ import annotations

from generation.consumers.generate import GenerateConsumer

__all__ = ["GenerateConsumer"]
