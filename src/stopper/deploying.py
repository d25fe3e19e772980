"""Working configuration for what stands before and around an app: gunicorn, nginx, Caddy, systemd.

TLS follows Mozilla's intermediate profile (guideline 5.7: TLS 1.2 with ECDHE and AEAD suites, TLS 1.3). Certificates are those of ``stopper cert``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final

from stopper.policy import ACME_PREFIX, TLS_CURVES, TLS_SUITES


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed, and where."""

    domain: str
    app: str = "wsgi:app"
    """As gunicorn takes it."""
    root: Path = Path("/srv/app")
    """The folder of the project on the server."""
    user: str = "www-data"
    certs: Path = Path("/var/lib/stopper")
    """The folder of ``stopper cert``."""
    port: int = 8000
    """Where gunicorn listens behind a proxy."""

    @property
    def chain(self) -> Path:
        """Return the file of the certificate with its chain."""
        return self.certs / "live" / self.domain / "fullchain.pem"

    @property
    def key(self) -> Path:
        """Return the file of the private key."""
        return self.certs / "live" / self.domain / "privkey.pem"


_GUNICORN = Template('''\
# gunicorn.conf.py: start with `gunicorn $app`
import ssl

bind = ["0.0.0.0:443"]
certfile = "$chain"
keyfile = "$key"
workers = 4
timeout = 30
limit_request_line = 4094
limit_request_fields = 100
forwarded_allow_ips = ""  # clients reach gunicorn itself: nobody's X-Forwarded-* is believed


def ssl_context(config, default_ssl_context_factory):
    """Speak TLS as Mozilla's intermediate profile has it."""
    context = default_ssl_context_factory()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("$suites")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context
''')

_BEHIND = Template("""\
# gunicorn.conf.py: behind nginx or Caddy on the same machine; start with `gunicorn $app`
bind = ["127.0.0.1:$port"]
workers = 4
timeout = 30
forwarded_allow_ips = "127.0.0.1"
# In the app's settings: STOPPER_PROXIES = 1, TRUSTED_HOSTS = ["$domain"]
""")

_NGINX = Template("""\
# /etc/nginx/conf.d/$domain.conf; see that it is right: nginx -t
server {
    listen 80;
    listen [::]:80;
    server_name $domain;
    server_tokens off;

    location $acme {
        proxy_pass http://127.0.0.1:$port;
        proxy_set_header Host $$host;
    }
    location / {
        return 308 https://$$host$$request_uri;
    }
}

server {
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name $domain;
    server_tokens off;

    ssl_certificate $chain;
    ssl_certificate_key $key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers $suites;
    ssl_ecdh_curve $curves;
    ssl_prefer_server_ciphers off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:stopper:10m;
    ssl_session_tickets off;

    client_max_body_size 16m;
    client_body_timeout 15s;
    client_header_timeout 15s;

    location / {
        proxy_pass http://127.0.0.1:$port;
        proxy_set_header Host $$host;
        proxy_set_header X-Forwarded-For $$remote_addr;
        proxy_set_header X-Forwarded-Proto $$scheme;
        proxy_set_header X-Forwarded-Host $$host;
        proxy_set_header X-Forwarded-Prefix "";
    }
}

# Whoever asks for another name is not answered.
server {
    listen 80 default_server;
    listen 443 ssl default_server;
    ssl_reject_handshake on;
    return 444;
}
""")

_CADDY = Template("""\
# Caddyfile; see that it is right: caddy validate --adapter caddyfile --config Caddyfile
{
    servers {
        timeouts {
            read_header 15s
            read_body 15s
        }
    }
}

$domain {
    tls $chain $key {
        protocols tls1.2 tls1.3
    }
    request_body {
        max_size 16MB
    }
    header -Server
    reverse_proxy 127.0.0.1:$port
}

http://$domain {
    handle $acme* {
        reverse_proxy 127.0.0.1:$port
    }
    handle {
        redir https://{host}{uri} 308
    }
}
""")

_SYSTEMD = Template("""\
# /etc/systemd/system/$unit.service
[Unit]
Description=$domain
After=network-online.target
Wants=network-online.target

[Service]
User=$user
WorkingDirectory=$root
EnvironmentFile=$root/.env
ExecStart=$root/.venv/bin/gunicorn $app
ExecReload=/bin/kill -HUP $$MAINPID
Restart=on-failure
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
CapabilityBoundingSet=
ReadWritePaths=$root/instance

[Install]
WantedBy=multi-user.target

# /etc/systemd/system/$unit-cert.service
[Unit]
Description=Renew the certificate of $domain

[Service]
Type=oneshot
ExecStart=$root/.venv/bin/stopper cert renew $domain --production --folder $certs --shared $certs/challenges --hook "systemctl reload nginx"

# /etc/systemd/system/$unit-cert.timer
[Unit]
Description=Look twice a day whether the certificate of $domain is due

[Timer]
OnCalendar=*-*-* 00/12:00:00
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
""")

_KINDS: Mapping[str, Template] = MappingProxyType(
    {
        "gunicorn": _GUNICORN,
        "gunicorn-behind": _BEHIND,
        "nginx": _NGINX,
        "caddy": _CADDY,
        "systemd": _SYSTEMD,
    }
)

KINDS: Final = tuple(_KINDS)
"""What configuration can be written for."""


def configuration(kind: str, deployment: Deployment) -> str:
    """Return the configuration of one kind, as text that the program named reads."""
    text: Callable[..., str] = _KINDS[kind].substitute
    return text(
        domain=deployment.domain, app=deployment.app, root=deployment.root, user=deployment.user, certs=deployment.certs,
        chain=deployment.chain, key=deployment.key, port=deployment.port, unit=deployment.domain.replace(".", "-"),
        suites=":".join(TLS_SUITES), curves=":".join(TLS_CURVES), acme=ACME_PREFIX,
    )  # fmt: skip
