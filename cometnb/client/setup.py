"""What both clients are made from: checked settings, headers, limits, and the transport behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import inf
from numbers import Integral, Real
from time import monotonic
from typing import Any, NoReturn, Protocol

import httpx

import cometnb
from cometnb.client.attempt import Observer
from cometnb.client.decoded import ACCEPTED
from cometnb.client.gate import Gate
from cometnb.client.logged import hide_in_logs
from cometnb.client.pools import LIMITS
from cometnb.client.retry import Backoff
from cometnb.client.turnstile import Turnstile
from cometnb.config.configured import configured, find_key
from cometnb.errors import APIError, CometError, ConfigError, ParamError, maskable, masked
from cometnb.options import DEFAULT_BASE_URL, KEY_STEP, is_cassette
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.response import Response

__all__ = ["Setup", "connecting", "fault_of", "hide_key", "make_setup", "mark", "overdue", "without_key"]

_Transport = httpx.BaseTransport | httpx.AsyncBaseTransport

_CONNECT_S = 10.0


def _now() -> datetime:
    return datetime.now(UTC)


class _Sent(Protocol):
    """A request on its way out."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def content(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a call needs to know of its client.

    Attributes
    ----------
    base_url, model, backend : str
    api_key : str
        Never part of the repr.
    timeout_s, idle_timeout_s : float
        For the whole call, and between two pieces of its answer.
    backoff : Backoff
    observers : tuple of Observer
    gates : tuple of Gate
    strict : bool
    transport : httpx transport or None
        None is the network.
    turnstile : Turnstile or None
        What every attempt waits before, with those of other calls.
    clock : callable
        Seconds, monotonic.
    now : callable
        The time of day, aware.
    """

    base_url: str
    model: str
    backend: str
    api_key: str = field(repr=False)
    timeout_s: float
    idle_timeout_s: float
    backoff: Backoff
    observers: tuple[Observer, ...]
    gates: tuple[Gate, ...]
    strict: bool
    transport: _Transport | None
    turnstile: Turnstile | None = None
    clock: Callable[[], float] = monotonic
    now: Callable[[], datetime] = _now

    def __reduce__(self) -> NoReturn:
        raise ConfigError(
            "A client's setup holds its key, and is neither pickled nor copied.",
            "Make another client where it is used: cometnb.Client()",
        )

    def backend_for(self, send: _Sent) -> str:
        """Return who will answer a request, as far as that is known before it is sent."""
        ask = getattr(self.transport, "backend_for", None)
        return self.backend if ask is None else str(ask(send.method, send.path, send.content))

    def http_options(self) -> dict[str, Any]:
        """Return the keyword arguments of httpx.Client and httpx.AsyncClient."""
        headers = {
            "accept": "text/event-stream, application/json",
            "accept-encoding": ACCEPTED,
            "user-agent": f"cometnb/{cometnb.__version__}",
        }
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        idle_s = min(self.idle_timeout_s, self.timeout_s)
        return {
            "headers": headers,
            "timeout": httpx.Timeout(idle_s, connect=min(_CONNECT_S, self.timeout_s), pool=None),
            "limits": LIMITS,
            # A wrong base URL often answers with a redirect; following it would hand the key to wherever it points.
            "follow_redirects": False,
            "transport": self.transport,
            # A cookie would be sent with every later call, and one that is no ASCII would break them all.
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        }


def make_setup(
    *,
    api_key: str | None,
    base_url: str | None,
    model: str | None,
    backend: str | None,
    transport: _Transport | None,
    timeout_s: float,
    idle_timeout_s: float,
    max_retries: int,
    observers: Sequence[Observer],
    gates: Sequence[Gate],
    strict: bool,
) -> Setup:
    """Check a client's arguments and return its setup.

    Raises
    ------
    ConfigError
        No key although the backend is the API; a setting that cannot be used.
    ParamError
        A limit that is none.
    """
    _check_limits({"timeout_s": timeout_s, "idle_timeout_s": idle_timeout_s}, max_retries)
    options = configured(api_key=api_key, base_url=base_url, model=model, backend=backend)
    _check_url(options.base_url)
    if transport is None and options.backend == "simulator":
        from cometnb.client.simulator import Simulator  # loaded only by those who ask for it

        transport = Simulator()
    if transport is None and is_cassette(options.backend):
        from cometnb.client.cassette.deck import cassette_of  # loaded only by those who ask for it

        transport = cassette_of(options.backend)
    key = options.api_key
    if not key and (transport is None or getattr(transport, "needs_key", False)):
        key = find_key()
        if not key:
            raise ConfigError("There is no API key.", KEY_STEP)
    is_key_sent = not hasattr(transport, "backend") or getattr(transport, "sends_key", False)
    if is_key_sent:
        hide_in_logs(key)
    return Setup(
        base_url=options.base_url,
        model=options.model,
        backend=getattr(transport, "backend", "api"),
        # What stays in the process needs no key, and cannot leak one.
        api_key=key if is_key_sent else "",
        timeout_s=timeout_s,
        idle_timeout_s=idle_timeout_s,
        backoff=Backoff(max_retries),
        observers=tuple(observers),
        gates=tuple(gates),
        strict=strict,
        transport=transport,
    )


@contextmanager
def connecting() -> Iterator[None]:
    """Turn what httpx raises inside the block, where the environment's settings cannot be used, into an error of ours.

    Raises
    ------
    ConfigError
        A proxy or a file of certificates that cannot be used.
    """
    try:
        yield
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"The connection cannot be set up: {error}",
            "Correct HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE in the environment.",
        ) from None


def _check_limits(limits_s: Mapping[str, float], max_retries: int) -> None:
    for name, limit_s in limits_s.items():
        if not _is_number(limit_s, Real) or not 0 < limit_s < inf:
            raise ParamError(
                f"{name}={limit_s!r} is not a number of seconds above 0.",
                f"Give {name} such as 60.",
                param=name,
            )
    if not _is_number(max_retries, Integral) or max_retries < 0:
        raise ParamError(
            f"max_retries={max_retries!r} is not a whole number from 0.",
            "Give max_retries such as 2; 0 sends once.",
            param="max_retries",
        )


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _check_url(base_url: str) -> None:
    """Refuse what httpx would refuse in the middle of a call."""
    try:
        httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigError(
            f"base_url={base_url!r} is not a URL: {error}.", f"Use {DEFAULT_BASE_URL} or your gateway's URL."
        ) from error


def hide_key(error: CometError | None, setup: Setup) -> None:
    """Take the key out of what the service or the wire said; a gateway's keys have no form that errors know."""
    if error is None:
        return
    error.args = tuple(without_key(line, setup) for line in error.args)
    if isinstance(error, APIError):
        for name in ("code", "param", "error_type", "request_id"):
            said = getattr(error, name)
            if isinstance(said, str):
                setattr(error, name, without_key(said, setup))


