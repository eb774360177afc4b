"""From findings to the rows that are kept: policies, placeholders, curated files and shards."""
