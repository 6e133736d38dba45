"""What each kind of caller may do, and what each may see: every operation of the OpenAPI document, by every
scope.

An operation that is not in the table fails the first test; its row says which scope it needs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from service.server import openapi
from tests.images.photographs import jpeg
from tests.serving import EDITOR, Store, serving, settings_for

WORDS = {
    "quilldraft": {"content:read"},
    "quillnote": {"content:read"},
    "quillnotice": {"consent:read", "consent:write"},
    "quillhook": {"webhooks:write"},
    "quilltoken": {"admin"},
}
"""What is planted in a draft, for the desk, in a notice's draft, in a webhook, in a token; and who may see
it.
"""
SCOPES = sorted({"content:write", "content:publish", "admin"}.union(*WORDS.values()))
FOREIGNER = "a token of another source"
ANYBODY = "anybody"


@dataclass(frozen=True)
class Row:
    """The scope that an operation needs, and what is sent to it."""

    scope: str = ANYBODY
    json: object = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    writes: str = ""
    """The name of the thing that it changes."""
    makes_for: str = ""
    """The source of what it makes, where what is sent says one."""


def reads(scope: str = ANYBODY) -> Row:
    return Row(scope)


def writes(what: str, json: object = None, scope: str = "content:write") -> Row:
    return Row(scope, json, headers={"If-Match": "*"}, writes=what)


NEW = {"headline": "New"}
PICTURE = Row(
    "content:write", None, jpeg(), {"If-Match": "*", "Content-Type": "image/jpeg"}, writes="image_id"
)
NINJS = {"uri": "https://wire.example/1", "headlines": [{"value": "New"}]}
MATRIX = {
    "list_articles": reads(),
    "list_sections": reads(),
    "list_tags": reads(),
    "list_authors": reads(),
    **dict.fromkeys(["get_article", "get_article_as_ninjs", "get_article_as_jsonld"], reads()),
    "create_article": Row("content:write", NEW),
    "replace_article": writes("article_id", NEW),
    "edit_article": writes("article_id", NEW),
    "delete_article": writes("article_id"),
    "restore_article": writes("article_id"),
    "correct_article": writes("article_id", {"text": "Four lanes."}),
    "publish_article": writes("article_id", {}, "content:publish"),
    "unpublish_article": writes("article_id", None, "content:publish"),
    "withdraw_article": writes("article_id", {"reason": "wrong"}, "content:publish"),
    "list_article_versions": reads("content:read"),
    "get_article_version": reads("content:read"),
    "diff_article_version": reads("content:read"),
    "restore_article_version": writes("article_id"),
    "create_article_preview": Row("content:read", {}),
    "revoke_article_previews": Row("content:read"),
    **dict.fromkeys(["get_preview", "get_preview_media"], reads()),
    **dict.fromkeys(
        ["list_embargoed_articles", "get_embargoed_article", "get_embargoed_media"], reads("content:read")
    ),
    "get_article_recall": reads("content:publish"),
    "get_image_recall": reads("content:publish"),
    "import_articles": Row("content:write", [{"source": "wire", "external_id": "1"} | NEW]),
    "import_page": Row("content:write", NINJS, makes_for="wire.example"),
    "list_images": reads(),
    "get_image": reads(),
    "create_image": Row("content:write", {"credit_line": "New"}),
    "replace_image": writes("image_id", {"credit_line": "New"}),
    "edit_image": writes("image_id", {"credit_line": "New"}),
    "delete_image": writes("image_id"),
    "restore_image": writes("image_id"),
    "replace_image_file": PICTURE,
    "withdraw_image": writes("image_id", {"reason": "wrong"}, "content:publish"),
    "reinstate_image": writes("image_id", {"reason": "wrong"}, "content:publish"),
    "list_image_uses": reads("content:read"),
    "list_image_captions": reads(),
    "get_media": reads(),
    "list_captions": reads(),
    "get_caption": reads(),
    "create_caption": writes("image_id", {"image_id": "{image_id}", "text": "New", "language": "sv"}),
    "replace_caption": writes("caption_id", {"text": "New"}),
    "edit_caption": writes("caption_id", {"text": "New"}),
    "delete_caption": writes("caption_id"),
    "list_changes": reads(),
    # A stream that is let in has no end: this one is refused for its cursor, after its scope was looked at.
    "stream_changes": Row(ANYBODY, headers={"Last-Event-ID": "made up"}),
    "list_changes_for_mirrors": reads(),
    "get_changes_digest": reads(),
    **dict.fromkeys(["get_rss_feed", "get_atom_feed", "get_json_feed"], reads()),
    **dict.fromkeys(["get_news_sitemap", "get_sitemap_index", "get_article_sitemap"], reads()),
    **dict.fromkeys(["get_liveness", "get_readiness", "get_metrics"], reads()),
    **dict.fromkeys(["record_consent", "record_klaro_consents", "record_impression"], Row(ANYBODY, {})),
    **dict.fromkeys(["get_current_consent", "list_current_events", "get_current_receipt"], reads()),
    **dict.fromkeys(["withdraw_consent", "erase_current_consent"], reads()),
    **dict.fromkeys(["get_tree_head", "get_inclusion_proof", "get_consistency_proof"], reads()),
    **dict.fromkeys(["get_gpc_support", "get_klaro_config"], reads()),
    **dict.fromkeys(["get_consent_rates", "list_consent_records", "export_consents"], reads("consent:read")),
    "list_consent_notices": reads(),
    "get_current_consent_notice": reads(),
    "get_consent_notice": reads(),
    "create_consent_notice": Row("consent:write", {}),
    "replace_consent_notice": Row("consent:write", {}),
    "publish_consent_notice": Row("consent:write", {"version": 99}),
    "delete_consent_notice": Row("consent:write"),
    **dict.fromkeys(["list_webhooks", "get_webhook"], reads("webhooks:write")),
    **dict.fromkeys(["list_webhook_deliveries", "get_webhook_delivery"], reads("webhooks:write")),
    **dict.fromkeys(["create_webhook", "replace_webhook", "edit_webhook"], Row("webhooks:write", {})),
    **dict.fromkeys(
        ["resume_webhook", "delete_webhook", "rotate_webhook_secret", "test_webhook"], Row("webhooks:write")
    ),
    **dict.fromkeys(
        ["redeliver_webhook_delivery", "redeliver_webhook_deliveries"], Row("webhooks:write", {})
    ),
    **dict.fromkeys(["list_tokens", "get_token", "list_followers"], reads("admin")),
    "create_token": Row("admin", {}),
    "revoke_token": Row("admin"),
}


@dataclass(frozen=True)
class Operation:
    """An operation of the document: how it is called, and the scope that the document says it needs."""

    name: str
    method: str
    path: str
    scope: str
    takes_token: bool


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """Every operation of the document, which takes a second to make."""
    document = openapi(settings_for("sqlite:///unused", tmp_path_factory.mktemp("document")))
    found = []
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            scope = said.get("x-required-scope", ANYBODY)
            takes_token = {"HTTPBearer": []} in said.get("security", [])
            found.append(Operation(said["operationId"], method.upper(), path, scope, takes_token))
    return found


@pytest.fixture
def store(tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    """A store of each test's own: what a role may do is no question of the database."""
    with serving("sqlite", tmp_path, sqlite_template) as own:
        yield own


