"""Doctor: can this machine do the run? A verdict with a command to copy for everything that is wrong, without importing torch."""
