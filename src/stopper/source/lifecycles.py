"""When releases stop being mended, and which packages nobody mends.

Compiled by hand in November 2026 from: PEP 596 to 745 and devguide.python.org/versions (Python); the release
dates in the change logs of Flask, Werkzeug and Jinja (Pallets mends only the newest feature branch: the day
of the next feature release is the end); the Debian LTS wiki, ubuntu.com/about/release-cycle,
alpinelinux.org/releases and the CentOS notices (images); each package's own page on PyPI or its archived
repository (abandoned).
"""

from __future__ import annotations

import datetime as dt
import re

from stopper.records import dataclass

D = dt.date


@dataclass(frozen=True, slots=True)
class Branch:
    """A feature branch of a product, and the day its maintenance ended or will."""

    cycle: str
    """``3.8``: the leading numbers of its versions, or an image's tag."""
    end: dt.date
    name: str = ""
    """A code name that works as a tag as well."""

    @property
    def ended(self) -> str:
        """Return the day as a sentence names it: ``7 October 2024``."""
        return f"{self.end.day} {self.end:%B %Y}"


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A package that nobody mends any more."""

    name: str
    since: str
    """The last sign of life, or the day the end was announced: a year, a month."""
    why: str
    successor: str
    """What to use instead, with how."""
    module: str = ""
    """The name by which code imports it, where that is not the package's."""
    below: str = ""
    """Only versions older than this are abandoned: the name came back to life."""
    shared: bool = False
    """Whether a living package is imported by the same name, so that an import alone tells nothing."""


PYTHON = (
    Branch("2.7", D(2020, 1, 1)),
    Branch("3.4", D(2019, 3, 18)),
    Branch("3.5", D(2020, 9, 30)),
    Branch("3.6", D(2021, 12, 23)),
    Branch("3.7", D(2023, 6, 27)),
    Branch("3.8", D(2024, 10, 7)),
    Branch("3.9", D(2025, 10, 31)),
    Branch("3.10", D(2026, 10, 31)),
    Branch("3.11", D(2027, 10, 31)),
    Branch("3.12", D(2028, 10, 31)),
    Branch("3.13", D(2029, 10, 31)),
    Branch("3.14", D(2030, 10, 31)),
)
"""PEPs 373 429 478 494 537 569 596 619 664 693 719 745."""

PACKAGES = {
    "flask": (
        Branch("0", D(2018, 4, 26)),
        Branch("1.0", D(2019, 7, 4)),
        Branch("1.1", D(2021, 5, 11)),
        Branch("2.0", D(2022, 3, 28)),
        Branch("2.1", D(2022, 8, 1)),
        Branch("2.2", D(2023, 4, 25)),
        Branch("2.3", D(2023, 9, 30)),
        Branch("3.0", D(2024, 11, 13)),
    ),
    "werkzeug": (
        Branch("0", D(2020, 2, 6)),
        Branch("1.0", D(2021, 5, 11)),
        Branch("2.0", D(2022, 3, 28)),
        Branch("2.1", D(2022, 7, 23)),
        Branch("2.2", D(2023, 4, 25)),
        Branch("2.3", D(2023, 9, 30)),
        Branch("3.0", D(2024, 10, 31)),
    ),
    "jinja2": (
        Branch("2", D(2021, 5, 11)),
        Branch("3.0", D(2022, 3, 24)),
    ),
}
"""The day of the next feature release; the newest branch is open and not listed."""

NEWEST_BRANCH = {"flask": "3.1", "werkzeug": "3.1", "jinja2": "3.1"}
"""The branch to move to."""

IMAGES = {
    "debian": (
        Branch("8", D(2020, 6, 30), "jessie"),
        Branch("9", D(2022, 6, 30), "stretch"),
        Branch("10", D(2024, 6, 30), "buster"),
        Branch("11", D(2026, 8, 31), "bullseye"),
        Branch("12", D(2028, 6, 30), "bookworm"),
        Branch("13", D(2030, 6, 30), "trixie"),
    ),
    "ubuntu": (
        Branch("14.04", D(2019, 4, 30), "trusty"),
        Branch("16.04", D(2021, 4, 30), "xenial"),
        Branch("18.04", D(2023, 5, 31), "bionic"),
        Branch("20.04", D(2025, 5, 31), "focal"),
        Branch("22.04", D(2027, 6, 1), "jammy"),
        Branch("24.04", D(2029, 5, 31), "noble"),
    ),
    "alpine": (
        *(Branch(f"3.{minor}", D(2021, 11, 1)) for minor in range(1, 12)),
        Branch("3.12", D(2022, 5, 1)),
        Branch("3.13", D(2022, 11, 1)),
        Branch("3.14", D(2023, 5, 1)),
        Branch("3.15", D(2023, 11, 1)),
        Branch("3.16", D(2024, 5, 23)),
        Branch("3.17", D(2024, 11, 22)),
        Branch("3.18", D(2025, 5, 9)),
        Branch("3.19", D(2025, 11, 1)),
        Branch("3.20", D(2026, 4, 1)),
        Branch("3.21", D(2026, 11, 1)),
        Branch("3.22", D(2027, 5, 1)),
    ),
    "centos": (
        Branch("6", D(2020, 11, 30)),
        Branch("7", D(2024, 6, 30)),
        Branch("8", D(2021, 12, 31)),
    ),
}
"""Debian: the end of LTS; Ubuntu: of standard support; what is paid for afterwards is not counted."""

