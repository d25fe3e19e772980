"""The source vantage: files, code, settings, routes, templates, manifests and history of a project as facts."""