@pytest.fixture
def planted(store: Store, editor: httpx.Client, admin: httpx.Client) -> dict[str, str]:
    """What the paths name beside articles and pictures, each with its word."""
    notice = admin.get("/v1/consent-notices/default/current").json()
    texts = notice["texts"] | {"title": "quillnotice"}
    kept = ("consent_model", "language", "purposes", "privacy_notice_url", "terms_url", "controller")
    draft = {name: notice[name] for name in kept} | {"notice_key": "desk", "texts": texts}
    made = admin.post("/v1/consent-notices", json=draft)
    assert made.status_code == 201, made.text
    hook = admin.post("/v1/webhooks", json={"url": "https://partner.example/quillhook", "enabled": False})
    token = admin.post("/v1/tokens", json={"name": "quilltoken", "scopes": ["content:read"]})
    nobody = "01900000-0000-7000-8000-000000000000"
    return {
        "notice_key": "desk",
        "version": str(made.json()["version"]),
        "webhook_id": hook.json()["id"],
        "delivery_id": nobody,
        "token_id": token.json()["id"],
        "name": "w640.jpg",
        "token": "cd_nobody",
        "number": "1",
    }


def subject(editor: httpx.Client, *, is_public: bool) -> dict[str, str]:
    """An article with a picture that has a caption."""
    word = "public" if is_public else "quilldraft"
    image = editor.post("/v1/images", json={"credit_line": word}).json()
    caption = editor.post("/v1/captions", json={"image_id": image["id"], "text": word}).json()
    article = editor.post(
        "/v1/articles",
        json={
            "headline": word,
            "edition_note": "quillnote",
            "lead_image_id": image["id"],
            "status": "published" if is_public else "draft",
        },
    ).json()
    return {
        "article_id": article["id"],
        "key": article["id"],
        "image_id": image["id"],
        "caption_id": caption["id"],
    }