NEWEST_IMAGE = {
    "debian": "debian:trixie-slim",
    "ubuntu": "ubuntu:24.04",
    "alpine": "alpine:3.22",
    "centos": "rockylinux:9",
}
"""The image to move to."""

ABANDONED = (
    Abandoned(
        "bleach",
        "January 2023",
        "deprecated: html5lib below it is unmaintained, and its authors announce no further release",
        "nh3 (nh3.clean strips where bleach.clean escapes; name the tags and url_schemes yourself)",
    ),
    Abandoned(
        "flask-talisman",
        "August 2023",
        "no release since 1.1.0",
        "an after_request function of your own that sets the headers",
        "flask_talisman",
    ),
    Abandoned(
        "flask-script",
        "2017",
        "no release since 2.0.6; it does not work with Flask 2 and newer",
        "Flask's own command line: @app.cli.command()",
        "flask_script",
    ),
    Abandoned(
        "flask-sslify",
        "2015",
        "no release since 0.1.5",
        "the redirect of the proxy",
        "flask_sslify",
    ),
    Abandoned(
        "flask-restplus",
        "2019",
        "its maintainers moved on",
        "flask-restx, the same code kept alive",
        "flask_restplus",
    ),
    Abandoned(
        "flask-uploads",
        "2014",
        "it does not import with Werkzeug 1 and newer",
        "flask-reuploaded",
        "flask_uploads",
        shared=True,
    ),
    Abandoned(
        "flask-jwt",
        "2015",
        "no release since 0.3.2; it pins PyJWT below 1.5",
        "flask-jwt-extended",
        "flask_jwt",
    ),
    Abandoned("flask-oauthlib", "2019", "its author points to Authlib", "authlib", "flask_oauthlib"),
    Abandoned("flask-oauth", "2012", "no release since 0.12; OAuth of 2012", "authlib", "flask_oauth"),
    Abandoned("flask-openid", "2022", "OpenID 2 is withdrawn", "authlib with OpenID Connect", "flask_openid"),
    Abandoned(
        "flask-cache",
        "2014",
        "no release since 0.13.1; it does not import with Flask 1 and newer",
        "flask-caching",
        "flask_cache",
    ),
    Abandoned("flask-user", "2019", "no release since 1.0.2", "flask-security, or flask-login", "flask_user"),
    Abandoned("flask-kvsession", "2014", "no release since 0.6.2", "flask-session", "flask_kvsession"),
    Abandoned("flask-basicauth", "2013", "no release since 0.2.0", "flask-httpauth", "flask_basicauth"),
    Abandoned("flask-sockets", "2017", "archived", "flask-sock", "flask_sockets"),
    Abandoned(
        "flask-security",
        "2020",
        "the first project of this name ended with 3.0.0",
        "flask-security 5 or newer",
        "flask_security",
        "4.0",
    ),
    Abandoned("flask-plugins", "2016", "no release since 1.6.1", "blueprints, or pluggy", "flask_plugins"),
    Abandoned(
        "flask-misaka", "2017", "its parser, misaka, is archived", "markdown-it-py with nh3", "flask_misaka"
    ),
    Abandoned("misaka", "2019", "archived", "markdown-it-py with nh3"),
    Abandoned(
        "pycrypto",
        "2013",
        "no release since 2.6.1; CVE-2013-7459 and CVE-2018-6594 stay open",
        "cryptography, or pycryptodome",
        "Crypto",
        shared=True,
    ),
    Abandoned("oauth2client", "2018", "deprecated by Google", "google-auth"),
    Abandoned("raven", "2020", "replaced by its own authors", "sentry-sdk"),
    Abandoned("pypdf2", "December 2022", "continued under another name", "pypdf", "PyPDF2"),
    Abandoned("mysql-python", "2014", "Python 2 only", "mysqlclient", "MySQLdb", shared=True),
    Abandoned("boto", "2018", "replaced by its own authors", "boto3"),
    Abandoned("aioredis", "2022", "merged into redis-py", "redis, as redis.asyncio"),
    Abandoned(
        "passlib",
        "October 2020",
        "no release since 1.7.4; it breaks with bcrypt 4.1 and newer",
        "argon2-cffi, or pwdlib",
    ),
    Abandoned("nose", "2015", "no release since 1.3.7", "pytest"),
    Abandoned("sklearn", "2023", "a deprecated alias", "scikit-learn", shared=True),
)
"""Packages a Flask project is likely to have, with who follows them."""


def branch_of(version: str, branches: tuple[Branch, ...]) -> Branch | None:
    """Return the branch that ``version`` belongs to: ``1.1.4`` to ``1.1``, ``0.12`` to ``0``."""
    for branch in branches:
        if version == branch.cycle or version.startswith(branch.cycle + "."):
            return branch
    return None


def image_branch(name: str, tag: str) -> tuple[str, Branch] | None:
    """Return the distribution and its branch that an image is built on, where its name and tag tell.

    ``debian:10-slim`` and ``python:3.8-buster`` are Debian 10; ``python:3.11-alpine3.16`` is Alpine 3.16.
    """
    words = re.split(r"[-_]", tag.lower())
    for family, branches in IMAGES.items():
        for branch in branches:
            own = name == family and (words[0] == branch.cycle or words[0].startswith(branch.cycle + "."))
            named = bool(branch.name) and branch.name in words
            if own or named or f"{family}{branch.cycle}" in words:
                return family, branch
    return None
