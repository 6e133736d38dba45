"""Look at a page as a browser parses it."""

import httpx
from lxml import html


def page_of(response: httpx.Response, status: int = 200) -> html.HtmlElement:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return html.fromstring(response.text)


def one(page: html.HtmlElement, path: str) -> str:
    (found,) = page.xpath(path)
    return str(found)
