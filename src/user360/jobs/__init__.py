"""Work that is asked for now and asked after later: each job is a row."""
