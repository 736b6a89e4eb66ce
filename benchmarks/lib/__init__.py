"""What figures share: load, databases, processes and reports."""
