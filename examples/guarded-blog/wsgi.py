"""What the web server imports."""

from blog import create_app

app = create_app()
