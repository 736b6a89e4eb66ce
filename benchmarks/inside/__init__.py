"""What runs in a process that has the product's rows: `python -m benchmarks.inside FIGURE`.

One module per figure; its `run` takes the options that come as JSON and gives what is printed as
JSON. Both sides of a comparison run here in turn, in one process with the product's settings.
"""
