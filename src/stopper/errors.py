"""Every exception Stopper raises on purpose.

::

    StopperError
    +-- UsageError          the words on the command line, or a file they name, are wrong   (exit 2)
    |   +-- ConfigError     [tool.stopper] holds a key or a value it should not
    |   +-- NotFlaskError   nothing under the target uses Flask
    |   +-- TargetError     the target cannot be read
    +-- UnseenError         something that had to be looked at could not be                 (exit 3)
    +-- CertificateError    a certificate could not be obtained, renewed, kept or revoked   (exit 1)
    +-- FixConflictError    two edits want the same characters
    +-- RuleError           a rule file breaks the contract of ``stopper.rule``
    +-- ModelError          a file of ``taint/models`` names an unknown kind or is malformed
    +-- ConfigurationError  a setting of the guard, or of the app it guards, cannot be served with

Each message says what is wrong, where, and what to do next.
"""

from __future__ import annotations


class StopperError(Exception):
    """Stand at the root, so that one ``except`` catches what Stopper raises on purpose."""

    exit_code = 2
    """The status with which the command line ends."""


class UsageError(StopperError):
    """Say that the words on the command line, or a file they name, are wrong."""


class ConfigError(UsageError):
    """Say that ``[tool.stopper]`` holds a key or a value it should not."""


class NotFlaskError(UsageError):
    """Say that nothing under the target uses Flask."""


class TargetError(UsageError):
    """Say that the target does not exist or cannot be read."""


class UnseenError(StopperError):
    """Say that something which had to be looked at could not be."""

    exit_code = 3


class CertificateError(StopperError):
    """Say that a certificate could not be obtained, renewed, kept or revoked."""

    exit_code = 1


class FixConflictError(StopperError):
    """Say that two edits want the same characters of a file."""


class RuleError(StopperError):
    """Say that a rule file breaks the contract of ``stopper.rule``."""


class ModelError(StopperError):
    """Say that a model file names an unknown kind or is malformed."""


class ConfigurationError(StopperError):
    """Say that a setting of the guard, or of the app it guards, cannot be served with."""
