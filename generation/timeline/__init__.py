"""Where the time of a task went: spans on one axis, why it was slow, and both in words.

Pure: nothing is read here.
"""
