"""The Arbor backend."""
