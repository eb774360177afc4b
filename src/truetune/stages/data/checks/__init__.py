"""The checks, one file each. `registry.ALL` is their order; template checks need a tokenizer and are in `checks.template`."""
