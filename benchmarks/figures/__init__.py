"""Figures: each module has `measure(quick)` and returns a Report."""
