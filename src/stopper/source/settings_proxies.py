"""Read the web servers in front of an app: nginx, Caddy, Apache and traefik files of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Location
from stopper.regex import regex
from stopper.source.files import Role, SourceFile, Tree
from stopper.source.settings_model import ProxyFile

_VALUE = r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s;{}]+)"
_NGINX = regex(rf"^[ \t]*add_header\s+{_VALUE}\s+{_VALUE}", re.MULTILINE)
_PASSED = regex(rf"^[ \t]*proxy_set_header\s+{_VALUE}\s+{_VALUE}", re.MULTILINE)
_APACHE = re.compile(
    rf"^[ \t]*Header\s+(?:always\s+|onsuccess\s+)?(?:set|append|add|merge)\s+{_VALUE}\s+{_VALUE}",
    re.MULTILINE | re.IGNORECASE,
)
_REQUEST = re.compile(rf"^[ \t]*RequestHeader\s+set\s+{_VALUE}\s+{_VALUE}", re.MULTILINE | re.IGNORECASE)
_CADDY = regex(rf"^[ \t]*(?:header\s+)?[+?]?([A-Z][A-Za-z]*(?:-[A-Za-z]+)+)\s+{_VALUE}", re.MULTILINE)
_CADDY_UP = regex(rf"^[ \t]*header_up\s+{_VALUE}\s+{_VALUE}", re.MULTILINE)
_TRAEFIK = regex(r"^[ \t]*([A-Z][A-Za-z]*(?:-[A-Za-z]+)+)\s*[:=]\s*[\"']?([^\"'\n]+)", re.MULTILINE)
_NAMES = re.compile(r"^[ \t]*(?:server_name|ServerName|ServerAlias)\s+([^;\n]+)", re.MULTILINE)
_TLS = re.compile(
    r"return\s+30[18]\s+https://|rewrite\s.*https://|RewriteRule\s.*https://|"
    r"Redirect(?:\s+permanent)?\s+\S+\s+https://|redirectScheme|redirections",
    re.IGNORECASE,
)
_LISTENS = re.compile(
    r"^[ \t]*listen\s+[^;]*(?:443|\bssl\b)|SSLEngine\s+on|<VirtualHost[^>]*:443|websecure",
    re.MULTILINE | re.IGNORECASE,
)


def proxies_in(tree: Tree) -> Iterator[ProxyFile]:
    """Yield what the web server files of the tree say."""
    for file in tree.files:
        kind = _kind(file) if file.role is not Role.TEST else ""
        if kind:
            yield _read(file, kind)


def _kind(file: SourceFile) -> str:
    name, path = file.name.lower(), file.path.lower()
    if name == "caddyfile" or name.endswith(".caddyfile"):
        return "caddy"
    if "traefik" in name and name.endswith((".yml", ".yaml", ".toml")):
        return "traefik"
    if not (
        name.endswith((".conf", ".conf.template", ".conf.j2", ".nginx", ".vhost", ".jnj"))
        or "sites-" in path
        or name == ".htaccess"
    ):
        return ""
    text = file.text.content
    if re.search(
        r"^\s*(server|location|upstream|http)\b[^\n]*\{|^\s*(add_header|proxy_pass)\s", text, re.MULTILINE
    ):
        return "nginx"
    return (
        "apache"
        if re.search(r"<VirtualHost|<Directory|ProxyPass|RewriteEngine|^\s*Header\s", text, re.MULTILINE)
        else ""
    )


def _read(file: SourceFile, kind: str) -> ProxyFile:
    out, up = {"nginx": (_NGINX, _PASSED), "apache": (_APACHE, _REQUEST), "caddy": (_CADDY, _CADDY_UP)}.get(
        kind, (_TRAEFIK, None)
    )
    text = file.text.content
    names = tuple(word for found in _NAMES.findall(text) for word in found.split() if word != "_")
    if kind == "caddy":
        names = tuple(re.findall(r"^((?:https?://)?[\w*-]+(?:\.[\w-]+)+)[^\n]*\{", text, re.MULTILINE))
    secure = kind == "caddy" and bool(names) and not any(name.startswith("http://") for name in names)
    return ProxyFile(
        file.path, kind, _headers(file, out), _headers(file, up) if up is not None else (), names,
        bool(_TLS.search(text)) or secure, bool(_LISTENS.search(text)) or secure,
    )  # fmt: skip


def _headers(file: SourceFile, pattern: re.Pattern[str]) -> tuple[tuple[str, str, Location], ...]:
    found = []
    for match in pattern.finditer(file.text.content):
        place = file.text.location(file.path, match.start(1), match.end(2))
        found.append((match[1].strip("\"'"), match[2].strip("\"'").strip(), place))
    return tuple(found)
