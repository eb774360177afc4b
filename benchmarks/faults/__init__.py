"""Planted faults: what the data gate finds of what was hidden, and what it flags that is clean."""
