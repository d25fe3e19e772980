"""Rules on SQL and other query injection."""
