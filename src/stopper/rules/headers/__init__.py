"""Rules on security headers and cross-origin sharing."""
