"""Asking a vendor over HTTP: one address, a key that nothing shows, every failure in our words.

The key joins a request only in the transport, below everything that logs, raises or keeps requests. What a
vendor answers is read with the key taken out, because some echo it.
"""

import asyncio
import ipaddress
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import httpx
from pydantic import TypeAdapter, ValidationError

from tickerbook.errors import ConfigError, ProviderError, ProviderFault
from tickerbook.market.keys import Key, find_key
from tickerbook.market.providers import permitted
from tickerbook.settings import ProviderParams

_SILENCED = ("hpack", "httpcore")  # their DEBUG lines have headers: the key's, and answers' that may echo it
Query = Mapping[str, str | int]
Shape = TypeVar("Shape")
_POOL = httpx.Limits(max_connections=100, max_keepalive_connections=8)  # idle ones are looked at each time
_LARGEST = 64 * 2**20  # bytes of an answer; forty years of one-minute bars come in pages far below it
_SAID = ("Information", "Note", "Error Message", "error", "message")  # where vendors put their sentences
_LONGEST_SAID = 200
_SPANS = {
    "spreading out|burst|per second": 1.0,
    "per day|daily": 86_400.0,
    "per minute": 60.0,
}
_WORDS = {
    ProviderFault.RATE_LIMITED: "rate limit|limit reached|too many requests|maximum requests|call frequency|"
    "spreading out|burst",
    ProviderFault.NOT_ENTITLED: r"premium|entitled|upgrade|have access|your plan|api ?key|token|\bdemo\b",
    ProviderFault.NOT_FOUND: "symbol|ticker|not found|invalid api call",
}
_AGAIN = "Try again later, or name another provider in params/universe.toml."
_REMEDIES = {
    ProviderFault.UNREACHABLE: "Check the connection; prices already in the lake stay usable.",
    ProviderFault.RATE_LIMITED: "Try again later, or write the limits of your plan in params/providers.toml.",
    ProviderFault.NOT_FOUND: "Check how {site} writes the symbol, or remove it from params/universe.toml.",
    ProviderFault.NOT_ENTITLED: "See {site} for what your plan has, or name another provider in "
    "params/universe.toml.",
}


@dataclass(frozen=True)
class Vendor:
    """Who is asked.

    Attributes:
        name: as a reader knows it.
        url: its address; paths of requests come behind it.
        site: where a person gets a key.
        keys: environment variables that may have the key, the preferred one first; `…_API_KEY` each. The same
            with `…_BASE_URL` may have another address.
        header: header that takes the key …
        prefix: … with this before it.
        parameter: query parameter that takes the key, where there is no header.
    """

    name: str
    url: str
    site: str
    keys: tuple[str, ...]
    header: str = ""
    prefix: str = ""
    parameter: str = ""


@dataclass(frozen=True)
class Answer:
    """A vendor's JSON.

    Attributes:
        data: as it was sent, without the key.
        told_at: the vendor's clock when it answered, UTC; None where it did not say.
    """

    data: Any
    told_at: datetime | None


