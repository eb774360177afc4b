"""truetune: from raw data to a defensible release decision for a fine-tuned language model."""

__version__ = "0.1.0"
