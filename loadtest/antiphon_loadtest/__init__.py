"""Measures a voice agent server from outside, as callers would: through the SDK only.

python -m antiphon_loadtest response     how long until an answer is heard
python -m antiphon_loadtest callers      many callers at once, each with their own words
python -m antiphon_loadtest barge-in     how fast the agent falls silent
"""
