"""What answers HTTP: authenticate, ask one selector or service, render."""
