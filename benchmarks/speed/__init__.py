"""How fast, how complete and how large: truetune beside its peers on the same data in one run."""
