"""Where it is kept: the ledger, the warehouse, and the projector between them."""
