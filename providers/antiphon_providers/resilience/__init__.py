"""Wrappers that outlive the failures of what they wrap, with the same interfaces.

A wrapper holds an ordered list of candidates and a ``Policy``. It takes no progress for a
failure, leaves alone for a while what fails (``Breaker``), goes on to the next candidate as
long as nothing was given out, and, where that is wanted, asks a second one when the first is
slower than it usually is (hedging).
"""
