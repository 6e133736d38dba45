"""The public endpoints of the log: its signed head, and proofs that an event is in it and that it was only
ever added to.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from service.ages import control
from service.consent.log import tree
from service.consent.log.merkle import Span, consistency_spans
from service.consent.log.tree import InclusionProof, NoSuchTree, TreeHead
from service.consent.signing import Signer
from service.database import Session, SessionDep
from service.errors import BadRequest, FieldProblem
from service.http import conditional
from service.http.routing import Route
from service.services import service
from service.settings import Settings
from service.tables import WHOLE

router = APIRouter(prefix="/v1/consent-log", tags=["consent log"], route_class=Route)
PUBLIC = {"Cache-Control": control(1, 1), "Vary": "Accept-Encoding, Authorization"}
"""The head changes every second. An older one, and each proof, stays true."""
TreeSize = Annotated[
    int | None,
    Query(ge=0, le=2**31 - 1, description="of the tree that is asked about; absent: that of the head"),
    WHOLE,
]
LeafHash = Annotated[str | None, Query(pattern="^[0-9a-fA-F]{64}$", description="the leaf's hash, in hex")]


class NoLeafNamed(BadRequest):
    """A proof of inclusion is of one leaf: name it by `leaf_index`, by `event_id` or by `leaf_hash`."""

    title = "Which leaf?"


class ConsistencyProof(BaseModel):
    """ConsistencyProofDataV2 of RFC 9162, with both roots; all in hex."""

    tree_size_1: int = Field(examples=[1000])
    tree_size_2: int
    root_hash_1: str
    root_hash_2: str
    consistency_path: list[str]


def _size(session: Session, request: Request, asked: int | None, parameter: str) -> int:
    """Return the size that this parameter asks for, which the log must have been of."""
    newest = tree.head_now(session, Signer(service(request, Settings).signing_key)).tree_size
    if asked is not None and asked > newest:
        raise _no_such_tree(f"The log has {newest} leaves.", newest, parameter)
    return newest if asked is None else asked


def _no_such_tree(message: str, tree_size: int, parameter: str) -> NoSuchTree:
    wrong = FieldProblem(place="query", pointer=f"/{parameter}", message=message)
    return NoSuchTree(message, errors=[wrong], tree_size=tree_size)


@router.get("/tree-head", response_model=TreeHead)
def get_tree_head(request: Request, session: SessionDep) -> Response:
    """The log as it is now: how many events it holds, and the signed hash over all of them. Keep it, and ask
    later for a proof of consistency: then nothing that was in the log can have been changed or taken out
    meanwhile.
    """
    head = tree.head_now(session, Signer(service(request, Settings).signing_key))
    return conditional.answer(request, tree.as_read(head), headers=PUBLIC)


@router.get("/inclusion-proof", response_model=InclusionProof)
def get_inclusion_proof(
    request: Request,
    session: SessionDep,
    leaf_index: Annotated[int | None, Query(ge=0, le=2**31 - 1), WHOLE] = None,
    leaf_hash: LeafHash = None,
    event_id: UUID | None = None,
    tree_size: TreeSize = None,
) -> Response:
    """Prove that an event is in the log: the leaf is named by its index, its hash or its event (RFC 9162,
    2.1.3).
    """
    if leaf_index is None and leaf_hash is None and event_id is None:
        raise NoLeafNamed("Name a leaf by leaf_index, event_id or leaf_hash.")
    leaf = tree.find_leaf(session, leaf_index, leaf_hash, event_id)
    size = _size(session, request, tree_size, "tree_size")
    if leaf.leaf_index >= size:
        raise tree.NotInTheLog(f"A log of {size} leaves has no leaf {leaf.leaf_index} yet.")
    return conditional.answer(request, tree.prove_inclusion(session, leaf, size), headers=PUBLIC)


@router.get("/consistency-proof", response_model=ConsistencyProof)
def get_consistency_proof(
    request: Request,
    session: SessionDep,
    first: Annotated[int, Query(ge=0, le=2**31 - 1), WHOLE],
    second: TreeSize = None,
) -> Response:
    """Prove that the log of `first` leaves is the beginning of that of `second` (RFC 9162, 2.1.4)."""
    size = _size(session, request, second, "second")
    if first > size:
        raise _no_such_tree(
            f"The older log cannot have more leaves than the newer, which has {size}.", size, "first"
        )
    spans = consistency_spans(first, size)
    subtree = tree.subtrees(session, [Span(0, first), Span(0, size), *spans])
    proof = ConsistencyProof(
        tree_size_1=first,
        tree_size_2=size,
        root_hash_1=Span(0, first).hash(subtree).hex(),
        root_hash_2=Span(0, size).hash(subtree).hex(),
        consistency_path=[span.hash(subtree).hex() for span in spans],
    )
    return conditional.answer(request, proof, headers=PUBLIC)
