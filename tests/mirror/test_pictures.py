"""A mirror has the files of pictures for as long as the pictures are public, and no longer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from service.images.storage import open_store
from tests.articles.newsroom import problem
from tests.databases import KINDS
from tests.images.pictures import change, make_article, make_own_image
from tests.mirror.mirrors import caught_up, mirroring
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.following import listening


def files(mirror: Store) -> list[str]:
    """The keys of all files that a mirror keeps."""
    return sorted(kept.key for kept in open_store(mirror.settings).listed())


def shown(store: Store, mirror: Store, editor: httpx.Client) -> tuple[dict, list[str]]:
    """A picture in a published article, and the addresses of its files."""
    image = make_own_image(editor)
    make_article(editor, image)
    caught_up(store, mirror)
    href = image["renditions"][0]["href"]
    return image, [href, href.removesuffix("jpg") + "webp"]


@pytest.mark.slow
def test_a_file_is_fetched_when_it_is_asked_for_and_served_from_then_on(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    before = files(mirror)
    _, paths = shown(store, mirror, editor)
    for path in paths:
        there, here, again = client.get(path), reader.get(path), reader.get(path)
        assert here.status_code == 200
        assert here.content == again.content == there.content
        assert here.headers["etag"] == there.headers["etag"]
    assert len(files(mirror)) == len(before) + 2


@pytest.mark.slow
def test_a_killed_pictures_files_go_at_once_and_no_answer_shows_it(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    before = files(mirror)
    image, paths = shown(store, mirror, editor)
    assert [reader.get(path).status_code for path in paths] == [200, 200]
    response = editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": "The agency killed it."})
    assert response.status_code == 200
    wait_until(lambda: reader.get(f"/v1/images/{image['id']}").status_code == 410)
    assert files(mirror) == before
    for path in paths:
        assert reader.get(path).content == client.get(path).content
        assert problem(reader.get(path), 410)["detail"].endswith("The agency killed it.")
    assert f"/media/{image['id']}" not in reader.get("/v1/articles?body=html&limit=100").text
    response = editor.post(f"/v1/images/{image['id']}/reinstate", json={"reason": "It was another."})
    assert response.status_code == 200
    wait_until(lambda: reader.get(paths[0]).status_code == 200)


@pytest.mark.slow
def test_a_right_ends_at_the_mirror_while_the_origin_is_dark(
    store: Store, editor: httpx.Client, tmp_path: Path, sqlite_template: Path
) -> None:
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]
    with listening(store.app, store.portal) as address:
        mirrored = mirroring(kind, address, tmp_path, sqlite_template)
        mirror = mirrored.__enter__()
        image, paths = shown(store, mirror, editor)
        ends = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
        change(editor, f"/v1/images/{image['id']}", {"usable_until": ends})
        caught_up(store, mirror)
        with mirror.client() as reader:
            assert reader.get(paths[0]).status_code == 200
    try:
        with mirror.client() as reader:
            wait_until(lambda: reader.get(paths[0]).status_code == 410)
            assert problem(reader.get(f"/v1/images/{image['id']}"), 410)["type"] == "/problems/expired"
            assert f"/media/{image['id']}" not in reader.get("/v1/articles?body=html&limit=100").text
            wait_until(lambda: reader.get("/health/ready").json()["mirror"]["fault"] is not None)
            assert reader.get("/health/ready").status_code == 200
            assert problem(reader.get(paths[0].removesuffix("jpg") + "avif"), 410)
    finally:
        mirrored.__exit__(None, None, None)


@pytest.mark.slow
def test_ahead_fetches_what_pages_show_before_anybody_asks(
    store: Store, origin: str, editor: httpx.Client, tmp_path: Path, sqlite_template: Path
) -> None:
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]
    with mirroring(kind, origin, tmp_path, sqlite_template, mirror_pictures="ahead") as mirror:
        image, _ = shown(store, mirror, editor)
        name = image["renditions"][0]["name"]
        wait_until(lambda: sum(f"/{name}-" in key for key in files(mirror)) >= 2)
