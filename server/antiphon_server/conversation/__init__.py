"""The conversation: pure, synchronous, deterministic.

Nothing in this package knows a socket, a clock, a task, a log or a metric; import-linter
enforces it. ``machine.step`` takes what happened and says what to do.
"""
