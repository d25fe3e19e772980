"""What good looks like, written once: rules compare with it, fixes write it, the guard applies it.

Header values follow the OWASP Secure Headers Project (2026-07-19) and ASVS 5.0 chapter V3.4; cookie flags ASVS 5.0 V3.3; TLS
versions Mozilla's SSL configuration guideline 6.0; limits Flask's "Security Considerations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

HSTS_SECONDS: Final = 63_072_000
"""How long HSTS should hold: two years."""

HSTS_PRELOAD_SECONDS: Final = 31_536_000
"""The least that the browsers' preload list takes: a year (hstspreload.org)."""

HSTS_LEAST_SECONDS: Final = 15_552_000
"""The least that scanners take: half a year (HTTP Observatory)."""

HEADERS: Final[Mapping[str, str]] = MappingProxyType({
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Strict-Transport-Security": f"max-age={HSTS_SECONDS}; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
})  # fmt: skip
"""The headers that every answer should carry, with a value that fits most sites."""

DEMANDED: Final = (
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "Referrer-Policy",
)
"""Headers whose absence is a finding; framing is judged by X-Frame-Options or frame-ancestors (ASVS V3.4.6)."""

CSP_DIRECTIVES: Final = frozenset(
    (
        "default-src script-src script-src-elem script-src-attr style-src style-src-elem style-src-attr "
        "img-src font-src connect-src media-src object-src frame-src child-src worker-src manifest-src "
        "prefetch-src fenced-frame-src base-uri form-action frame-ancestors sandbox report-uri report-to "
        "upgrade-insecure-requests block-all-mixed-content require-trusted-types-for trusted-types "
        "navigate-to plugin-types require-sri-for webrtc"
    ).split()
)
"""The directives of CSP Level 3, and those of Level 2 that browsers still read."""

CSP_KEYWORDS: Final = frozenset(
    (
        "self none unsafe-inline unsafe-eval strict-dynamic unsafe-hashes report-sample wasm-unsafe-eval "
        "inline-speculation-rules"
    ).split()
)
"""Source keywords, which count only between single quotes (CSP Level 3, section 2.3.1)."""

STRICT_CSP: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "default-src": ("'none'",),
        "script-src": ("'nonce'", "'strict-dynamic'"),
        "style-src": ("'self'", "'nonce'"),
        "img-src": ("'self'", "data:"),
        "font-src": ("'self'", "data:"),
        "connect-src": ("'self'",),
        "media-src": ("'self'",),
        "manifest-src": ("'self'",),
        "worker-src": ("'self'",),
        "frame-src": ("'self'",),
        "form-action": ("'self'",),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
    }
)
"""A content security policy for pages whose scripts carry a nonce, written as `'nonce'` here (ASVS 5.0 V3.4.3, level 3)."""

CSP_NEEDED: Final = ("base-uri", "form-action", "frame-ancestors")
"""Directives that do not fall back to default-src (CSP Level 3, section 6)."""

SESSION_DAYS: Final = 31
"""The longest life of a session, in days: Flask's own default."""

UPLOAD_BYTES: Final = 16 * 1024 * 1024
"""The bound on a request's body, in bytes, that Flask's documentation on uploads uses."""

KEY_BYTES: Final = 16
"""The least length of a signing key, in bytes: 128 bits (ASVS 5.0 V7.2.3)."""

PUBLISHED_KEYS: Final = frozenset(
    (
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        '_5#y2L"F4Q8z\\n\\xec]/',
        '_5#y2L"F4Q8z\n\xec]/',
        "5f352379324c22463451387a0aec5d2f",
        '\xfd{H\xe5<\x95\xf9\xe3\x96.5\xd1\x01O<!\xd5\xa2\xa0\x9fR"\xa1\xa8',
        "A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
    )
)
"""Keys that Flask's own documentation shows, in this version and older ones."""

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
"""Methods that must not change anything (RFC 9110, section 9.2.1)."""

HOST_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
"""A whole host name in lower case (RFC 1123, section 2.1)."""

TLS_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""The suites of TLS 1.2 in Mozilla's intermediate profile (guideline 5.7) that need no file of DH parameters."""

TLS_SUITES_WITH_DH: Final = (
    "DHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
)
"""The profile's other suites of TLS 1.2: good where a server offers them, and written nowhere."""

TLS_CURVES: Final = ("X25519", "prime256v1", "secp384r1")
"""The curves of the same profile."""

ACME_PREFIX: Final = "/.well-known/acme-challenge/"
"""Where an ACME server asks for the answer to a challenge (RFC 8555, section 8.3)."""

ACME_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What follows there: the base64url alphabet (RFC 8555, section 8.3)."""

ACME_KEY: Final = "stopper:acme:"
"""What stands before the token in the name under which a Redis keeps an answer: ``certs/`` writes it, the guard reads it."""

PROXY_HOPS: Final = 1
"""How many proxies stand before an app unless the deployment says otherwise."""
