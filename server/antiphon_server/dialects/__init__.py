"""Translations between the conversation and the wires it is spoken over."""
