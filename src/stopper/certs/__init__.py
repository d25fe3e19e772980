"""Certificates: obtain, renew, keep and revoke them by ACME (RFC 8555). Needs the extra ``cert``."""
