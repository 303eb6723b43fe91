"""A session's audio as a file: user left, agent right."""
