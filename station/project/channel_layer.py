"""The channel layer: Redis pub/sub, with what two appliances on one Redis and an absent Redis ask for."""

from __future__ import annotations

from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer


class StationChannelLayer(RedisPubSubChannelLayer):
    """``RedisPubSubChannelLayer`` whose named channels carry the prefix too, not only its groups.

    Without it two appliances that share a Redis would hear each other's setpoints. A ``receive`` that fails while
    Redis is away subscribes anew the next time; the layer below would take itself for subscribed and wait for good.
    """

    def __init__(self, *args: Any, prefix: str, **options: Any) -> None:
        super().__init__(*args, prefix=prefix, **options)
        self._named_prefix = prefix

    def _name(self, channel: str) -> str:
        return channel if channel.startswith(self._named_prefix) else f"{self._named_prefix}:{channel}"

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send to everybody who listens at ``channel``; raises redis.RedisError."""
        await self._get_layer().send(self._name(channel), message)

    async def receive(self, channel: str) -> Any:
        """The next message at ``channel``; raises redis.RedisError where the first subscription fails."""
        layer = self._get_layer()
        name = self._name(channel)
        try:
            return await layer.receive(name)
        except Exception:
            layer.channels.pop(name, None)
            raise
