"""Plan: memory, time and disk before the run, each with how it was derived, and whether tuning is the thing to try first."""
