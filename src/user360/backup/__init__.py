"""A whole data directory as one file, and back; what a workspace is, into another one."""
