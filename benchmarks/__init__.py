"""Figures of speed and memory: `python -m benchmarks [NAME …] [--quick] [--write FILE]`.

- `figures`: one module per figure; `measure(quick)` returns a Report.
- `servers`: the programs that figures start, the compared ones among them.
- `lib`: what figures share (load, databases, process statistics, reports).
- `inside`: code that runs in a process with the product's models, on PostgreSQL and on SQLite.

Sides alternate within one run, because only ratios are comparable on a shared machine.
"""
