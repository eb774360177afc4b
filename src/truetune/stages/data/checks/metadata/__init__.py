"""What the metadata says of rows, and whether it gives the right to train on them."""