def call(client: httpx.Client, operation: Operation, named: dict[str, str]) -> httpx.Response:
    row = MATRIX[operation.name]
    json = row.json
    if isinstance(json, dict):
        json = {
            key: value.format(**named) if isinstance(value, str) else value for key, value in json.items()
        }
    sent = {"json": json} if json is not None else {"content": row.content}
    return client.request(operation.method, operation.path.format(**named), headers=row.headers, **sent)


def unseen(answer: httpx.Response, scopes: set[str]) -> list[str]:
    """The words in an answer that a caller with these scopes may not see."""
    seen = re.findall("quill[a-z]+", answer.text + str(answer.headers))
    return [word for word in seen if not (WORDS[word] | {"admin"}) & scopes]


@pytest.mark.slow
def test_the_table_has_every_operation_and_the_document_says_the_scope_of_each(
    operations: list[Operation],
):
    assert {one.name: one.scope for one in operations} == {name: row.scope for name, row in MATRIX.items()}


@pytest.mark.slow
@pytest.mark.parametrize("role", [ANYBODY, *SCOPES, FOREIGNER])
def test_every_role_does_and_sees_what_its_scope_allows_and_nothing_else(
    store: Store, operations: list[Operation], editor: httpx.Client, planted: dict[str, str], role: str
):
    scopes = {ANYBODY: set[str](), FOREIGNER: set(EDITOR)}.get(role, {role})
    source = "elsewhere" if role == FOREIGNER else None
    subjects = {is_public: subject(editor, is_public=is_public) for is_public in (False, True)}
    with store.client(*scopes, name=role, source=source) as caller:
        for operation in operations:
            row = MATRIX[operation.name]
            may = row.scope == ANYBODY or bool({row.scope, "admin"} & scopes)
            for is_public, known in subjects.items():
                if is_public and not (row.writes or re.search("_id}|{key}", operation.path)):
                    continue
                is_walled = (role == FOREIGNER and bool(row.writes or row.makes_for)) or (
                    role == "content:write" and is_public and bool(row.writes)
                )
                changes = may and bool(row.writes) and not is_walled
                named = subject(editor, is_public=is_public) if changes else known
                answer = call(caller, operation, planted | named)
                if changes:
                    # A draft that was published is no secret any more.
                    editor.delete(f"/v1/articles/{named['article_id']}", headers={"If-Match": "*"})
                place = f"{operation.name} of {'public' if is_public else 'draft'}: {answer.text[:300]}"
                assert unseen(answer, scopes) == [], place
                if not may:
                    assert answer.status_code == (403 if scopes else 401), place
                elif is_walled:
                    assert answer.status_code == 403, place
                else:
                    assert answer.status_code not in (401, 403), place
                    if changes and role != "admin" and answer.is_success:
                        assert answer.status_code == 204 or set(answer.json()) == {"id", "version", "status"}


