"""The queue of each model: its order, positions in it, and forecasts."""
