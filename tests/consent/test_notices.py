"""/v1/consent-notices: what readers are shown, and how the newsroom writes it."""

import httpx
import pytest

from tests.consent.deciding import notice, publish
from tests.serving import Store

NOTICES = "/v1/consent-notices"


def draft(newsroom: httpx.Client, **members: object) -> httpx.Response:
    response = newsroom.post(NOTICES, json=notice(**members))
    assert response.status_code == 201, response.text
    return response


def test_a_draft_is_not_for_readers(client: httpx.Client, newsroom: httpx.Client) -> None:
    made = draft(newsroom)
    assert (made.json()["version"], made.json()["status"]) == (1, "draft")
    assert newsroom.get(made.headers["location"]).json() == made.json()
    for path in (f"{NOTICES}/weather/current", f"{NOTICES}/weather/versions/1"):
        assert client.get(path).status_code == 404
    assert {item["notice_key"] for item in client.get(NOTICES).json()["items"]} == {"default", "browsewrap"}
    assert "weather" in {item["notice_key"] for item in newsroom.get(NOTICES).json()["items"]}


def test_a_published_notice_is_served_publicly_and_conditionally(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    assert client.get(f"{NOTICES}/weather/current").status_code == 404
    published = publish(newsroom, notice())
    for path in (f"{NOTICES}/weather/current", f"{NOTICES}/weather/versions/1"):
        answer = client.get(path)
        assert answer.json() == published
        assert answer.headers["cache-control"].startswith("public, max-age=")
        assert "set-cookie" not in answer.headers
        assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        seen = newsroom.get(path)
        assert seen.json() == published
        assert seen.headers["cache-control"] == "private, no-store"


def test_a_notice_that_was_missing_is_there_once_it_is_published(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    paths = [f"{NOTICES}/weather/current", f"{NOTICES}/weather/versions/1"]
    publish(newsroom, notice(notice_key="tides"))
    assert client.get(f"{NOTICES}/tides/current").status_code == 200
    assert [client.get(path).status_code for path in paths * 2] == [404] * 4
    publish(newsroom, notice())
    assert [client.get(path).status_code for path in paths] == [200, 200]


def test_old_versions_stay_readable(client: httpx.Client, newsroom: httpx.Client) -> None:
    first = publish(newsroom, notice())
    assert client.get(f"{NOTICES}/weather/current").json()["version"] == 1
    second = publish(newsroom, notice(jurisdiction="EU"))
    assert client.get(f"{NOTICES}/weather/current").json() == second
    assert client.get(f"{NOTICES}/weather/versions/1").json() == first | {"status": "retired"}
    assert [item["version"] for item in client.get(f"{NOTICES}?notice_key=weather").json()["items"]] == [2]
    assert [
        item["version"] for item in client.get(f"{NOTICES}?notice_key=weather&status=retired").json()["items"]
    ] == [1]
    assert first["content_hash"] != second["content_hash"]


def test_current_is_given_in_the_nearest_language(client: httpx.Client, newsroom: httpx.Client) -> None:
    for language in ("en", "de", "pt-BR"):
        publish(newsroom, notice(language=language))
    asked = {"de-AT": "de", "pt": "pt-BR", "en-GB": "en", "ja": "en"}
    answered = {
        tag: client.get(f"{NOTICES}/weather/current?language={tag}").json()["language"] for tag in asked
    }
    assert answered == asked
    assert client.get(f"{NOTICES}/weather/current").json()["language"] == "en"
    assert client.get(f"{NOTICES}/weather/current?language=nonsense!").status_code == 422


def test_notices_are_listed_in_pages(client: httpx.Client, newsroom: httpx.Client) -> None:
    for key in ("one", "two", "three"):
        publish(newsroom, notice(key))
        draft(newsroom, key=key)
    for caller, total in ((client, 5), (newsroom, 8)):
        page = caller.get(f"{NOTICES}?limit=2&count=true").json()
        found = list(page["items"])
        assert page["total"] == total
        while page["next"]:
            page = caller.get(page["next"]).json()
            found += page["items"]
        assert len({(item["notice_key"], item["version"]) for item in found}) == total
    assert len(newsroom.get(f"{NOTICES}?status=draft").json()["items"]) == 3
    assert client.get(f"{NOTICES}?status=draft").status_code == 401
    assert client.get(f"{NOTICES}?fields=notice_key,version&limit=1").json()["items"][0].keys() == {
        "notice_key",
        "version",
    }


def test_writing_notices_needs_the_scope(client: httpx.Client, editor: httpx.Client) -> None:
    for caller, status in ((client, 401), (editor, 403)):
        assert caller.post(NOTICES, json=notice()).status_code == status
        assert caller.post(f"{NOTICES}/default/publish").status_code == status
        assert caller.put(f"{NOTICES}/default/versions/1", json=notice()).status_code == status
        assert caller.delete(f"{NOTICES}/default/versions/1").status_code == status


def test_whoever_reads_consent_sees_drafts(store: Store, newsroom: httpx.Client) -> None:
    location = draft(newsroom).headers["location"]
    with store.client("consent:read") as auditor, store.client("content:read") as reader:
        assert auditor.get(location).status_code == 200
        assert reader.get(location).status_code == 404
        assert reader.get(f"{NOTICES}?status=draft").status_code == 403


def test_a_draft_is_edited_against_what_was_read(newsroom: httpx.Client) -> None:
    made = draft(newsroom)
    path, body = made.headers["location"], made.json()
    assert newsroom.put(path, json=body).status_code == 428
    etag = {"If-Match": made.headers["etag"]}
    same = newsroom.put(path, json=body, headers=etag)
    assert same.json() == body
    assert same.headers["etag"] == made.headers["etag"]
    edited = newsroom.put(path, json=body | {"jurisdiction": "EU"}, headers=etag)
    assert edited.json()["jurisdiction"] == "EU"
    assert edited.json()["content_hash"] != body["content_hash"]
    assert newsroom.put(path, json=body, headers=etag).status_code == 412
    for member, value in (
        ("version", 7),
        ("status", "published"),
        ("notice_key", "other"),
        ("valid_for_consent", False),
    ):
        refused = newsroom.put(path, json=edited.json() | {member: value}, headers={"If-Match": "*"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == f"/{member}"


def test_a_published_notice_never_changes(newsroom: httpx.Client) -> None:
    published = publish(newsroom, notice())
    path = f"{NOTICES}/weather/versions/1"
    for response in (
        newsroom.put(path, json=published | {"jurisdiction": "EU"}, headers={"If-Match": "*"}),
        newsroom.delete(path, headers={"If-Match": "*"}),
    ):
        assert response.status_code == 409
        assert response.json()["type"] == "/problems/already-published"
    assert newsroom.get(path).json() == published


def test_a_draft_can_be_thrown_away(newsroom: httpx.Client) -> None:
    path = draft(newsroom).headers["location"]
    assert newsroom.delete(path).status_code == 428
    assert newsroom.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert newsroom.get(path).status_code == 404


def test_there_is_one_draft_in_each_language(newsroom: httpx.Client) -> None:
    draft(newsroom)
    second = newsroom.post(NOTICES, json=notice())
    assert second.status_code == 409
    assert second.json()["type"] == "/problems/draft-exists"
    assert draft(newsroom, language="de").json()["version"] == 2
    unclear = newsroom.post(f"{NOTICES}/weather/publish")
    assert unclear.status_code == 409
    assert unclear.json()["drafts"] == [1, 2]
    assert newsroom.post(f"{NOTICES}/weather/publish", json={"version": 2}).json()["language"] == "de"
    assert newsroom.post(f"{NOTICES}/weather/publish").json()["version"] == 1
    assert newsroom.post(f"{NOTICES}/weather/publish").status_code == 409
    assert newsroom.post(f"{NOTICES}/nothing/publish").status_code == 404


@pytest.mark.parametrize(
    ("changed", "finding", "pointer"),
    [
        (
            {"actions": {"accept_all": "Yes", "save": "Let me choose"}},
            "no_reject_action",
            "/texts/actions/reject_all",
        ),
        ({"actions": {"reject_all": "No"}}, "no_accept_action", "/texts/actions/accept_all"),
        ({"body": "With Yes you agree to cookies and to our Terms of Use."}, "bundled_with_terms", "/texts"),
        ({"body": "By continuing to read you agree to cookies."}, "implied_by_browsing", "/texts"),
    ],
)
def test_words_that_cannot_carry_consent_are_not_published(
    client: httpx.Client, newsroom: httpx.Client, changed: dict[str, object], finding: str, pointer: str
) -> None:
    body = notice()
    body["texts"] |= changed
    made = newsroom.post(NOTICES, json=body).json()
    assert made["validity_findings"] == [finding]
    assert made["valid_for_consent"] is False
    assert made["validity_explanations"][finding]
    refused = newsroom.post(f"{NOTICES}/weather/publish")
    assert refused.status_code == 422
    assert refused.json()["findings"] == [finding]
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert client.get(f"{NOTICES}/weather/versions/1").status_code == 404


def test_a_purpose_ticked_beforehand_is_not_published(newsroom: httpx.Client) -> None:
    body = notice()
    body["purposes"][1]["pregranted"] = True
    newsroom.post(NOTICES, json=body)
    refused = newsroom.post(f"{NOTICES}/weather/publish")
    assert refused.json()["findings"] == ["pregranted_purpose"]
    assert refused.json()["errors"][0]["pointer"] == "/purposes/1/pregranted"


def test_a_notice_that_only_informs_is_published_for_what_it_is(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    body = notice(consent_model="notice_only", purposes=[])
    body["texts"]["actions"] = {"acknowledge": "Fine"}
    published = publish(newsroom, body)
    assert published["valid_for_consent"] is False
    assert published["validity_findings"] == ["no_reject_action", "no_purposes"]
    assert client.get(f"{NOTICES}/weather/current").json() == published


def test_asking_after_the_fact_is_no_consent(newsroom: httpx.Client) -> None:
    published = publish(newsroom, notice(consent_model="opt_out"))
    assert (published["valid_for_consent"], published["validity_findings"]) == (False, ["not_asked_first"])


def test_a_notice_that_makes_no_sense_is_refused(newsroom: httpx.Client) -> None:
    twice = [{"purpose_key": "a", "name": "A"}] * 2
    for members in (
        {"purposes": twice},
        {"validity_days": 0},
        {"language": "??"},
        {"notice_key": "No Key"},
        {"version": 3},
        {"mood": 1},
        {"texts": {"body": ""}},
        {"texts": {"body": " \n\u200b"}},
    ):
        assert newsroom.post(NOTICES, json=notice() | members).status_code == 422, members


def test_odd_addresses_find_nothing(client: httpx.Client, newsroom: httpx.Client) -> None:
    for key in ("No%20Key", "%00", "ü", "a" * 300):
        for caller in (client, newsroom):
            assert caller.get(f"{NOTICES}/{key}/current").status_code in (404, 422), key
            assert caller.get(f"{NOTICES}/{key}/versions/1").status_code in (404, 422), key
            assert caller.get(f"{NOTICES}", params={"notice_key": "a\x00b"}).status_code in (200, 422)
