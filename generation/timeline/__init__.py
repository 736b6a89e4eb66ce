"""Where the time of a task went: spans on one axis, the diagnosis, and both as text.

Pure functions: nothing is read or written.
"""