class Connection:
    """A vendor's address and key, with one pool of connections for each event loop.

    Args:
        vendor: who is asked.
        params: how.

    Raises:
        ConfigError: if the address that replaces the vendor's own cannot be one.
    """

    def __init__(self, vendor: Vendor, params: ProviderParams) -> None:
        self.vendor = vendor
        self.params = params
        self.base = _base_url(vendor, params)
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, Key]] = (
            WeakKeyDictionary()
        )

    async def get(self, about: str, path: str, query: Query | None = None) -> Answer:
        """The JSON at a path.

        Args:
            about: the ticker that it is for, as messages name it.
            path: begins with a slash; perhaps with a query, as the next page's address has.
            query: parameters.

        Raises:
            ProviderError: for everything that is not an answer with data.
        """
        client, key = self._client(about)
        await permitted()
        response, body = await self._sent(client, about, path, query)
        text = key.hidden(body.decode("utf-8-sig", errors="replace"))
        data, said = _read(text)
        told_at = _moment(response.headers.get("Date"))
        kind = _fault(response.status_code, data, said)
        if kind is not None:
            what, wait = _told(response, said), _wait(response, said, told_at)
            raise self.error(kind, about, what, retry_after=wait)
        if not text.strip():
            raise self.error(ProviderFault.EMPTY, about, "gave an empty answer")
        if data is None:
            page = text.lstrip().startswith("<")
            what = "answered with a web page instead of data" if page else "sent an answer that breaks off"
            raise self.error(ProviderFault.MALFORMED, about, what)
        return Answer(data, told_at)

    def error(
        self,
        kind: ProviderFault,
        about: str,
        what: str,
        remedy: str = "",
        retry_after: float | None = None,
    ) -> ProviderError:
        """The error that says what this vendor did."""
        _, key = self._open.get(asyncio.get_running_loop(), (None, None))
        message = f"{about}: {self.vendor.name} {key.hidden(what) if key else what}."
        way_out = remedy or _REMEDIES.get(kind, _AGAIN).format(site=self.vendor.site)
        return ProviderError(kind, message, way_out, retry_after)

    def shaped(self, about: str, shape: type[Shape], data: Any) -> Shape:
        """`data` in a shape that pydantic knows.

        Raises:
            ProviderError: MALFORMED where it has another shape; says where.
        """
        try:
            found: Shape = TypeAdapter(shape).validate_python(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            what = f"sent something else than documented ({where}: {line(first['msg'])})"
        else:
            return found
        raise self.error(ProviderFault.MALFORMED, about, what)

    @contextmanager
    def reading(self, about: str) -> Iterator[None]:
        """Around making values of an answer: what cannot be, such as a day in year 1e9, is MALFORMED."""
        try:
            yield
        except (ValueError, OverflowError, OSError, LookupError, TypeError):
            pass
        else:
            return
        raise self.error(ProviderFault.MALFORMED, about, "sent values that cannot be")

    def next_page(self, about: str, url: str) -> str:
        """Path and query of the next page's address, if that page is the same vendor's.

        Raises:
            ProviderError: MALFORMED if it is anywhere else: it is not asked, and not given the key.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if _origin(parsed) not in {_origin(self.base), _origin(httpx.URL(self.vendor.url))}:
            where = line(parsed.host) or "nowhere"
            raise self.error(ProviderFault.MALFORMED, about, f"continues at another address ({where})")
        for name in ("apiKey", "apikey", "token"):
            parsed = parsed.copy_remove_param(name)
        prefix = self.base.path.rstrip("/") if _origin(parsed) == _origin(self.base) else ""
        return parsed.raw_path.decode("ascii").removeprefix(prefix)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        client, _ = self._open.pop(asyncio.get_running_loop(), (None, None))
        if client is not None:
            await client.aclose()

    def _client(self, about: str) -> tuple[httpx.AsyncClient, Key]:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            key = self._key(about)
            for name in _SILENCED:
                logging.getLogger(name).setLevel(logging.WARNING)
            transport = httpx.AsyncHTTPTransport(http2=True, proxy=_proxy(self.base), limits=_POOL)
            client = httpx.AsyncClient(
                transport=_WithKey(transport, self.vendor, key),
                timeout=self.params.timeout,
                follow_redirects=False,
                headers={"Accept": "application/json", "User-Agent": "tickerbook"},
            )
            self._open[loop] = (client, key)
        return self._open[loop]

    def _key(self, about: str) -> Key:
        first, *others = self.vendor.keys
        key = find_key(self.vendor.keys, self.params.project)
        if key is None:
            also = f" (or {', '.join(others)})" if others else ""
            raise self.error(
                ProviderFault.NOT_ENTITLED,
                about,
                "was not asked, because there is no key for it",
                f"Get one at {self.vendor.site} and put it as {first}{also} into the environment or .env.",
            )
        if not key.usable:
            what = (
                f"was not asked, because {key.name} in {key.place} is no key: it has spaces or special signs"
            )
            raise self.error(ProviderFault.NOT_ENTITLED, about, what, f"Write {key.name} again.")
        return key

    async def _sent(
        self, client: httpx.AsyncClient, about: str, path: str, query: Query | None
    ) -> tuple[httpx.Response, bytes]:
        """The response and its body, both within the time and size that are allowed."""
        url = httpx.URL(str(self.base).rstrip("/") + path)
        request = client.build_request("GET", url.copy_merge_params(query or {}))
        try:
            async with asyncio.timeout(self.params.timeout):
                response = await client.send(request, stream=True)
                try:
                    return response, await self._body(about, response)
                finally:
                    await response.aclose()
        except httpx.DecodingError:
            kind, what = ProviderFault.MALFORMED, "sent an answer that cannot be unpacked"
        except (httpx.TransportError, TimeoutError) as error:
            kind, what = ProviderFault.UNREACHABLE, f"cannot be reached ({self._reason(error)})"
        raise self.error(kind, about, what)

    async def _body(self, about: str, response: httpx.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _LARGEST:
                raise self.error(ProviderFault.MALFORMED, about, "sends an answer without end")
        return bytes(body)

    def _reason(self, error: Exception) -> str:
        if isinstance(error, (TimeoutError, httpx.TimeoutException)):
            return f"no answer within {self.params.timeout:g} s"
        text = str(error)
        if re.search("getaddrinfo|name or service|name resolution|nodename|no address", text, re.IGNORECASE):
            return f"there is no host {self.base.host}"
        if "CERTIFICATE" in text:
            return "its certificate is not to be trusted"
        if re.search("refused|connection attempts failed", text, re.IGNORECASE):
            return "the connection is refused"
        return type(error).__name__


class _WithKey(httpx.AsyncBaseTransport):
    """Adds the key to a copy of each request, on its way out."""

    def __init__(self, inner: httpx.AsyncBaseTransport, vendor: Vendor, key: Key) -> None:
        self._inner, self._vendor, self._key = inner, vendor, key

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        secret = self._key.value.get_secret_value()
        url, headers = request.url, request.headers.copy()
        if self._vendor.header:
            headers[self._vendor.header] = self._vendor.prefix + secret
        else:
            url = url.copy_set_param(self._vendor.parameter, secret)
        keyed = httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        return await self._inner.handle_async_request(keyed)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _base_url(vendor: Vendor, params: ProviderParams) -> httpx.URL:
    """The address: of the environment, of params, or the vendor's own."""
    for name in (key.replace("_API_KEY", "_BASE_URL") for key in vendor.keys):
        if found := os.environ.get(name, "").strip():
            return check_url(found, name)
    return check_url(params.base_url or vendor.url, "`base_url` in params/providers.toml")


def check_url(text: str, where: str) -> httpx.URL:
    """`text` as an address that a key may be sent to.

    https, or http to this machine only; no user in it, no query, and not an address that machines in a cloud
    ask for their own secrets (169.254.0.0/16).

    Raises:
        ConfigError: if it is not one.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    address = _address(url.host)
    local = url.host == "localhost" or (address is not None and address.is_loopback)
    reserved = address is not None and (address.is_link_local or address.is_unspecified)
    secure = url.scheme == "https" or (url.scheme == "http" and local)
    named = bool(url.host) and (address is not None or re.search("[a-z]", url.host) is not None)
    if secure and named and not reserved and not url.userinfo and not url.query and not url.fragment:
        return url
    raise ConfigError(
        f"{where} is no address that a key may be sent to.",
        "Write https://… (http:// for 127.0.0.1 only), without user, password, query or fragment.",
    )


def _proxy(url: httpx.URL) -> str | None:
    """The proxy of the environment; httpx looks for it only where it makes the transport itself."""
    found = getproxies()
    proxy = found.get(url.scheme) or found.get("all") or ""
    return proxy if proxy.startswith("http") and not proxy_bypass(url.host) else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _read(text: str) -> tuple[Any, str]:
    """The JSON, None where it is none; and what it says instead of data, or the text of an error page."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None, "" if "\0" in text else line(text)
    found = [data[name] for name in _SAID if isinstance(data, dict) and isinstance(data.get(name), str)]
    return data, line(found[0]) if found else ""


def _fault(status: int, data: Any, said: str) -> ProviderFault | None:
    """What went wrong, by the status and the words of an answer; None where nothing did."""
    meant = next((kind for kind, words in _WORDS.items() if re.search(words, said, re.IGNORECASE)), None)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ProviderFault.RATE_LIMITED
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or httpx.codes.is_redirect(status):
        return ProviderFault.UNREACHABLE
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN}:
        return meant if meant is ProviderFault.RATE_LIMITED else ProviderFault.NOT_ENTITLED
    if status == httpx.codes.NOT_FOUND and data is not None:
        return ProviderFault.NOT_FOUND
    if status >= httpx.codes.BAD_REQUEST:
        return (meant if data is not None else None) or ProviderFault.MALFORMED
    return (meant or ProviderFault.MALFORMED) if data is not None and said else None


