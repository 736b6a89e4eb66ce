"""Programs that figures start: the sides that are compared, a model server and a task writer."""
