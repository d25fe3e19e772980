"""A nonce must be in the policy as well as in the page.

Talisman puts the nonce into the directives that the policy names. With nonce_in for a directive which is not
in the policy, the page has a nonce and the header has none.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={"default-src": "'self'"}, content_security_policy_nonce_in=["script-src"])

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(
        app,
        content_security_policy={"default-src": "'self'", "script-src": "'self'"},
        content_security_policy_nonce_in=["script-src"],
    )

References:
    - CWE-693
    - ASVS 5.0 V3.4.3
    - https://github.com/wntrblm/flask-talisman#content-security-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.project import Project


class CspNonceUnused(Rule):
    """Compare nonce_in with the directives of the policy."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each directive that is to have a nonce and is not in the policy."""
        for call in own_calls(project, *TALISMAN):
            policy = constant(call.argument(None, "content_security_policy"))
            wanted = constant(call.argument(None, "content_security_policy_nonce_in"))
            if not isinstance(policy, dict) or not isinstance(wanted, list | tuple):
                continue
            lost = [name for name in wanted if isinstance(name, str) and name not in policy]
            if lost:
                yield self.found(
                    call.location,
                    f"the nonce is asked for {', '.join(lost)}, which the policy does not name: the header carries no nonce",
                    remedy=f'content_security_policy={{..., "{lost[0]}": "\'self\'"}}',
                    context="nonce",
                )
