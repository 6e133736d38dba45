"""GET /v1/articles?related_to=…"""

import httpx
import pytest

from tests.articles.newsroom import draft, edit, ids, mark, problem, published, trash


@pytest.mark.slow
def test_related_articles_share_a_tag_or_the_section_and_come_newest_first(
    client: httpx.Client, editor: httpx.Client
) -> None:
    section, tags = mark(), [mark(), mark()]
    tagged = [published(editor, section=mark(), tags=[tag])["id"] for tag in (*tags, tags[0])]
    both = published(editor, section=section, tags=tags)["id"]
    alike = [published(editor, section=section)["id"] for _ in range(2)]
    own = published(editor, section=section, tags=[*tags, mark()])
    published(editor, section=mark(), tags=[mark()])
    draft(editor, section=section, tags=tags)
    expected = [both, *tagged[::-1], *alike[::-1]]
    for key in (own["id"], own["slug"]):
        address = f"/v1/articles?related_to={key}"
        for caller in (client, editor):
            answer = caller.get(f"{address}&count=true")
            assert ids(answer) == expected
            assert (answer.json()["next"], answer.json()["total"]) == (None, len(expected))
            assert ids(caller.get(f"{address}&limit=2")) == expected[:2]
            assert ids(caller.get(f"{address}&limit=5")) == expected[:5]
        assert ids(client.get(f"{address}&section={section}")) == [both, *alike[::-1]]
        assert ids(client.get(f"{address}&language=fi")) == []
    trash(editor, editor.get(f"/v1/articles/{both}").json())
    assert ids(client.get(f"/v1/articles?related_to={own['id']}")) == expected[1:]


def test_an_article_without_tag_and_section_has_none_related(
    client: httpx.Client, editor: httpx.Client
) -> None:
    own = published(editor, section=None, tags=[])
    assert ids(client.get(f"/v1/articles?related_to={own['id']}")) == []
    section = mark()
    edit(editor, own, section=section)
    published(editor, section=mark())
    assert ids(client.get(f"/v1/articles?related_to={own['id']}")) == []
    other = published(editor, section=section)
    assert ids(client.get(f"/v1/articles?related_to={own['id']}")) == [other["id"]]


def test_what_is_not_published_has_nothing_related(client: httpx.Client, editor: httpx.Client) -> None:
    hidden = draft(editor, tags=[mark()])
    for key in (hidden["id"], hidden["slug"], mark(), "0190a8e2-7a4e-7cc3-98c4-000000000001"):
        for caller in (client, editor):
            problem(caller.get(f"/v1/articles?related_to={key}"), 404)


@pytest.mark.parametrize(
    "asked", ["tag=a", "q=a", "sort=published_at", "id=0190a8e2-7a4e-7cc3-98c4-000000000001", "view=staff"]
)
def test_related_articles_come_in_an_order_of_their_own(
    client: httpx.Client, editor: httpx.Client, asked: str
) -> None:
    own = published(editor)
    problem(editor.get(f"/v1/articles?related_to={own['id']}&{asked}"), 400)
