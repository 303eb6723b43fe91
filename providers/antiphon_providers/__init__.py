"""Services behind small interfaces: voice activity, turn detection, speech-to-text, language
models, text-to-speech.

Providers speak PCM and text, never wire messages. A provider is found by name through entry
points (``registry``), is made once per process, and serves many calls at once.
"""
