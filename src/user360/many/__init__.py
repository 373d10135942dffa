"""What is done with many people at once, and takes long: deleting and tagging them, as jobs."""
