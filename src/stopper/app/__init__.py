"""The app vantage: boot a project in a child process and get plain data back."""
