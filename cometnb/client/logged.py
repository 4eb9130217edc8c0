"""What httpx and httpcore log, without the keys that this process sends: a gateway may repeat one in its headers."""

from __future__ import annotations

import logging
import re

from cometnb.errors import maskable

__all__ = ["hide_in_logs"]

# Whatever carries cometnb's requests and writes down what came back. A filter sees what is logged to its own logger
# only, and not to those below it.
_LOGGERS = (
    "httpx",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)

# What is sent, by its pattern: in the repr of a repr a backslash stands four times.
_sent: dict[str, re.Pattern[str]] = {}


def hide_in_logs(key: str) -> None:
    """Have a key that is about to be sent masked wherever httpx or httpcore would log it.

    Parameters
    ----------
    key : str
        Records without it stay as they are, whoever's they are.
    """
    if maskable(key) is None:
        return
    _sent[key] = re.compile(re.escape(key).replace(r"\\", r"\\+"))
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_mask)


def _mask(record: logging.LogRecord) -> bool:
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        return True  # whoever handles it says what is wrong with it
    # One key may be the beginning of another.
    without = text
    for key in sorted(_sent, key=len, reverse=True):
        without = _sent[key].sub("sk-***", without)
    if without != text:
        record.msg, record.args = without, ()
    return True
