"""Webhooks: what is signed, when it is sent, and sending it."""
