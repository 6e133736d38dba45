"""The tree gives the roots and proofs that Certificate Transparency's known vectors give, and its own proofs
hold at every size.
"""

from collections.abc import Sequence

import pytest

from service.consent.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    NotProven,
    Span,
    Subtree,
    check_consistency,
    check_inclusion,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
)

ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SECOND, PAIR, HALF = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
FIFTH, LAST_PAIR, THIRD_PAIR = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
LARGEST = 70


def grown(leaves: Sequence[bytes]) -> tuple[Subtree, list[bytes]]:
    """The full subtrees of a tree, and its root at each size."""
    tree, kept, roots = Frontier(), {}, [EMPTY_ROOT]
    for index, leaf in enumerate(leaves):
        for level, node in enumerate(tree.append(leaf)):
            kept[level, index >> level] = node
        roots.append(tree.root)
    return lambda level, place: kept[level, place], roots


KNOWN, KNOWN_ROOTS = grown([leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES])
MANY = [leaf_hash(b"%d" % number) for number in range(LARGEST)]
SUBTREE, EACH_ROOT = grown(MANY)


def hashes(spans: Sequence[Span], subtree: Subtree) -> list[bytes]:
    return [span.hash(subtree) for span in spans]


def test_the_roots_are_the_known_ones() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [root.hex() for root in KNOWN_ROOTS[1:]] == list(ROOTS)
    assert [Span(0, size).hash(KNOWN).hex() for size in range(1, 9)] == list(ROOTS)


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [SECOND, PAIR, HALF]),
        (5, 8, [FIFTH, LAST_PAIR, ROOTS[3]]),
        (2, 3, [ROOTS[1]]),
        (1, 5, [ROOTS[0], PAIR, FIFTH]),
    ],
)
def test_the_inclusion_proofs_are_the_known_ones(index: int, size: int, path: list[str]) -> None:
    assert [node.hex() for node in hashes(inclusion_spans(index, size), KNOWN)] == path


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        (1, 1, []),
        (1, 8, [SECOND, PAIR, HALF]),
        (6, 8, [THIRD_PAIR, LAST_PAIR, ROOTS[3]]),
        (2, 5, [PAIR, FIFTH]),
    ],
)
def test_the_consistency_proofs_are_the_known_ones(first: int, second: int, path: list[str]) -> None:
    assert [node.hex() for node in hashes(consistency_spans(first, second), KNOWN)] == path


def test_every_leaf_is_proven_at_every_size_and_no_other_is() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            path = hashes(inclusion_spans(index, size), SUBTREE)
            check_inclusion(MANY[index], index, size, path, EACH_ROOT[size])
            with pytest.raises(NotProven):
                check_inclusion(leaf_hash(b"another"), index, size, path, EACH_ROOT[size])
            with pytest.raises(NotProven):
                check_inclusion(MANY[index], index, size, [*path, MANY[0]], EACH_ROOT[size])
            if path:
                with pytest.raises(NotProven):
                    check_inclusion(MANY[index], index, size, path[:-1], EACH_ROOT[size])


def test_every_tree_is_proven_to_be_the_beginning_of_every_later_one() -> None:
    for second in range(LARGEST + 1):
        for first in range(second + 1):
            path = hashes(consistency_spans(first, second), SUBTREE)
            old, new = EACH_ROOT[first], EACH_ROOT[second]
            check_consistency(first, second, old, new, path)
            for wrong in (
                (leaf_hash(b""), new, path),
                (old, new, [*path, MANY[0]]),
                *([(old, new, path[:-1])] if path else []),
            ):
                with pytest.raises(NotProven):
                    check_consistency(first, second, *wrong)


def test_a_tree_that_is_not_its_beginning_is_not_proven() -> None:
    _, other = grown([leaf_hash(b"another"), *MANY[1:]])
    for first, second in ((1, 2), (4, 8), (6, 7), (33, 70)):
        path = hashes(consistency_spans(first, second), SUBTREE)
        with pytest.raises(NotProven):
            check_consistency(first, second, other[first], EACH_ROOT[second], path)
        with pytest.raises(NotProven):
            check_consistency(first, second, EACH_ROOT[first], other[second], path)
