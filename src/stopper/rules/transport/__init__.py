"""Rules on cookies, TLS, proxies and trusted hosts."""
