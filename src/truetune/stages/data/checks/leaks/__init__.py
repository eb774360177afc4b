"""What a test may not know beforehand, and the prompt may not give away."""
