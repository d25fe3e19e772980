"""Holes of the packages that most Flask apps have, and the releases that mended them.

Compiled by hand in November 2026 from the GitHub advisory of each CVE and the change logs of the packages. No
substitute for an advisory database: it answers where none is given.
"""

from __future__ import annotations

from stopper.finding import Severity
from stopper.records import dataclass


@dataclass(frozen=True, slots=True)
class FixedHole:
    """A hole of a package, and the releases that mended it."""

    name: str
    identifier: str
    what: str
    """What an attacker gains, as the end of "lets ..."; names the condition where there is one."""
    severity: Severity
    ranges: tuple[tuple[str, str], ...]
    """Half-open: from the version that brought the hole ("0": all older ones) to the one that mended it."""


FIXED_HOLES = (
    FixedHole(
        "flask",
        "CVE-2023-30861",
        "lets a caching proxy hand one user's session cookie to another",
        Severity.HIGH,
        (("0", "2.2.5"), ("2.3.0", "2.3.2")),
    ),
    FixedHole(
        "flask",
        "CVE-2025-47278",
        "signs sessions with the oldest key of SECRET_KEY_FALLBACKS",
        Severity.LOW,
        (("3.1.0", "3.1.1"),),
    ),
    FixedHole(
        "flask",
        "CVE-2026-27205",
        "lets a caching proxy keep a page that only asks whether a key is in the session",
        Severity.LOW,
        (("0", "3.1.3"),),
    ),
    FixedHole(
        "werkzeug",
        "CVE-2023-25577",
        "lets a form of very many parts use up memory and processor",
        Severity.HIGH,
        (("0", "2.2.3"),),
    ),
    FixedHole(
        "werkzeug",
        "CVE-2023-46136",
        "lets a crafted multipart body use up the processor",
        Severity.HIGH,
        (("0", "2.3.8"), ("3.0.0", "3.0.1")),
    ),
    FixedHole(
        "werkzeug",
        "CVE-2024-34069",
        "lets another site run code through the debugger, where that is on",
        Severity.HIGH,
        (("0", "3.0.3"),),
    ),
    FixedHole(
        "werkzeug",
        "CVE-2024-49767",
        "lets a multipart body use up memory past max_form_memory_size",
        Severity.MEDIUM,
        (("0", "3.0.6"),),
    ),
    FixedHole(
        "jinja2",
        "CVE-2020-28493",
        "lets text given to urlize use up the processor",
        Severity.MEDIUM,
        (("0", "2.11.3"),),
    ),
    FixedHole(
        "jinja2",
        "CVE-2024-22195",
        "lets attribute names given to xmlattr inject HTML",
        Severity.MEDIUM,
        (("0", "3.1.3"),),
    ),
    FixedHole(
        "jinja2",
        "CVE-2024-34064",
        "lets attribute names given to xmlattr inject HTML",
        Severity.MEDIUM,
        (("0", "3.1.4"),),
    ),
    FixedHole(
        "jinja2",
        "CVE-2025-27516",
        "lets a template that users write break out of the sandbox",
        Severity.MEDIUM,
        (("0", "3.1.6"),),
    ),
    FixedHole(
        "python-dotenv",
        "CVE-2026-28684",
        "lets set_key follow a link and overwrite another file",
        Severity.MEDIUM,
        (("0", "1.2.2"),),
    ),
    FixedHole(
        "flask-cors",
        "CVE-2024-6221",
        "allows private network access to every origin",
        Severity.HIGH,
        (("0", "4.0.2"),),
    ),
    FixedHole(
        "flask-cors",
        "CVE-2024-6866",
        "matches paths without case, so that a looser rule applies",
        Severity.MEDIUM,
        (("0", "6.0.0"),),
    ),
    FixedHole(
        "gunicorn",
        "CVE-2024-1135",
        "lets a client smuggle requests past the proxy",
        Severity.HIGH,
        (("0", "22.0.0"),),
    ),
    FixedHole(
        "gunicorn",
        "CVE-2024-6827",
        "lets a client smuggle requests past the proxy",
        Severity.HIGH,
        (("0", "23.0.0"),),
    ),
    FixedHole(
        "waitress",
        "CVE-2024-49768",
        "lets a pipelined request be answered after an error",
        Severity.HIGH,
        (("2.0.0", "3.0.1"),),
    ),
    FixedHole(
        "eventlet",
        "CVE-2025-58068",
        "lets a client smuggle requests in trailers",
        Severity.MEDIUM,
        (("0", "0.40.3"),),
    ),
    FixedHole(
        "pyyaml",
        "CVE-2020-14343",
        "lets yaml.load with FullLoader run code",
        Severity.CRITICAL,
        (("0", "5.4"),),
    ),
    FixedHole(
        "pyjwt",
        "CVE-2022-29217",
        "lets a public key pass as a shared secret",
        Severity.HIGH,
        (("1.5.0", "2.4.0"),),
    ),
    FixedHole(
        "python-jose",
        "CVE-2024-33663",
        "lets a public key pass as a shared secret",
        Severity.MEDIUM,
        (("0", "3.4.0"),),
    ),
    FixedHole(
        "authlib",
        "CVE-2024-37568",
        "lets a public key pass as a shared secret",
        Severity.HIGH,
        (("0", "1.3.1"),),
    ),
    FixedHole(
        "pillow", "CVE-2023-4863", "lets a WebP image overwrite memory", Severity.HIGH, (("0", "10.0.1"),)
    ),
    FixedHole(
        "pillow",
        "CVE-2024-28219",
        "lets a colour profile overwrite memory",
        Severity.MEDIUM,
        (("0", "10.3.0"),),
    ),
    FixedHole(
        "requests",
        "CVE-2024-47081",
        "sends .netrc passwords to another host",
        Severity.MEDIUM,
        (("0", "2.32.4"),),
    ),
    FixedHole(
        "lxml", "CVE-2021-43818", "lets script pass the HTML cleaner", Severity.HIGH, (("0", "4.6.5"),)
    ),
    FixedHole(
        "bleach",
        "CVE-2021-23980",
        "lets script pass bleach.clean with some tags allowed",
        Severity.MEDIUM,
        (("0", "3.3.0"),),
    ),
    FixedHole(
        "sqlalchemy",
        "CVE-2019-7164",
        "lets text given to order_by inject SQL",
        Severity.HIGH,
        (("0", "1.2.18"),),
    ),
    FixedHole(
        "celery",
        "CVE-2021-23727",
        "lets who writes to the result backend run commands",
        Severity.HIGH,
        (("0", "5.2.2"),),
    ),
    FixedHole(
        "flask-admin",
        "CVE-2018-16516",
        "lets a link run script in the admin page",
        Severity.MEDIUM,
        (("0", "1.5.3"),),
    ),
    FixedHole(
        "flask-restx",
        "CVE-2021-32838",
        "lets an e-mail address use up the processor",
        Severity.HIGH,
        (("0", "0.5.1"),),
    ),
    FixedHole(
        "flask-security-too",
        "CVE-2023-49438",
        "redirects to another site after login",
        Severity.MEDIUM,
        (("0", "5.3.3"),),
    ),
)
"""Compared in every audit, with a database or without."""
