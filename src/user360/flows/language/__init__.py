"""The language of flows: YAML in, nodes out, and every fault with its line."""
