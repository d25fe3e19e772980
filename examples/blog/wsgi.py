"""What the web server imports, and what `python wsgi.py` runs."""

from blog import create_app

app = create_app()

if __name__ == "__main__":
    app.run(debug=True)
