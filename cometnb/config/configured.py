"""The settings in force: what was given, the environment, the files, and the key of the keyring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.config.files import file_settings
from cometnb.config.vault import Vault
from cometnb.options import Options, resolve, setting

__all__ = ["KEYRING", "configured", "configured_setting", "find_key", "vault"]

KEYRING = "keyring"
"""What `Options.sources` calls the keyring."""

vault = Vault()
"""The keyring of this process."""


def configured(**given: Any) -> Options:
    """Return the settings in force; the keyring is not asked, but counts once `find_key` has.

    Parameters
    ----------
    **given
        The settings `resolve` takes; None means "not given".

    Raises
    ------
    ConfigError
        A setting, or cometnb's configuration file, that cannot be used.
    """
    return resolve(**given, stored=_stored())


def configured_setting(name: str) -> str:
    """Return one setting as `configured` has it without anything given; the others are not checked."""
    return setting(name, _stored())


def find_key() -> str:
    """Ask the keyring for the key, where a key is needed and found nowhere else; empty if it has none.

    Raises
    ------
    ConfigError
        What it holds is no key.
    """
    vault.find()
    return resolve(environ={}, stored=_of_the_keyring()).api_key


def _stored() -> dict[str, Mapping[str, str]]:
    return {**file_settings(), **_of_the_keyring()}


def _of_the_keyring() -> dict[str, Mapping[str, str]]:
    return {KEYRING: {"api_key": vault.known}} if vault.known else {}
