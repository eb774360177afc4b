"""Base: the decision record of the base model. What it is, whether it may be used for this, what is known to go wrong."""
