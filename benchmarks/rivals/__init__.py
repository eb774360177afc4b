"""Other tools on the same planted rows."""
