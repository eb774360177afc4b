"""The data as a whole: how much there is, of what, and how evenly."""
