"""List every guard, in the order in which they look at a request."""

from __future__ import annotations

from typing import Final

from stopper.guard.body import Body
from stopper.guard.challenges import Challenges
from stopper.guard.coexist import Coexist
from stopper.guard.cookies import Cookies
from stopper.guard.csp import Csp
from stopper.guard.csrf import Csrf
from stopper.guard.escape import Xss
from stopper.guard.guard import Guard
from stopper.guard.headers import Headers
from stopper.guard.hosts import Hosts
from stopper.guard.https import Https
from stopper.guard.installed import Installed
from stopper.guard.limits import Limits
from stopper.guard.lockout import LockoutGuard
from stopper.guard.proxies import Proxies
from stopper.guard.secrets import Secrets
from stopper.guard.sentry import Sentry
from stopper.guard.sessions import Sessions
from stopper.guard.sql import Sql
from stopper.guard.storage import Storage
from stopper.guard.uploads import Uploads

GUARDS: Final[tuple[type[Guard], ...]] = (
    Challenges,
    Coexist,
    Secrets,
    Installed,
    Proxies,
    Hosts,
    Storage,
    Limits,
    Https,
    Body,
    Csrf,
    LockoutGuard,
    Uploads,
    Sql,
    Xss,
    Sentry,
    Sessions,
    Cookies,
    Csp,
    Headers,
)
"""The guards; the checks of the first run first."""

NAMES: Final = tuple(guard.name for guard in GUARDS)
"""The names of the guards, as `stopper.exempt` and `STOPPER_<NAME>` take them."""
