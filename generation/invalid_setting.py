"""The error of a value that an operator set and that cannot be used."""

from __future__ import annotations


class InvalidSetting(ValueError):
    """A value that cannot be used.

    `problem` continues a sentence that begins with the variable ("has no scheme"); `suggestion` is
    a value to type, without any secret.
    """

    def __init__(self, problem: str, suggestion: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.suggestion = suggestion
