"""The chat template and the loss mask, held against the tokens."""
