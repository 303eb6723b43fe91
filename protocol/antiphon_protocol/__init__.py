"""What may be said on Antiphon's wires: messages, session settings, audio encodings, errors.

This package imports msgspec and pybase64 only, so that the server, the Python SDK and the
load test speak from one source, and so that schema, AsyncAPI, TypeScript and the reference
page can be generated from it.
"""

__version__ = "0.1.0"