def _told(response: httpx.Response, said: str) -> str:
    """What a vendor answered, as the end of a sentence."""
    if httpx.codes.is_redirect(response.status_code):
        url = response.headers.get("Location", "")
        host = re.match(r"https?://([\w.:-]+)", url)
        return f"wants to be asked elsewhere ({host[1] if host else 'another path'}), which is not followed"
    page = said.lstrip().startswith("<") or not said
    answered = f"answered with status {response.status_code}"
    if response.is_success:
        return f"answered: {said.rstrip('.')}"
    return answered if page else f"{answered}: {said.rstrip('.')}"


def _wait(response: httpx.Response, said: str, told_at: datetime | None) -> float | None:
    """Seconds to wait: as the headers say by the vendor's own clock, or the span of the limit it names."""
    headers = response.headers
    after = headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return float(after)
    until = _moment(after)
    if until is None and response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        until = _instant(headers.get("X-Ratelimit-Reset", ""))
    if until is not None and told_at is not None:
        return max((until - told_at).total_seconds(), 0.0)
    return next((span for words, span in _SPANS.items() if re.search(words, said, re.IGNORECASE)), None)


def _moment(text: str | None) -> datetime | None:
    """An HTTP date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _instant(seconds: str) -> datetime | None:
    """An instant in seconds since 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def line(text: str) -> str:
    """Text of a vendor on one short line, without what a terminal would obey."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 10 * _LONGEST_SAID])
    told = " ".join(printable.split())
    return told if len(told) <= _LONGEST_SAID else told[:_LONGEST_SAID] + "…"
