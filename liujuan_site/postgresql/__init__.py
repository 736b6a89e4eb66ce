"""Django's backend for PostgreSQL, with a cheaper look at each connection (`base`)."""
