"""Other people's dialects, translated at the edge into one inner shape. No SQL here."""
