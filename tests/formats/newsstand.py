"""Forty small news pages of the project's own: ten layouts as papers build them, in twelve languages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Story:
    """What a page of the newsstand says, in one language."""

    language: str
    headline: str
    texts: tuple[str, ...]
    captions: tuple[str, str]
    author: str
    by: str
    photo: str
    label: str
    more: str
    share: str


STORIES = {
    story.language: story
    for story in (
        Story(
            "en",
            "The mill bridge is open to carts again",
            (
                "The bridge by the old mill was opened to carts on Friday, two years after a flood had taken its middle arch.",
                "Masons from the valley cut the stones in winter and set them in nine weeks, the district office said.",
                "Whoever wants to cross with more than three tonnes must still take the long way round by the weir.",
            ),
            ("The first cart crosses the bridge at noon.", "Masons look at the new arch from a boat."),
            "Orla Tenby",
            "By",
            "Photo",
            "Image caption, ",
            "Read more",
            "Share",
        ),
        Story(
            "de",
            "Die Brücke an der Mühle trägt wieder Karren",
            (
                "Die Brücke an der alten Mühle ist seit Freitag wieder offen, zwei Jahre nach der Flut, die ihren mittleren Bogen mitriss.",
                "Steinmetze aus dem Tal schlugen die Steine im Winter und setzten sie in neun Wochen, teilte das Kreisamt mit.",
                "Wer mehr als drei Tonnen hinüberbringen will, muss weiterhin den langen Weg über das Wehr nehmen.",
            ),
            (
                "Der erste Karren rollt mittags über die Brücke.",
                "Steinmetze betrachten den neuen Bogen vom Boot aus.",
            ),
            "Hanne Wiebold",
            "Von",
            "Foto",
            "Legende: ",
            "Mehr zum Thema",
            "Teilen",
        ),
        Story(
            "fr",
            "Le pont du moulin rouvre aux charrettes",
            (
                "Le pont du vieux moulin a rouvert vendredi aux charrettes, deux ans après la crue qui avait emporté son arche.",
                "Des maçons de la vallée ont taillé les pierres cet hiver et les ont posées en neuf semaines, selon le district.",
                "Au-delà de trois tonnes, il faut toujours faire le grand détour par le barrage, a rappelé la mairie.",
            ),
            (
                "La première charrette passe le pont à midi.",
                "Des maçons regardent la nouvelle arche depuis une barque.",
            ),
            "Maëlle Coudray",
            "Par",
            "Photo",
            "Légende image, ",
            "Lire aussi",
            "Partager",
        ),
        Story(
            "es",
            "El puente del molino vuelve a abrirse a los carros",
            (
                "El puente del viejo molino se abrió el viernes a los carros, dos años después de la riada que se llevó su arco.",
                "Canteros del valle labraron las piedras en invierno y las colocaron en nueve semanas, informó el distrito.",
                "Quien lleve más de tres toneladas tendrá que dar todavía el rodeo por la presa, según el ayuntamiento.",
            ),
            ("El primer carro cruza el puente al mediodía.", "Canteros miran el arco nuevo desde una barca."),
            "Inés Albarral",
            "Por",
            "Foto",
            "Pie de foto, ",
            "Te puede interesar",
            "Compartir",
        ),
        Story(
            "it",
            "Il ponte del mulino riapre ai carri",
            (
                "Il ponte del vecchio mulino ha riaperto venerdì ai carri, due anni dopo la piena che ne aveva portato via un arco.",
                "Gli scalpellini della valle hanno tagliato le pietre in inverno e le hanno posate in nove settimane.",
                "Chi trasporta più di tre tonnellate deve ancora fare il giro lungo della diga, ricorda il comune.",
            ),
            (
                "Il primo carro attraversa il ponte a mezzogiorno.",
                "Gli scalpellini guardano il nuovo arco da una barca.",
            ),
            "Nives Calderin",
            "Di",
            "Foto",
            "Didascalia: ",
            "Leggi anche",
            "Condividi",
        ),
        Story(
            "pt",
            "A ponte do moinho reabre às carroças",
            (
                "A ponte do velho moinho reabriu na sexta-feira às carroças, dois anos depois da cheia que levou o seu arco.",
                "Canteiros do vale talharam as pedras no inverno e colocaram-nas em nove semanas, disse o distrito.",
                "Quem levar mais de três toneladas ainda tem de dar a volta pela barragem, lembrou a câmara.",
            ),
            (
                "A primeira carroça atravessa a ponte ao meio-dia.",
                "Canteiros olham o arco novo a partir de um barco.",
            ),
            "Leonor Vazim",
            "Por",
            "Foto",
            "Legenda da foto, ",
            "Leia também",
            "Compartilhar",
        ),
        Story(
            "ru",
            "Мост у мельницы снова открыт для телег",
            (
                "Мост у старой мельницы в пятницу открыли для телег, через два года после паводка, который снёс его арку.",
                "Каменщики из долины вытесали камни зимой и уложили их за девять недель, сообщили в управе района.",
                "Тем, кто везёт больше трёх тонн, по-прежнему придётся ехать в объезд через плотину у деревни.",
            ),
            ("Первая телега проезжает по мосту в полдень.", "Каменщики смотрят на новую арку с лодки."),
            "Злата Верескова",
            "Автор:",
            "Фото",
            "Подпись к фото, ",
            "Читайте также",
            "Поделиться",
        ),
        Story(
            "pl",
            "Most przy młynie znów otwarty dla wozów",
            (
                "Most przy starym młynie otwarto w piątek dla wozów, dwa lata po powodzi, która zabrała jego środkowe przęsło.",
                "Kamieniarze z doliny ciosali kamienie zimą i ułożyli je w dziewięć tygodni, podał urząd powiatu.",
                "Kto wiezie więcej niż trzy tony, musi nadal jechać dookoła przez jaz, przypomina gmina.",
            ),
            ("Pierwszy wóz przejeżdża przez most w południe.", "Kamieniarze oglądają nowe przęsło z łodzi."),
            "Jagna Wilczek",
            "Autor:",
            "Fot",
            "Podpis: ",
            "Czytaj też",
            "Udostępnij",
        ),
        Story(
            "sv",
            "Bron vid kvarnen är åter öppen för kärror",
            (
                "Bron vid den gamla kvarnen öppnades i fredags för kärror, två år efter floden som tog dess mittersta valv.",
                "Stenhuggare från dalen högg stenarna på vintern och satte dem på nio veckor, uppgav länets kontor.",
                "Den som vill föra över mer än tre ton måste ännu ta den långa vägen förbi dammen i söder.",
            ),
            (
                "Den första kärran rullar över bron vid middagstid.",
                "Stenhuggare ser på det nya valvet från en båt.",
            ),
            "Tuva Nordlind",
            "Av",
            "Foto",
            "Bildtext: ",
            "Läs också",
            "Dela",
        ),
        Story(
            "ja",
            "水車小屋の橋、荷車の通行を再開",
            (
                "古い水車小屋の橋が金曜日、荷車に再び開放された。中央のアーチが洪水で流されてから二年がたっていた。",
                "谷の石工たちは冬の間に石を切り、九週間でそれを積み上げたと、郡の役所は説明している。",
                "三トンを超える荷を運ぶ人は、これまで通り堰を回る長い道を通らなければならないという。",
            ),
            ("正午に橋を渡る最初の荷車。", "舟から新しいアーチを眺める石工たち。"),
            "水野春香",
            "文：",
            "写真",
            "写真説明：",
            "関連記事",
            "シェア",
        ),
        Story(
            "zh",
            "磨坊旁的桥重新向马车开放",
            (
                "老磨坊旁的桥星期五重新向马车开放，两年前的一场洪水冲走了它中间的桥拱，村民从此只能绕行。",
                "山谷里的石匠在冬天凿好石块，用九个星期把它们砌成新的桥拱，县里的办公室这样介绍。",
                "载重超过三吨的车辆仍然需要从水坝那边绕远路，直到明年春天的检查结束以后再作决定。",
            ),
            ("第一辆马车中午驶过桥面。", "石匠们在船上查看新的桥拱。"),
            "林若溪",
            "文：",
            "图片来源",
            "图像加注文字，",
            "相关阅读",
            "分享",
        ),
        Story(
            "hi",
            "पनचक्की का पुल गाड़ियों के लिए फिर खुला",
            (
                "पुरानी पनचक्की के पास का पुल शुक्रवार को गाड़ियों के लिए खोल दिया गया, दो साल पहले बाढ़ उसका बीच का हिस्सा ले गई थी।",
                "घाटी के कारीगरों ने सर्दियों में पत्थर तराशे और नौ हफ़्तों में उन्हें जोड़ दिया, ज़िला कार्यालय ने बताया।",
                "तीन टन से ज़्यादा बोझ ले जाने वालों को अब भी बांध के रास्ते लंबा चक्कर लगाना होगा।",
            ),
            ("दोपहर में पहली गाड़ी पुल पार करती हुई।", "कारीगर नाव से नया मेहराब देखते हुए।"),
            "सुनयना राठौर",
            "By",
            "Photo",
            "इमेज कैप्शन, ",
            "यह भी पढ़ें",
            "शेयर",
        ),
    )
}


@dataclass(frozen=True)
class Shown:
    """A page and what it truly says."""

    name: str
    source: str
    story: Story
    credits: tuple[str | None, str | None]


def _paragraphs(story: Story) -> list[str]:
    return [f"<p>{escape(text)}</p>" for text in story.texts]


def _teaser(story: Story) -> str:
    """Another story as papers tease it: a picture and a headline, all of it a link."""
    return (
        f'<div class="related-stories"><h3>{story.more}</h3><a class="teaser card" href="/other">'
        f'<figure><img src="/img/other.jpg" width="300"><figcaption><h4>{story.headline[::-1]}</h4></figcaption></figure></a></div>'
    )


def _wordpress(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    first, second, third = _paragraphs(story)
    body = (
        f'<h1 class="entry-title">{story.headline}</h1><span class="byline"><span class="author vcard">'
        f'<a class="url fn n" rel="author" href="/author/x/">{story.author}</a></span></span><div class="entry-content">{first}'
        f'<figure class="wp-block-image size-large"><img class="wp-image-12" src="/u/cart-1024x683.jpg" srcset="/u/cart-300x200.jpg 300w, /u/cart.jpg 2048w">'
        f'<figcaption class="wp-element-caption">{story.captions[0]} <em>{story.photo}: Bo Ek</em></figcaption></figure>{second}'
        f'<figure class="wp-block-image"><a href="/u/boat.jpg"><img src="{_DATA}" data-lazy-src="/u/boat.jpg"></a><figcaption>{story.captions[1]}</figcaption></figure>{third}'
        f'<div class="sharedaddy sd-sharing"><h3>{story.share}</h3></div></div>{_teaser(story)}'
    )
    return f'<article class="post type-post hentry tag-social category-ads">{body}</article>', ("Bo Ek", None)


def _world_service(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """The label of a caption stands in its text, for those who cannot see where it stands."""
    first, second, third = _paragraphs(story)
    figure = '<figure><div><picture><source srcset="/w/{0}.webp"><img src="/w/{0}.jpg" width="800"></picture></div><figcaption><span>{1}</span><p>{2}</p></figcaption></figure>'
    body = f'<h1 id="content">{story.headline}</h1><section role="region"><ul><li>{story.by} {story.author}</li></ul></section>'
    return (
        f'<main role="main">{body}<div>{first}</div>{figure.format("cart", story.label, story.captions[0])}<div>{second}</div>'
        f"{figure.format('boat', story.label, story.captions[1])}<div>{third}</div></main>",
        (None, None),
    )


def _broadcaster(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """A portrait with byline and date, a player, and a label before each caption."""
    first, second, third = _paragraphs(story)
    portrait = f'<div class="media-image"><img src="/p/face.jpg" width="120"><div class="text">{story.by} {story.author} 09.09.2025</div></div>'
    player = '<div class="media-image"><img src="/p/audio.jpg" width="640"><p class="image-caption">Audio: Radio Ost | 24.04.2024</p></div>'
    figure = '<figure class="media"><img src="/p/{0}.jpg"><figcaption class="media-caption"><span class="h-offscreen">{3}</span><span class="media-caption__description">{1}</span> <span class="media-caption__owner">{2}</span></figcaption></figure>'
    return (
        f'<article class="article"><h1>{story.headline}</h1><p class="article-author__name">{story.author}</p>{figure.format("cart", story.captions[0], "KEYSTONE / Bo Ek", story.label)}'
        f"{first}{portrait}{second}{player}{figure.format('boat', story.captions[1], 'Ida Holm', story.label)}{third}</article>",
        ("KEYSTONE / Bo Ek", "Ida Holm"),
    )


def _slides(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """A show of slides, all but the first hidden, with the words in attributes or beside the picture."""
    first, second, third = _paragraphs(story)
    slide = '<li class="slide"{3}><div class="slide__image"><img data-src="/s/{0}.jpg" src="{4}"></div><div class="slide-caption">{1}<small>{2}</small></div></li>'
    shown = slide.format("cart", story.captions[0], "© Bo Ek", "", _DATA) + slide.format(
        "boat", story.captions[1], "© Ida Holm", ' style="display: none"', _DATA
    )
    return (
        f'<article><header><h1>{story.headline}</h1><div class="autor">{story.by} {story.author}</div></header><div class="story-text">{first}'
        f'<div class="carousel"><ul class="slides">{shown}</ul></div>{second}{third}</div></article>',
        ("Bo Ek", "Ida Holm"),
    )


def _utilities(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """Utility classes name nothing; the caption of a figure is a plain division in it."""
    first, second, third = (p.replace("<p>", '<p class="mb-4 overflow-hidden">') for p in _paragraphs(story))
    figure = '<figure class="relative overflow-hidden rounded"><div class="hidden md:block"><img src="/t/{0}.jpg" width="900" height="600"></div><div class="text-sm text-gray-500">{1}<span class="ml-1">{2}</span></div></figure>'
    return (
        f'<main class="mx-auto"><article><h1 class="text-4xl">{story.headline}</h1><a href="/author/x" class="underline">{story.author}</a>'
        f'<div class="prose">{first}{figure.format("cart", story.captions[0], "")}{second}{figure.format("boat", story.captions[1], "")}{third}</div>{_teaser(story)}</article></main>',
        (None, None),
    )


def _tables(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """Pictures stand in tables of two rows, as editors of twenty years ago wrote them."""
    first, second, third = _paragraphs(story)
    frame = '<table class="tr-caption-container" align="center"><tbody><tr><td><a href="/b/{0}.jpg"><img src="/b/s320/{0}.jpg" width="320"></a></td></tr><tr><td class="tr-caption">{1}</td></tr></tbody></table>'
    return (
        f'<div class="post hentry"><h1 class="post-title">{story.headline}</h1><div class="post-body entry-content">{first}{frame.format("cart", story.captions[0])}'
        f'{second}{frame.format("boat", story.captions[1])}{third}</div><span itemprop="author"><span itemprop="name">{story.author}</span></span></div>',
        (None, None),
    )


def _amp(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    first, second, third = _paragraphs(story)
    figure = '<figure><amp-img src="/a/{0}.jpg" width="1200" height="800" layout="responsive"></amp-img><figcaption>{1} ({2}: Bo Ek)</figcaption></figure>'
    return (
        f'<article><h1>{story.headline}</h1><div class="byline">{story.by} {story.author}</div><div class="content">{first}{figure.format("cart", story.captions[0], story.photo)}'
        f"{second}{figure.format('boat', story.captions[1], story.photo)}{third}</div></article>",
        ("Bo Ek", "Bo Ek"),
    )


def _shared(story: Story) -> tuple[str, tuple[str | None, str | None]]:
    """The paper stands for the author in the machine's facts; people read who it was."""
    first, second, third = _paragraphs(story)
    stated = '<script type="application/ld+json">{"@type":"NewsArticle","author":{"@type":"Organization","name":"bote.example"}}</script>'
    figure = '<div class="image-box"><img src="/g/{0}.jpg" width="700"><div class="bildunterschrift">{1} <span class="x-source">{2}</span></div></div>'
    return (
        f'{stated}<div class="page"><h1>{story.headline}</h1><p>{story.by} {story.author}</p><div class="text">{first}{figure.format("cart", story.captions[0], "Supplied")}'
        f"{second}{figure.format('boat', story.captions[1], 'Ida Holm / AFP')}{third}</div></div>",
        ("Supplied", "Ida Holm / AFP"),
    )


_DATA = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
_LAYOUTS: dict[str, Callable[[Story], tuple[str, tuple[str | None, str | None]]]] = {
    "wordpress": _wordpress,
    "world-service": _world_service,
    "broadcaster": _broadcaster,
    "slides": _slides,
    "utilities": _utilities,
    "tables": _tables,
    "amp": _amp,
    "shared": _shared,
}


def pages() -> Iterator[Shown]:
    """Every language in three or four layouts, every layout in five."""
    names = list(_LAYOUTS)
    for place, story in enumerate(STORIES.values()):
        for step in range(4 if place < 4 else 3):
            name = names[(3 * place + 2 * step + step // 2) % len(names)]
            markup, owed = _LAYOUTS[name](story)
            head = f'<meta charset="utf-8"><title>{escape(story.headline)}</title><meta property="article:published_time" content="2025-09-09T08:00:00Z">'
            nav = '<header><nav><a href="/">Bote</a></nav></header>'
            source = f'<!doctype html><html lang="{story.language}"><head>{head}</head><body>{nav}{markup}<footer><p>© 2025 Bote</p></footer></body></html>'
            yield Shown(f"{story.language}-{name}", source, story, owed)
