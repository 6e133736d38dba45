"""Read a stored document into its shape, whichever rendering has made it.

A shape gives each member that was added since the first release a default, because older documents lack it.
Members that a newer version has added are left out, because both versions serve during an upgrade.
"""

from typing import TypeVar

from pydantic import BaseModel

Shape = TypeVar("Shape", bound=BaseModel)


def read(shape: type[Shape], document: bytes) -> Shape:
    """Read a published row's document."""
    return shape.model_validate_json(document, extra="ignore")
