"""Alarms for operators: what is wrong, and messages about it, without Prometheus."""

from __future__ import annotations

from generation.alarms.alarm_messages import test_message
from generation.alarms.alarm_watcher import AlarmWatcher, channels
from generation.alarms.heartbeat_ping import PING_INTERVAL, HeartbeatPing

__all__ = ["PING_INTERVAL", "AlarmWatcher", "HeartbeatPing", "channels", "test_message"]
