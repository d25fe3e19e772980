import os
import sqlite3

from dotenv import load_dotenv
from flask import Flask, redirect, render_template, request, session
from flask_limiter import Limiter
from flask_talisman import Talisman

load_dotenv()

app = Flask(__name__)
app.secret_key = os.environ.get('SECRET_KEY')
app.config['SESSION_COOKIE_SECURE'] = True

Talisman(app, force_https=True, content_security_policy={
    'default-src': "'self'",
    'script-src': ["'self'", "'unsafe-inline'"],
})

limiter = Limiter(app, key_func=lambda: request.remote_addr)


@app.route('/login', methods=['GET'])
def login_form():
    return render_template('login.html')


@app.route('/login', methods=['POST'])
@limiter.limit("5 per minute")
def login():
    email = request.form['email']
    cursor = sqlite3.connect('app.db').cursor()
    cursor.execute("SELECT * FROM users WHERE email = ?", (email,))
    user = cursor.fetchone()
    if user is None:
        return render_template('login.html'), 401
    session['user'] = user[0]
    return redirect('/')
