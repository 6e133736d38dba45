"""Cut the text of a JSON array into the texts of its items, piece by piece, however long the array is.

Only quotes, brackets and commas are looked at, so that a piece costs the same however deep its values are
nested. Each text is read and bounded afterwards, as a body of its own.
"""

import re
from collections.abc import Iterator

from service.errors import BadRequest
from service.http.unpacking import BrokenStream

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_IN_STRING = re.compile(rb'(?s)(?:[^"\\]++|\\.)*+')
# To the next byte that matters: a bracket, a quote whose string does not end here, and a comma between items.
_IN_ARRAY = re.compile(rb'(?s)(?:[^"\[\]{},]++|%b)*+' % _STRING)
_IN_ITEM = re.compile(rb'(?s)(?:[^"\[\]{}]++|%b)*+' % _STRING)
_SPACE = b" \t\r\n"
_QUOTE, _COMMA, _END, _OPENING = ord('"'), ord(","), ord("]"), frozenset(b"[{")


class Cutter:
    """The items of one array. An item with more than `largest` bytes is cut out as None and not held."""

    def __init__(self, largest: int) -> None:
        self.held = 0
        """Bytes of the present item so far."""
        self._largest = largest
        self._item = bytearray()
        self._depth = 0
        self._is_string = self._is_escaped = self._has_comma = self._is_over = False

    def cut(self, piece: bytes) -> Iterator[bytes | None]:
        """Yield the items that end in a piece. Raises BadRequest where no array begins, and BrokenStream
        where something follows it.
        """
        at = self._begin(piece) if self._depth == 0 else 0
        start = at
        while at < len(piece) and not self._is_over:
            if self._is_string:
                at = self._pass_string(piece, at)
                continue
            found = (_IN_ARRAY if self._depth == 1 else _IN_ITEM).match(piece, at)
            at = len(piece) if found is None else found.end()
            if at == len(piece):
                break
            byte, at = piece[at], at + 1
            if byte == _QUOTE:
                self._is_string = True
            elif byte == _COMMA:
                self._hold(piece[start : at - 1])
                yield self._take()
                start, self._has_comma = at, True
            else:
                self._step(byte)
        if not self._is_over:
            self._hold(piece[start:])
        elif start < at:
            self._hold(piece[start : at - 1])
            if self._has_comma or self.held > self._largest or self._item.strip(_SPACE):
                yield self._take()
        if self._is_over and piece[at:].strip(_SPACE):
            raise BrokenStream("Something follows the array.")

    def end(self) -> Iterator[bytes]:
        """Yield an item that ended with the body. Raises BrokenStream unless the array has ended, and
        BadRequest if none began.
        """
        if self._is_over:
            return
        if self._depth == 0:
            raise BadRequest("The body is not a JSON array.")
        # A number may have lost its last digits, but what a bracket closes is whole.
        if self._depth == 1 and not self._is_string and self._item.rstrip(_SPACE).endswith((b"}", b"]")):
            yield bytes(self._item)
        raise BrokenStream("The array does not end.")

    def _begin(self, piece: bytes) -> int:
        """Return the place behind the opening bracket, or the end of a piece that only has space."""
        if self._is_over or not (rest := piece.lstrip(_SPACE)):
            return 0 if self._is_over else len(piece)
        if not rest.startswith(b"["):
            raise BadRequest("The body is not a JSON array.")
        self._depth = 1
        return len(piece) - len(rest) + 1

    def _step(self, bracket: int) -> None:
        """Go a level down or up."""
        self._depth += 1 if bracket in _OPENING else -1
        self._is_over = self._depth == 0
        if self._is_over and bracket != _END:
            raise BrokenStream("The array ends as an object does.")

    def _pass_string(self, piece: bytes, at: int) -> int:
        """Return the place behind the string that a piece goes on with, or the end of the piece."""
        if self._is_escaped:
            self._is_escaped = False
            return at + 1
        found = _IN_STRING.match(piece, at)
        at = len(piece) if found is None else found.end()
        if at < len(piece):
            self._is_string, self._is_escaped = piece[at] != _QUOTE, piece[at] != _QUOTE
            at += 1
        return at

    def _hold(self, part: bytes) -> None:
        self.held += len(part)
        if self.held > self._largest:
            self._item.clear()
        else:
            self._item += part

    def _take(self) -> bytes | None:
        item = None if self.held > self._largest else bytes(self._item)
        self._item.clear()
        self.held = 0
        return item
