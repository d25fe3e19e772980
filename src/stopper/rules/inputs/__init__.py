"""Rules on what a request may carry: commands, paths, redirects, uploads, CSRF."""
