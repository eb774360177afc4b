"""The rows as they are trained on: tokenised, fitted to the window, mixed with replay."""
