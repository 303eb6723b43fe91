"""What outlives a call: agents, keys, sessions and their records, webhooks."""
