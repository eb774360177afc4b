"""Looking at data: one row, a sample of rows, two states of the same data."""
