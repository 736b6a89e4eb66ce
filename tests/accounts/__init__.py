"""Accounts: signing in, second factors, invitations and sessions."""
