"""The kinds of files: what the engine is to select for each, and how that becomes bytes."""
