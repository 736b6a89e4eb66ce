"""The questions of `manage.py doctor`, one module for each part of an installation.

A question is a function that returns an `Answer`; a module lists its own. Nothing is imported
here: `redis_peer` runs without Django's applications.
"""
