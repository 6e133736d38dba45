"""The log: a Merkle tree (RFC 9162) over all events, sealed in batches, with signed heads and proofs."""
