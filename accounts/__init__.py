"""Users, their passwords and the tokens of their programs."""
