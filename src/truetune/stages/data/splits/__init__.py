"""Train, validation and test: cut, or as the user declares them; and the frozen test."""
