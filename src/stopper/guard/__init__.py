"""Guard a running Flask app: one line, `Stopper(app)`, and one file for each thing it closes."""
