"""What the customer did: events, their definitions, the log they are kept in, timelines."""
