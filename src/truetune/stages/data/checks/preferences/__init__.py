"""Preference pairs: the pair, the graph of all pairs, and what decides them but should not."""
