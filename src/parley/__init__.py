"""Parley: a chat playground for open models."""

__version__ = "0.1.0"
