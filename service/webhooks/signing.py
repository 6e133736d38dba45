"""The three headers of Standard Webhooks 1.0: which message this is, when it was sent, and that it comes from
here.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID


def headers(message_id: UUID, at: datetime, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """Sign a body with each secret: a receiver that still has the old one of two is content with either.

    The id stays the same when a message is sent again: by it a receiver knows what it has had.
    """
    id_, timestamp = f"msg_{message_id.hex}", str(int(at.timestamp()))
    signed = b"%b.%b.%b" % (id_.encode(), timestamp.encode(), body)
    signatures = (base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
