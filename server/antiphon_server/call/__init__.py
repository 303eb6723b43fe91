"""The shell of one call: microphone, reply, outbox, clock, and the session that holds them."""
