"""A saved news page about a ferry, put together by tests of the parts that they ask about."""

import json

from service.newspages import (
    FoundPicture,
    Page,
    PictureBlock,
    read_html,
)

URL = "https://www.harbourpost.example/news/2025/ferry-line-reopens"
HEADLINE = "Ferry line reopens after the long winter storms"
SUMMARY = "Ten weeks of ice are over, and bicycles still travel free."
TEXTS = (
    "The ferry between the two islands sailed again on Monday, ten weeks after ice had closed the harbour.",
    "“We counted every day,” said the harbour master, whose office had kept a lamp burning on the pier all winter.",
    "Tickets cost what they cost last year, and bicycles still travel free of charge on every crossing before noon.",
    "The town council will meet on Thursday to decide whether a second ship should be bought for the summer season.",
)
CAPTION = "Passengers board the first ferry of the year at the old pier."


def page(body: str, head: str = "", lang: str = "en-GB") -> bytes:
    return f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'.encode()


def article(*parts: str) -> str:
    return f'<article><h1>{HEADLINE}</h1><div class="article-body">{"".join(parts)}</div></article>'


def p(text: str) -> str:
    return f"<p>{text}</p>"


def figure(
    inner: str, image: str = '<img src="/media/pier.jpg" alt="A queue on a pier" width="1200" height="800">'
) -> str:
    return f"<figure>{image}{inner}</figure>"


def read(body: str, head: str = "") -> Page:
    return read_html(page(body, head), URL)


def only_picture(found: Page) -> FoundPicture:
    (block,) = (block for block in found.blocks if isinstance(block, PictureBlock))
    return block.picture


STATED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "Harbour Post"},
        {
            "@type": ["NewsArticle"],
            "headline": HEADLINE,
            "datePublished": "2025-03-03T08:15:00+01:00",
            "dateModified": "2025-03-03T09:00:00Z",
            "author": [
                {"@type": "Person", "name": "Ann Lee", "url": "/people/ann-lee"},
                {"@type": "Person", "name": "Wu Min"},
            ],
            "articleSection": "Islands",
            "keywords": ["ferries", "winter", "ferries"],
            "inLanguage": "en-IE",
            "publisher": {"@type": "Organization", "name": "Harbour Post"},
        },
    ],
}
HEAD = f"""
<title>{HEADLINE} | Harbour Post</title>
<link rel="canonical" href="/news/2025/ferry-line-reopens?utm=none">
<meta property="og:title" content="{HEADLINE} | Harbour Post"><meta property="og:site_name" content="Harbour Post">
<meta property="og:description" content="{SUMMARY}">
<script type="application/ld+json">{json.dumps(STATED)}</script>
"""
WHOLE = f"""
<div id="cookie-consent" role="dialog"><h2>Your privacy</h2><p>We use cookies to count our readers. You can change your mind
 in our <a href="/cookies">cookie settings</a>.</p><button>Accept all</button><button>Reject all</button></div>
<header><nav><a href="/">Home</a><a href="/islands">Islands</a></nav></header>
<main><article><header><h1>{HEADLINE}</h1><p class="standfirst">{SUMMARY}</p></header>
{figure(f'<figcaption>{CAPTION} <span class="credit">Photo: Bo Ek/Harbour Post</span></figcaption>')}
<div class="share-buttons"><a href="https://social.example/share">Share</a></div>
<div class="article-body">
<p>{TEXTS[0]}</p><p>See <a href="/tides?a=1&amp;b=2">the <b>tides</b></a> &amp; <i>winds</i> <a href="javascript:x()">here</a>
before the first ship sails on Monday morning.</p>
<aside class="related"><h3>Related stories</h3><ul><li><a href="/ice">Ice on the lake and on the river</a></li></ul></aside>
<h2>What the captain saw</h2><p>{TEXTS[1]}</p>
<blockquote><p>We never put out the lamp.</p><footer>— Harbour master</footer></blockquote>
<p>{TEXTS[2]}</p><ol><li>Board before noon.</li><li>Bring the <em>blue</em> ticket.</li></ol><p>{TEXTS[3]}</p>
<p>(With input from Reuters)</p>
<p>Read more: <a href="/more">The winter in pictures</a></p></div>
<section class="comments"><h2>Comments</h2><p>I took that ferry every week for eleven years and never saw such ice before.</p></section>
</article></main><footer><p>Copyright © 2025 Harbour Post. All rights reserved.</p></footer>
"""
