"""The voice agent server: conversation, call, edge."""
