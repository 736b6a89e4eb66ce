"""Figures of speed and memory: `python -m benchmarks [NAME …] [--quick] [--write FILE]`.

One module per figure; each has `measure(quick)` and returns a Report. What a figure stands on is
in `stand` (servers and the sides that are compared), `databases` and `inside` (processes that have
the product's rows, on PostgreSQL and on SQLite), `client` (load), `process` (what the kernel knows
of a process) and `report` (printing). Sides take turns within one run, because only ratios mean
something on a machine that others use too.
"""
