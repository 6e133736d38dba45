"""Turn the errors that decoders raise for damaged files and want of memory into refusals. Their warnings
refuse nothing.
"""

import errno
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from service.images.darkroom.jobs import Refusal

# The errors that Pillow raises for damaged files, over all its decoders.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
# Pillow warns of broken metadata, further pictures and animations, and shows the picture all the same.
warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what decoders raise for damaged files, and want of memory, into refusals."""
    try:
        yield
    except MemoryError:
        raise Refusal("memory", "The picture takes more memory to decode than a picture is given.") from None
    except DAMAGE as fault:
        if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal("room", "There is no room left for what is made of the picture.") from fault
        raise Refusal("damaged", "The file cannot be decoded: it is cut off or damaged.") from fault
