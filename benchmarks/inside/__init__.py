"""Code that runs in a process with the product's models: `python -m benchmarks.inside MODULE`.

`run` of the module takes options from JSON and returns JSON. Both sides of a comparison alternate
in one process with the product's settings.
"""
