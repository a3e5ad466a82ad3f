"""Suites: a file of prompts, run over several models."""
