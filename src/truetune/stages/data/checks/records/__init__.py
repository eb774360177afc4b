"""One record by itself: can it be read, and does it say something whole?"""
