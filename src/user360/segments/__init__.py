"""Which customers: the condition language, its one compiler, and the segments named with it."""
