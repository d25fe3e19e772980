"""Rules on the packages that the application stands on."""
