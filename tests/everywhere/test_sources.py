"""A token of a source makes and changes the items of that source alone."""

import httpx

from tests.serving import EDITOR, Store

NEW = {"headline": "New"}
NINJS = {"uri": "https://wire.example/1", "headlines": [{"value": "New"}]}


def test_a_token_of_a_source_makes_and_changes_its_own_items_alone(store: Store, editor: httpx.Client):
    theirs = editor.post("/v1/articles", json=NEW | {"source": "rival", "external_id": "1"}).json()
    hidden = editor.post("/v1/images", json={"source": "rival"}).json()
    with store.client(*EDITOR, name="wire", source="wire") as wire:
        own = wire.post("/v1/articles", json=NEW)
        assert (own.status_code, own.json()["source"]) == (201, "wire")
        image = wire.post("/v1/images", json={"credit_line": "Ana Lind"}).json()
        assert image["source"] == "wire"
        assert wire.post("/v1/captions", json={"image_id": image["id"], "text": "A ferry"}).status_code == 201
        address = f"/v1/articles/{own.json()['id']}"
        assert wire.patch(address, json={"headline": "Newer"}, headers={"If-Match": "*"}).status_code == 200
        assert wire.post(f"{address}/publish").status_code == 200
        for foreign in (
            wire.post("/v1/articles", json=NEW | {"source": "rival"}),
            wire.post("/v1/images", json={"source": "rival"}),
            wire.patch(address, json={"source": "rival"}, headers={"If-Match": "*"}),
            wire.patch(address, json={"source": None}, headers={"If-Match": "*"}),
            wire.post("/v1/imports", json=NINJS),
            wire.post("/v1/articles", json=NEW | {"lead_image_id": hidden["id"]}),
            wire.patch(address, json={"lead_image_id": hidden["id"]}, headers={"If-Match": "*"}),
        ):
            assert (foreign.status_code, foreign.json()["source"]) == (403, "wire"), foreign.text
        items = [NEW | {"source": source, "external_id": "1"} for source in ("rival", "wire")]
        results = wire.post("/v1/articles/bulk", json=items).json()["items"]
        assert [(each["status"], each["id"] is None) for each in results] == [(403, True), (201, False)]
    assert editor.get(f"/v1/articles/{theirs['id']}").json()["version"] == theirs["version"]


def test_a_token_of_a_source_captions_no_picture_of_another_that_is_not_public(
    store: Store, editor: httpx.Client
):
    hidden, seen = (editor.post("/v1/images", json={"source": "rival"}).json()["id"] for _ in range(2))
    published = NEW | {"source": "rival", "lead_image_id": seen, "status": "published"}
    assert editor.post("/v1/articles", json=published).status_code == 201
    with store.client(*EDITOR, name="wire", source="wire") as wire:
        article = wire.post("/v1/articles", json=NEW).json()["id"]
        words = {"article_id": article, "text": "A ferry"}
        for image, status in ((hidden, 403), (seen, 201)):
            assert wire.post("/v1/captions", json=words | {"image_id": image}).status_code == status
        for image in (hidden, seen):
            assert wire.post("/v1/captions", json={"text": "Mine", "image_id": image}).status_code == 403
        own = wire.get(f"/v1/images/{seen}/captions").json()["items"][0]
        taken = {"article_id": None}
        assert (
            wire.patch(f"/v1/captions/{own['id']}", json=taken, headers={"If-Match": "*"}).status_code == 403
        )


def test_only_tokens_of_content_are_bound_to_a_source(admin: httpx.Client):
    asked = {"name": "wire", "source": "wire"}
    assert admin.post("/v1/tokens", json=asked | {"scopes": ["content:write"]}).json()["source"] == "wire"
    refused = admin.post("/v1/tokens", json=asked | {"scopes": ["content:write", "admin"]})
    assert refused.status_code == 422
    assert "admin" in refused.json()["detail"]