def without_key(text: str, setup: Setup) -> str:
    """Return a text of the service without the key in force, whatever its form, and without what looks like one."""
    return masked(text, maskable(setup.api_key))


def mark(response: Response, setup: Setup, head: Head | None, expected: str = "") -> None:
    """Say on a response who answered, where the request went, and how it came when it was recorded.

    Parameters
    ----------
    response : Response
    setup : Setup
    head : Head or None
        Of the answer; None if none began.
    expected : str
        Who was expected to answer, where the answer itself does not say.
    """
    response.backend = (head.backend if head else "") or expected or setup.backend
    response.base_url = setup.base_url
    response.recorded = head.recorded if head else None
    if response.request_id:
        response.request_id = without_key(response.request_id, setup)


def overdue(setup: Setup) -> Fault:
    """Return the fault that passing the limit for the whole call is."""
    return Fault("total_timeout", f"the answer took longer than {setup.timeout_s:g} s")


_FAULTS: tuple[tuple[type[Exception], str, str], ...] = (
    (httpx.ConnectTimeout, "connect_timeout", "no connection to {url} within {connect_s:g} s"),
    (httpx.ReadTimeout, "idle_timeout", "nothing came from {url} for {idle_s:g} s"),
    (httpx.WriteTimeout, "idle_timeout", "{url} took nothing for {idle_s:g} s"),
    (httpx.ConnectError, "connect", "no connection to {url}: {reason}"),
    (httpx.UnsupportedProtocol, "connect", "no connection to {url}: {reason}"),
    (httpx.ProxyError, "connect", "the proxy in front of {url} refused: {reason}"),
    (httpx.DecodingError, "broken", "the answer of {url} is not in the encoding it claims: {reason}"),
    (httpx.HTTPError, "broken", "the connection to {url} broke: {reason}"),
)


def fault_of(error: Exception, setup: Setup) -> Fault:
    """Return what an exception of httpx means."""
    _, kind, words = next(row for row in _FAULTS if isinstance(error, row[0]))
    # Behind it stands the sentence's own full stop.
    reason = str(error).strip().rstrip(".") or type(error).__name__
    connect_s, idle_s = min(_CONNECT_S, setup.timeout_s), min(setup.idle_timeout_s, setup.timeout_s)
    return Fault(kind, words.format(url=setup.base_url, connect_s=connect_s, idle_s=idle_s, reason=reason))
