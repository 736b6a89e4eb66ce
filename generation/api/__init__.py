"""The HTTP API for programs, version 1 (docs/api.md).

Operations call the same services and selectors as the socket and the pages.
"""
