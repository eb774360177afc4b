"""Which labels do the other rows speak against: a linear model that judges each row without having seen it."""
