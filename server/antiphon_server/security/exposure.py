"""A server that anybody can reach must not let anybody in."""

from __future__ import annotations

from antiphon_server.settings import Settings, SettingsError, is_loopback


def check_exposure(settings: Settings, *, has_keys: bool) -> None:
    """Raises ``SettingsError`` for a server without keys on an address others can reach.

    ``has_keys`` is whether a key is in the settings or was ever created in the database.
    """
    if has_keys or is_loopback(settings.host):
        return
    raise SettingsError(
        f"refusing to listen on {settings.host} without keys, because anybody could use the "
        "agent: create one with `antiphon keys create --name NAME`, or set ANTIPHON_API_KEYS to "
        "one or more keys of your choice, separated by commas, or listen on 127.0.0.1"
    )
