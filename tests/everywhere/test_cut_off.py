"""A client that leaves while it still sends is no fault of the service."""

from itertools import product

import structlog

from tests.images.pictures import send_in_parts
from tests.serving import EDITOR, ORIGIN, Store

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SENT = [
    ("/v1/consents", JSON),
    ("/v1/consents", "text/plain"),
    ("/v1/consents/current/withdrawal", JSON),
    ("/v1/consent-impressions", JSON),
    ("/v1/privacy-managers/default/submit", JSON),
    ("/consent", FORM),
    ("/v1/articles", JSON),
    ("/v1/articles/bulk", JSON),
    ("/v1/articles/bulk", "application/x-ndjson"),
    ("/v1/images", "image/jpeg"),
    ("/v1/images", "multipart/form-data; boundary=x"),
    ("/v1/imports", "text/plain"),
]


def test_a_request_that_is_cut_off_is_no_fault(store: Store) -> None:
    writer = {"origin": ORIGIN, "authorization": f"Bearer {store.token(*EDITOR)}"}
    for (path, media_type), keyed in product(SENT, (False, True)):
        headers = writer | {"content-type": media_type} | ({"idempotency-key": path} if keyed else {})
        with structlog.testing.capture_logs() as logged:
            status = send_in_parts(store, path, headers, iter([b'{"notice_key": "def']), cut=True)
        assert status is None or 400 <= status < 500, (path, media_type, keyed)
        assert [line for line in logged if line["log_level"] in ("warning", "error")] == []
