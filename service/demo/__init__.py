"""Sample news with pictures, captions, notices, readers' decisions and a partner, so that a newcomer has
something to look at.
"""

from service.demo.load import fill, introduce, load

__all__ = ["fill", "introduce", "load"]
