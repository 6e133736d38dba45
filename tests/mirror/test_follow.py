"""A mirror has what its origin publishes, and says where writers have to go."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, func, insert, update
from sqlmodel import col, select

from service.database import Session
from service.published import mirroring
from service.published.masked import masked
from service.published.mirroring import forget_some
from service.published.models import Published, PublishedSlug, Reason
from service.sync.pruning import announce, forget
from service.tables import now
from tests.articles.newsroom import do, edit, mark, problem, published, trash
from tests.images.pictures import image_of, make_caption, picture, upload
from tests.mirror.mirrors import caught_up, everything, number
from tests.patience import wait_until
from tests.serving import Store


@pytest.mark.slow
def test_what_is_published_is_at_the_mirror_with_its_number_and_etag(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    image = image_of(upload(editor, picture(size=(640, 480)), credit_line="Ana Lind"))
    make_caption(editor, image, "Smörgåsbord – “quays”")
    article = published(editor, lead_image_id=image["id"], summary="Žofín \u2028 😀", tags=[mark()])
    article = edit(editor, article, headline="Newer", slug=f"newer-{mark()}")
    for action in ("unpublish", "withdraw"):
        do(editor, published(editor), action, **({"reason": "Wrong."} if action == "withdraw" else {}))
    trash(editor, published(editor))
    caught_up(store, mirror)
    assert everything(reader) == everything(client)
    for path in (f"/v1/articles/{article['id']}", f"/v1/images/{image['id']}", "/v1/articles?count=true"):
        there, here = client.get(path), reader.get(path)
        assert (here.status_code, here.content) == (200, there.content)
        assert here.headers.get("etag") == there.headers.get("etag")
    old = client.get("/v1/changes/digest").content
    wait_until(lambda: reader.get("/v1/changes/digest").content == old)


@pytest.mark.slow
def test_slugs_of_what_has_gone_cannot_be_listed_and_are_410_at_the_mirror(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    article = published(editor, headline=f"Mayor arrested {mark()}")
    old = article["slug"]
    article = edit(editor, article, slug=f"{old}-again")
    do(editor, article, "withdraw", reason="Wrong.")
    caught_up(store, mirror)
    for each in (client, reader):
        told = each.get("/v1/changes/mirror?limit=200").text
        assert article["id"] in told
        assert old not in told
    for path in (f"/v1/articles/{old}", f"/v1/articles/{article['slug']}", f"/read/{old}"):
        assert client.get(path).status_code == 410, path
        assert reader.get(path).content == client.get(path).content
    there, here = client.get("/v1/articles/never-there"), reader.get("/v1/articles/never-there")
    assert (here.status_code, here.content) == (404, there.content)


@pytest.mark.slow
def test_the_slug_of_one_article_goes_before_its_mask_of_another(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    gone, live = published(editor), published(editor)
    do(editor, gone, "withdraw", reason="Wrong.")
    caught_up(store, mirror)
    slug = live["slug"]
    with mirror.database.writing() as session:
        session.execute(delete(PublishedSlug).where(col(PublishedSlug.slug) == slug))
        for name, article in ((masked(slug), gone), (slug, live)):
            session.execute(insert(PublishedSlug), [{"slug": name, "article_id": UUID(article["id"])}])
    for path in (f"/v1/articles/{slug}?body=html", f"/v1/articles/{slug}", f"/read/{slug}"):
        assert client.get(path).status_code == 200, path
        assert reader.get(path).content == client.get(path).content


@pytest.mark.slow
def test_an_article_that_comes_back_is_found_by_all_its_slugs_at_the_mirror(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    article = published(editor, headline=f"Mayor released {mark()}")
    old = article["slug"]
    article = do(editor, edit(editor, article, slug=f"{old}-again"), "unpublish")
    caught_up(store, mirror)
    for slug in (old, article["slug"]):
        there, here = (each.get(f"/v1/articles/{slug}") for each in (client, reader))
        assert (here.status_code, here.content) == (there.status_code, there.content)
        assert there.status_code != 200
    do(editor, article, "publish")
    caught_up(store, mirror)
    path = f"/v1/articles/{old}-again"
    assert reader.get(path).status_code == 200
    assert reader.get(path).content == client.get(path).content
    assert reader.get(f"/v1/articles/{old}").status_code == 308


def test_who_writes_is_sent_to_the_origin(origin: str, mirror: Store, reader: httpx.Client) -> None:
    for response in (
        reader.post("/v1/articles", json={"headline": "Here"}),
        reader.delete("/v1/images/01997f3c-11aa-7b02-9c7d-54e0b1f6a310"),
        reader.post("/v1/consents", json={}),
        reader.get("/v1/articles", headers={"Authorization": "Bearer cd_of-the-origin"}),
        reader.get("/v1/consents/current"),
        reader.get("/consent"),
    ):
        said = problem(response, 503)
        assert (said["type"], said["origin"]) == ("/problems/read-from-mirror", origin)
        assert response.headers["cache-control"] in ("no-store", "private, no-store")


@pytest.mark.slow
def test_readiness_says_how_far_the_mirror_is(origin: str, mirror: Store, reader: httpx.Client) -> None:
    wait_until(lambda: reader.get("/health/ready").json()["mirror"]["behind"] == 0)
    ready = reader.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["mirror"]["origin"] == origin
    assert ready.json()["mirror"]["heard_at"] is not None
    assert ready.json()["mirror"]["fault"] is None
    assert number(mirror) > 0


@pytest.mark.slow
def test_what_the_origin_has_forgotten_is_forgotten_in_many_transactions(
    store: Store,
    mirror: Store,
    client: httpx.Client,
    editor: httpx.Client,
    reader: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirroring, "FORGOTTEN_AT_ONCE", 2)
    moved = edit(editor, published(editor, section="Harbour"), section="Sport")
    gone = [do(editor, published(editor), "unpublish") for _ in range(5)]
    killed = do(editor, published(editor), "withdraw", reason="Wrong.")
    caught_up(store, mirror)
    transactions: list[int] = []

    def count(session: Session, pruned: int) -> bool:
        before = buried(session)
        has_more = forget_some(session, pruned)
        transactions.append(before - buried(session))
        return has_more

    monkeypatch.setattr(mirroring, "forget_some", count)
    with store.database.writing() as session:
        is_gone = col(Published.reason).is_not(None), col(Published.reason) != Reason.WITHDRAWN
        session.execute(update(Published).where(*is_gone).values(changed_at=now() - timedelta(days=400)))
    forget(store.database, announce(store.database))
    published(editor)
    caught_up(store, mirror)
    wait_until(lambda: sum(transactions) >= len(gone))
    assert max(transactions) == 2
    # A page of the feed that was asked for before shows what is forgotten until the next change.
    published(editor)
    caught_up(store, mirror)
    assert everything(reader) == everything(client)
    assert {reader.get(f"/v1/articles/{each['id']}").status_code for each in gone} == {404}
    assert reader.get(f"/v1/articles/{killed['id']}").status_code == 410
    assert reader.get(f"/v1/articles/{moved['id']}").json()["section"] == "Sport"


def buried(session: Session) -> int:
    """Count the removals that a store has."""
    return session.exec(select(func.count()).where(col(Published.reason).is_not(None))).one()
