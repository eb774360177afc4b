"""What the rows teach as a whole: measured once, read by the checks of balance and style and by the data record."""
