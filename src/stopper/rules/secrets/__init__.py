"""Rules on secrets, weak randomness, debug mode and leaks of internals."""
