"""The Merkle tree of RFC 9162, section 2.1: its hashes, its proofs, and how to check them. Knows nothing of
consent or of tables.

Every node of the tree covers a span of leaves. A span of 2^k leaves that begins at a multiple of 2^k never
changes once it is full; proofs and roots are put together from these, which `Subtree` finds.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

EMPTY_ROOT = hashlib.sha256().digest()
Subtree = Callable[[int, int], bytes]
"""The hash of the full subtree of a level and place: it covers the leaves from place·2^level on, 2^level of
them.
"""


class NotProven(ValueError):
    """A proof does not show what it should."""


@dataclass(frozen=True, slots=True)
class Span:
    """The leaves from `start` up to, and without, `end`: a node of the tree."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def halves(self) -> tuple["Span", "Span"]:
        """Return the two below it: the left one has the largest power of two that is smaller
        than the whole.
        """
        middle = self.start + (1 << (len(self) - 1).bit_length() - 1)
        return Span(self.start, middle), Span(middle, self.end)

    def subtrees(self) -> Iterator[tuple[int, int]]:
        """Yield the level and place of the full subtrees that it is made of, from left to right."""
        if len(self) and len(self) & (len(self) - 1) == 0:
            yield len(self).bit_length() - 1, self.start // len(self)
        elif len(self):
            for half in self.halves():
                yield from half.subtrees()

    def hash(self, subtree: Subtree) -> bytes:
        """MTH of RFC 9162, 2.1.1."""
        hashes = [subtree(level, place) for level, place in self.subtrees()]
        return fold(hashes)


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Return the root over full subtrees, from left to right, each smaller than the one before."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: all that is needed to add leaves and to tell the root."""

    size: int = 0
    subtrees: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf's hash; returns it and the hashes of the subtrees that it completes, upwards."""
        hashes, size = [leaf], self.size
        while size & 1:
            hashes.append(node_hash(self.subtrees.pop(), hashes[-1]))
            size >>= 1
        self.subtrees.append(hashes[-1])
        self.size += 1
        return hashes

    @property
    def root(self) -> bytes:
        """Return the hash of the whole tree."""
        return fold(self.subtrees)


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the nodes of an inclusion proof, from the leaf upwards (PATH of RFC 9162, 2.1.3.1)."""
    node, path = Span(0, size), list[Span]()
    while len(node) > 1:
        left, right = node.halves()
        node, other = (left, right) if index < left.end else (right, left)
        path.append(other)
    return path[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Return the nodes of a consistency proof (PROOF and SUBPROOF of RFC 9162, 2.1.4.1); none where either
    tree is empty, or both are one.
    """
    if not 0 < first < second:
        return []
    node, path = Span(0, second), list[Span]()
    while node.end != first:
        left, right = node.halves()
        node, other = (left, right) if first <= left.end else (right, left)
        path.append(other)
    # The older tree's own root is known to whoever asks.
    return ([node] if node.start else []) + path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a tree holds a leaf at a place (RFC 9162, 2.1.3.2). Raises NotProven."""
    if not 0 <= index < size:
        raise NotProven("the leaf is not inside the tree")
    found = leaf
    for node, is_left in _sides(index, size - 1, path):
        found = node_hash(node, found) if is_left else node_hash(found, node)
    if found != root:
        raise NotProven("the path does not lead from the leaf to the root")


def check_consistency(first: int, second: int, old: bytes, new: bytes, path: Sequence[bytes]) -> None:
    """Check that a tree holds an older one, unchanged (RFC 9162, 2.1.4.2). Raises NotProven."""
    if not 0 <= first <= second:
        raise NotProven("the older tree is larger than the newer one")
    if first in (0, second):
        if path or old != (new if first else EMPTY_ROOT):
            raise NotProven("a tree has one root, and so has an empty one")
        return
    # The path leaves out the older root where that is a node of the newer tree: whoever checks knows it.
    nodes = list(path) if first & (first - 1) else [old, *path]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = nodes[0] if nodes else EMPTY_ROOT
    for node, is_left in _sides(place, last, nodes[1:]):
        older = node_hash(node, older) if is_left else older
        newer = node_hash(node, newer) if is_left else node_hash(newer, node)
    if (older, newer) != (old, new):
        raise NotProven("the path does not lead from the older root to the newer one")


def _sides(place: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Go up a path from a place in a level whose last place is `last`: each node, and whether it is on the
    left.
    """
    for node in path:
        if last == 0:
            raise NotProven("the path is too long")
        is_left = bool(place & 1) or place == last
        yield node, is_left
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last:
        raise NotProven("the path is too short")
