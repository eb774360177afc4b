"""Embedding triplets: what is called positive is one, and what is called negative is none."""
