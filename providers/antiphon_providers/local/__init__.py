"""The embedded default of every stage: real models and engines that need no network."""
