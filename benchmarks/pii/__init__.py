"""Personal data and secrets: how much is found, how much is a false alarm, at what cost; beside presidio in one run."""
