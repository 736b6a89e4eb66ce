"""Limits of what clients may send and of what is kept.

Messages, checks, constraints, templates and scripts read them here. Migrations keep the numbers of
their time: a changed limit of a column needs a migration.
"""

from __future__ import annotations

from datetime import timedelta

# one submission
MIN_SIDE = 256
MAX_SIDE = 2048
"""Pixels of width and of height."""
SIDE_MULTIPLE = 16
SIDES = range(MIN_SIDE, MAX_SIDE + 1, SIDE_MULTIPLE)
MAX_PIXELS = MAX_SIDE**2
MAX_PROMPT = 2000
"""Characters of a prompt and of a negative prompt."""
MAX_IMAGES = 4
MAX_STEPS = 100
MAX_GUIDANCE = 30
SEED_COUNT = 2**32
MAX_SEED = SEED_COUNT - 1
MAX_MODEL_NAME = 200
MAX_CANCEL_AFTER = 86_400
"""Seconds that a program may set as the time limit of its task."""
MAX_LINES = 50
"""Prompts that a page sends at once, one per line; more would only fill the queue."""

# one user
MAX_ATTACHED = 200
"""Tasks that one connection follows."""
MAX_SELECTED = 500
"""Pictures or tasks that one request names."""
MAX_NAMED = 100
"""Task ids in one address or header; headers end at 8 KiB."""
MAX_SEARCH = 200
"""Characters of a search."""

MAX_VIEWS = 20
"""Saved views of one member of staff."""
MAX_VIEW_NAME = 60
MAX_VIEW_QUERY = 1000
"""Characters of the filters of a saved view."""

MAX_WEBHOOKS = 10
"""Webhooks of an account; those of single tasks do not count."""
MAX_WEBHOOK_URL = 2000

# what is kept for a time
MAX_DAYS_KEPT = 36_500
"""Days after which the retention of a user or group may end at the latest."""
LINK_KEPT = timedelta(days=7)
"""How long a share link works."""

# messages
MAX_MESSAGE_BYTES = 65_536
"""Longest message that is read; the server in front allows more, so that it can be refused."""
MAX_QUEUED_FRAMES = 256
"""Frames that wait for one reader; beyond it the reader is brought up to date from the log."""

NUMBERED_TASKS = 1_000
"""Tasks of a queue that are numbered: all tasks behind them have the same, next position."""

# model servers
MAX_SERVER_NAME = 40
MAX_SERVER_URL = 500
MAX_ADDRESSES = 500
"""Characters of the addresses of all model servers of the settings; longer ones are hashed."""
MAX_SERVER_NOTE = 500
MAX_SERVER_WEIGHT = 100
RECENT_CALLS = 5
"""Calls of one server by whose outcomes it is rested."""

# what a model server sends
MAX_MODELS = 256
"""Rows of models, also of a server that names others each time."""
MAX_SLOTS = 1_000
"""Slots of one model, each of which is a row; GENERATION_SLOTS may ask for as many."""
MAX_ERROR_DETAIL = 2000
"""Characters that are kept of an error; a stack trace in an HTML page has no end."""
MAX_QUOTES = 2000
"""Quotes in one answer that are read, and backslashes before each; an answer has about twenty."""

MAX_REVIEW_REASON = 200
MAX_REVIEW_NOTE = 500
MAX_APPEAL = 500
MAX_RULE_WORDS = 100
MAX_CLAIMED = 120
"""Pictures that one reviewer has in hand at once."""
MAX_WORD_RULES = 1_000
"""Each submission is compared with all."""
