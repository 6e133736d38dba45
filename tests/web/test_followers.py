"""The administrators' page of followers: only for the scope, with who waits, and who has what was killed."""

import httpx
import pytest

from tests.articles.newsroom import do, published
from tests.images.pictures import make_article, make_image
from tests.serving import ORIGIN, Store
from tests.sync.following import follow, page
from tests.web.looking import page_of

ADDRESS = "/desk/followers"


def test_the_page_needs_a_token_of_an_administrator(store: Store, client: httpx.Client) -> None:
    assert not page_of(client.get(ADDRESS)).xpath("//table")
    page_of(client.post(ADDRESS, data={"token": "cd_wrong"}), 401)
    page_of(client.post(ADDRESS, data={"token": store.token("content:read", "consent:read")}), 403)
    with store.client("content:read") as other:
        page_of(other.get(ADDRESS), 403)


@pytest.mark.slow
def test_it_says_who_has_everything_who_is_behind_and_who_has_what_was_killed(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    image = make_image(editor, credit_line="Quillcredit")
    make_article(editor, image)
    article = published(editor, headline="Bridge <falls>")
    with (
        store.client("content:read", name="fast partner") as fast,
        store.client("content:read", name="slow partner") as slow,
    ):
        place = follow(fast)[1]
        page(fast, place)
        page(slow, follow(slow)[1])
        do(editor, article, "withdraw", reason="It was another bridge.")
        editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": "Altered."})
        page(fast, follow(fast, place)[1])
    token = store.token("admin")
    response = client.post(ADDRESS, data={"token": token}, headers={"Origin": ORIGIN})
    assert response.headers["cache-control"] == "private, no-store"
    assert token not in response.text
    [followers, kills] = page_of(response).xpath("//table")
    rows = {
        row.xpath("./th")[0].text_content(): [cell.text_content() for cell in row.xpath("./td")]
        for row in followers.xpath(".//tbody/tr")
    }
    assert rows["fast partner"][:3] == ["has everything", "–", "–"]
    assert (rows["slow partner"][0], int(rows["slow partner"][1]) > 1) == ("behind", True)
    told = {
        row.xpath("./th")[0].text_content(): [cell.text_content() for cell in row.xpath("./td")]
        for row in kills.xpath(".//tbody/tr")
    }
    assert told["Article: Bridge <falls>"][1:] == [
        "It was another bridge.",
        "slow partner (pending)",
        "fast partner",
    ]
    assert told["Picture: Quillcredit"][1:] == ["Altered.", "slow partner (pending)", "fast partner"]