BROKEN: dict[str, dict[str, Any]] = {
    "broken JSON": {"content": b"{", "headers": {"Content-Type": "application/json"}},
    "another media type": {"content": b"x", "headers": {"Content-Type": "text/plain"}},
    "a wrong shape": {"json": {"headline": 1, "unknown": 2}},
    "an unknown parameter": {"params": {"unknown": "1"}},
    "a parameter that is out of its range": {"params": {"limit": "9999"}},
    "a control character": {"params": {"limit": "\0"}},
    "a key that is too long": {"headers": {"Idempotency-Key": "k" * 300}},
    "a condition that fails": {"headers": {"If-Match": '"999"'}},
}


@pytest.mark.slow
@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_who_may_not_ask_learns_nothing_of_what_is_wrong_with_a_request(
    store: Store, operations: list[Operation], planted: dict[str, str], sent: dict[str, Any]
):
    known = planted | dict.fromkeys(("article_id", "image_id", "caption_id"), planted["token_id"])
    unnamed = dict.fromkeys(known, "no-id")
    with store.client() as anonymous, store.client("consent:read") as auditor:
        for operation in operations:
            if operation.scope == ANYBODY:
                continue
            for named in (known, unnamed):
                path = operation.path.format(**named)
                assert anonymous.request(operation.method, path, **sent).status_code == 401, operation
                if operation.scope not in ("consent:read", "admin"):
                    assert auditor.request(operation.method, path, **sent).status_code == 403, operation


def test_a_token_that_is_not_good_is_refused_before_the_request_is_read(
    store: Store, operations: list[Operation], planted: dict[str, str]
):
    with store.client() as stranger:
        stranger.headers["Authorization"] = "Bearer cd_made-up"
        for operation in operations:
            if operation.takes_token:
                path = operation.path.format(
                    **planted, **dict.fromkeys(("article_id", "image_id", "caption_id", "key"), "x")
                )
                answer = stranger.request(operation.method, path, params={"unknown": "1"}, content=b"{")
                assert answer.status_code == 401, operation


def test_a_token_without_publish_changes_nothing_that_is_public(
    store: Store,
    operations: list[Operation],
    client: httpx.Client,
    editor: httpx.Client,
    planted: dict[str, str],
):
    known = subject(editor, is_public=True)
    after = client.get("/v1/changes", params={"limit": 200}).json()["next"]
    with store.client("content:write") as writer:
        for operation in operations:
            if MATRIX[operation.name].scope == "content:write":
                call(writer, operation, planted | known)
    assert client.get(after).json()["items"] == []


@pytest.mark.slow
def test_a_contract_that_gives_nothing_does_not_tell_what_is_there_from_what_is_not(
    store: Store, operations: list[Operation], editor: httpx.Client, planted: dict[str, str]
):
    known = subject(editor, is_public=True)
    made_up = {name: str(uuid4()) for name in known}
    with store.client(contract={"sections": ["nowhere"]}) as partner:
        for operation in operations:
            row = MATRIX[operation.name]
            told = []
            for named in (known, made_up):
                answer = call(partner, operation, planted | named)
                place = f"{operation.name}: {answer.text[:300]}"
                if row.scope != ANYBODY:
                    assert answer.status_code == 403, place
                text = answer.text
                for value in named.values():
                    text = text.replace(operation.path.format(**planted | named), "").replace(
                        f"'{value}'", ""
                    )
                assert not [value for value in named.values() if value in text], place
                assert "quill" not in text, place
                assert "public" not in answer.headers.get("Cache-Control", "") or not operation.takes_token, (
                    place
                )
                told.append((answer.status_code, text))
            if set(re.findall("{([a-z_]+)}", operation.path)) & known.keys():
                assert told[0] == told[1], operation.name
