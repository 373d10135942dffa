"""How a call becomes facts: one inner shape, one list of steps, one commit for many calls."""
