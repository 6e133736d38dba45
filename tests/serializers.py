"""How schemathesis writes what it has no words for: a line of NDJSON."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def write_lines(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A text is taken as lines already."""
    return value.encode() if isinstance(value, str) else b""
