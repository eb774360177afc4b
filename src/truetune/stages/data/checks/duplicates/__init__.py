"""The same row again: exactly, nearly, or in other words."""
