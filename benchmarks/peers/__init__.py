"""Applications of other systems, as their own guides build them; they run in `.venv-peers`."""
