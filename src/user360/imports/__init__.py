"""People coming in in bulk: files read, planned, checked by column, applied, taken back."""
