"""Rules on cross-site scripting, template injection and CSRF in templates."""
