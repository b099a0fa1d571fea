"""Whether a push may go to where a browser says, looked up within limits: whoever is signed in can name any host."""

import math
from typing import Final
from uuid import UUID

from app.domain.rate_limit import RateLimiter
from app.errors import InvalidField, RateLimited, Unavailable
from app.push.addresses import Endpoint, EndpointRefusedError, parse_endpoint, resolve
from app.push.encryption import read_browser_keys
from app.push.resolver import RESOLVE_S, HostNotFoundError, OwnerBusyError, Resolver, ResolverBusyError, is_address
from app.schemas.push import PushDeviceCreate

AT_ONCE: Final = 8
"""Names looked up at once, for everybody; sending has places of its own."""
AT_ONCE_FOR_EACH: Final = 2
PER_MINUTE: Final = 10
"""Names one person may have looked up; a browser that subscribes needs one."""


class DeviceChecks:
    """Sees that devices may be added. One per server."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._resolver = Resolver(AT_ONCE, for_each=AT_ONCE_FOR_EACH)
        self._limiter = RateLimiter(PER_MINUTE / 60, PER_MINUTE)

    async def check(self, user_id: UUID, body: PushDeviceCreate) -> None:
        """See that a push may go there, with no transaction open: a name is looked up.

        Raises:
            InvalidField: not the address of a push service, or no keys of a browser.
            RateLimited: this person has too many names looked up.
            Unavailable: others do.
        """
        try:
            read_browser_keys(body.keys.p256dh, body.keys.auth)
        except ValueError:
            raise InvalidField("keys", "are not those of a push subscription") from None
        try:
            endpoint = parse_endpoint(body.endpoint, allow_private=self._allow_private)
            self._limit(user_id, endpoint)
            await resolve(self._resolver, endpoint, allow_private=self._allow_private, owner=user_id)
        except OwnerBusyError as error:
            wait_s = math.ceil(RESOLVE_S)
            message = f"{error}; try again in {wait_s} s"
            raise RateLimited(message, retry_after_s=wait_s) from None
        except ResolverBusyError as error:
            message = f"{error}; try again in a moment"
            raise Unavailable(message) from None
        except (EndpointRefusedError, HostNotFoundError) as error:
            raise InvalidField("endpoint", str(error)) from None

    def _limit(self, user_id: UUID, endpoint: Endpoint) -> None:
        if not is_address(endpoint.host) and (wait_s := math.ceil(self._limiter.take(str(user_id)))):
            message = f"too many devices in a short time; try again in {wait_s} s"
            raise RateLimited(message, retry_after_s=wait_s)
