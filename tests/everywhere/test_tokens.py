"""/v1/tokens, and what a token allows."""

import hashlib
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from service.scopes import Scope
from tests.articles.newsroom import mark, problem, soon, walk
from tests.clocks import MovableClock, clock
from tests.patience import wait_until
from tests.serving import Store, another

__all__ = ["clock"]


def make(admin: httpx.Client, *scopes: str, **members: object) -> dict[str, object]:
    response = admin.post(
        "/v1/tokens", json={"name": "wire desk", "scopes": list(scopes or ("content:read",)), **members}
    )
    assert response.status_code == 201, response.text
    return response.json()


def bearer(secret: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_secret_is_shown_once_and_kept_as_a_digest_alone(store: Store, admin: httpx.Client) -> None:
    made = make(admin)
    secret = str(made["token"])
    assert secret.startswith("cd_")
    assert len(secret) >= 3 + 128 / 6
    assert len({make(admin)["token"] for _ in range(5)}) == 5
    read = admin.get(f"/v1/tokens/{made['id']}").json()
    assert read == {name: value for name, value in made.items() if name != "token"}
    assert secret not in admin.get("/v1/tokens?limit=200").text
    with store.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM token")).all()
    assert secret not in repr(rows)
    assert hashlib.sha256(secret.encode()).hexdigest() in repr(rows)


@pytest.mark.slow
def test_a_token_ends_at_its_time_and_when_it_is_revoked_at_once(
    client: httpx.Client, store: Store, admin: httpx.Client
) -> None:
    lasting, good = make(admin, expires_at=soon(3600)), make(admin)
    for made in (lasting, good):
        assert client.get("/v1/articles?status=draft", headers=bearer(made["token"])).status_code == 200
    brief = bearer(make(admin, expires_at=soon(0.5))["token"])
    wait_until(lambda: client.get("/v1/articles", headers=brief).status_code != 200)
    problem(client.get("/v1/articles", headers=brief), 401)
    for _ in range(2):
        assert admin.delete(f"/v1/tokens/{good['id']}").status_code == 204
        problem(client.get("/v1/articles", headers=bearer(good["token"])), 401)
    assert admin.get(f"/v1/tokens/{good['id']}").json()["revoked_at"] is not None


def test_a_token_that_has_expired_stays_so_when_the_clock_is_set_back(
    client: httpx.Client, admin: httpx.Client, clock: MovableClock
) -> None:
    brief = bearer(make(admin, expires_at=clock.in_(hours=1))["token"])
    assert client.get("/v1/articles?status=draft", headers=brief).status_code == 200
    for time in ({"hours": 1, "seconds": 1}, {"hours": -1}):
        clock.set_forward(**time)
        problem(client.get("/v1/articles?status=draft", headers=brief), 401)


def test_a_revocation_holds_in_every_worker_at_once(store: Store, admin: httpx.Client) -> None:
    made = make(admin)
    with another(store) as second, second.client() as there:
        assert there.get("/v1/articles?status=draft", headers=bearer(made["token"])).status_code == 200
        admin.delete(f"/v1/tokens/{made['id']}")
        problem(there.get("/v1/articles?status=draft", headers=bearer(made["token"])), 401)


def test_when_a_token_was_used_is_kept(client: httpx.Client, admin: httpx.Client) -> None:
    made = make(admin)
    assert made["last_used_at"] is None
    before = soon(0)
    client.get("/v1/articles", headers=bearer(made["token"]))
    assert before <= admin.get(f"/v1/tokens/{made['id']}").json()["last_used_at"] <= soon(0)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer cd_unknown",
        "Basic YTpi",
        "cd_x",
        "",
        "Bearer a b",
        "Bearer \u00e4",
        "bearer cd_x",
        "Bearer " + "x" * 5_000,
    ],
)
def test_a_token_that_is_sent_must_be_good_even_where_none_is_needed(
    client: httpx.Client, header: str
) -> None:
    for address in ("/v1/articles", "/v1/articles/x", "/v1/images"):
        answer = client.get(address, headers={"Authorization": header.encode("latin-1")})
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_scheme_is_read_in_any_case(client: httpx.Client, admin: httpx.Client) -> None:
    assert (
        client.get(
            "/v1/articles?status=draft", headers={"Authorization": f"bEaReR {make(admin)['token']}"}
        ).status_code
        == 200
    )


@pytest.mark.parametrize("scope", [scope.value for scope in Scope if scope is not Scope.ADMIN])
def test_tokens_are_for_administrators(client: httpx.Client, store: Store, scope: str) -> None:
    body = {"name": "x", "scopes": ["admin"]}
    with store.client(scope) as other:
        for caller, status in ((client, 401), (other, 403)):
            problem(caller.post("/v1/tokens", json=body), status)
            problem(caller.get("/v1/tokens"), status)
            problem(caller.get(f"/v1/tokens/{uuid4()}"), status)
            problem(caller.delete(f"/v1/tokens/{uuid4()}"), status)


def test_admin_may_do_everything(admin: httpx.Client) -> None:
    made = admin.post("/v1/articles", json={"headline": "By the editor-in-chief", "status": "published"})
    assert made.status_code == 201
    assert admin.get("/v1/articles?status=draft").status_code == 200


def test_tokens_are_listed_newest_first_page_by_page(admin: httpx.Client) -> None:
    made = [make(admin, name=f"desk {n}")["id"] for n in range(5)]
    listed = [token["id"] for token in walk(admin, "/v1/tokens?limit=2")]
    assert listed[:5] == made[::-1]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["root"]}, "/scopes/0"),
        ({"scopes": None}, "/scopes"),
        ({"name": ""}, "/name"),
        ({"name": "\x00"}, "/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"token": "cd_mine"}, "/token"),
        ({"digest": "x"}, "/digest"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
    ],
)
def test_a_token_that_cannot_be_made_is_refused(
    admin: httpx.Client, members: dict[str, object], pointer: str
) -> None:
    answer = admin.post("/v1/tokens", json={"name": "x", "scopes": ["content:read"], **members})
    assert [error["pointer"] for error in problem(answer, 422)["errors"]] == [pointer]


def test_a_token_that_is_not_there_is_404(admin: httpx.Client) -> None:
    for key in (str(uuid4()), "x", "%00"):
        problem(admin.get(f"/v1/tokens/{key}"), 404)
        problem(admin.delete(f"/v1/tokens/{key}"), 404)


def test_a_caller_without_the_scope_learns_nothing_of_versions(store: Store, editor: httpx.Client) -> None:
    article = editor.post("/v1/articles", json={"headline": mark()}).json()
    with store.client("content:read") as reader:
        for method in ("PUT", "PATCH", "DELETE"):
            for headers in ({}, {"If-Match": '"99"'}, {"If-Match": "*"}, {"If-None-Match": "*"}):
                answer = reader.request(
                    method,
                    f"/v1/articles/{article['id']}",
                    json=None if method == "DELETE" else {"headline": "x"},
                    headers=headers,
                )
                assert "current_version" not in problem(answer, 403)
