"""The wire vantage: ask a live site, within a budget, and keep its answers as plain data."""
