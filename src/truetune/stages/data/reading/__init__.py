"""From the user's files to rows: opened, decoded, parsed, told apart by format."""
