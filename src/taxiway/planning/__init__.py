"""Decisions as pure functions: states, problems, plans."""
