"""A row, its metadata, and many rows on disk: what every check and every command works on."""
