"""Rules on rate limits and brute force."""
