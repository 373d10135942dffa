"""Imports that come by themselves: where files are looked for, when, and what became of each."""
