"""Turn what an ACME server or the way to it says into a sentence with the next step."""

from __future__ import annotations

import re
from typing import Any

from stopper.policy import ACME_PREFIX

_NEXT = {
    "dns": "its name does not resolve to this machine: check the A and AAAA records, and wait until they are known everywhere",
    "unknownHost": "its name does not resolve: check the A and AAAA records",
    "connection": "the server could not reach it on port 80: open the port, and see that what listens there is this app or its proxy",
    "unauthorized": "another page was found instead of the answer: port 80 of the name leads to another machine, folder or app",
    "incorrectResponse": "another text was found instead of the answer: port 80 of the name leads to another machine, folder or app",
    "tls": f"the redirect from port 80 ended at TLS that could not be used: let {ACME_PREFIX} answer over plain HTTP",
    "caa": "a CAA record of the domain forbids this authority: add one for it, or ask the authority that is named there",
    "dnssec": "its DNSSEC signatures are broken: mend the zone",
    "rejectedIdentifier": "the authority does not issue for this name: example names, IP addresses and forbidden words are refused",
    "unsupportedIdentifier": "the authority does not issue for this kind of name",
    "externalAccountRequired": "the authority wants an account of its own: give --eab-kid and --eab-key from its web site",
    "accountDoesNotExist": "the account is not known there any more: it is made anew at the next try",
    "badCSR": "the authority does not take the key: try again with --key rsa",
    "badPublicKey": "the authority does not take the account's key: remove its file under accounts/ and try again",
    "invalidContact": "the authority does not take the address: give another --email",
    "invalidEmail": "the authority does not take the address: give another --email",
    "unsupportedContact": "the authority does not take the address: give another --email",
    "serverInternal": "the authority has a problem of its own: try again in an hour",
    "badNonce": "the authority refused its own number again and again: try again in a minute",
    "userActionRequired": "the authority has new terms: read them at the address it gives, then try again",
    "alreadyRevoked": "it has been revoked before",
    "badRevocationReason": "the authority does not take this reason: use unspecified",
}
_RETRY = re.compile(r"retry after ([0-9T:. -]+(?:UTC|Z)?)", re.IGNORECASE)


def sentence(name: str, code: str, detail: str) -> str:
    """Return what went wrong with a name and what to do next.

    Args:
        name: The host name, or what else was asked for.
        code: The last part of the problem's type, such as ``rateLimited`` (RFC 8555, section 6.7).
        detail: What the server said.
    """
    said = " ".join(detail.split())[:300]
    if code == "rateLimited":
        until = _RETRY.search(said)
        wait = (
            f"try again after {until[1].strip()}"
            if until
            else "wait a week, or leave out --production while you try things"
        )
        return f"{name}: the authority's limit is reached; {wait} ({said})"
    step = _NEXT.get(code, "see what the authority says")
    return f"{name}: {step}{f' ({said})' if said else ''}"


def of_validation(failed: Any) -> str:
    """Return one sentence for each name that could not be validated (``acme.errors.ValidationError``)."""
    lines = []
    for authorization in failed.failed_authzrs:
        name = authorization.body.identifier.value
        error = next((one.error for one in authorization.body.challenges if one.error is not None), None)
        code, detail = (error.code or "", error.detail or "") if error is not None else ("", "")
        lines.append(sentence(name, code, detail))
    return "; ".join(lines)
