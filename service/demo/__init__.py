"""Sample news with pictures, captions and notices, so that a newcomer has something to look at."""

from service.demo.load import introduce, load

__all__ = ["introduce", "load"]
