"""Send test messages while their askers wait, a few at once."""

from anyio import CapacityLimiter, to_thread

from service.errors import Unavailable
from service.settings import Settings
from service.webhooks.delivery import Message
from service.webhooks.models import Attempt
from service.webhooks.worker import send

AT_ONCE = 8


class Trials:
    """Has threads of its own: receivers that hang must not take those that answer requests."""

    def __init__(self) -> None:
        self._limit = CapacityLimiter(AT_ONCE)

    async def send(self, settings: Settings, message: Message) -> Attempt:
        """Send a message once. Raises Unavailable when others do, and their receivers have not
        answered yet.
        """
        if self._limit.available_tokens < 1:
            raise Unavailable(
                "Too many test messages wait for their receivers.", headers={"Retry-After": "5"}
            )
        attempt, _ = await to_thread.run_sync(send, settings, message, limiter=self._limit)
        return attempt
