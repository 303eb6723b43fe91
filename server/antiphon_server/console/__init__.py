"""The web pages: the playground and the console, and the sign-in to the console."""
