"""Tell the furniture of a page from its article: buttons, boxes of other stories, the legal lines at its
foot.
"""

import re

from service.newspages.text import any_of, ends_sentence, is_prose, words

_LABEL = any_of(
    r"up next|share|shared|share (?:this|on|via|with|to)\b.{0,40}|tweet|facebook|x|twitter|x \(twitter\)|whatsapp|wechat|weibo",
    r"(?:zum|zur|zu) (?:inhalt|navigation|hauptinhalt|suche|startseite)(?: springen| wechseln)?|direkt zum inhalt|springe zu[mr]? .{3,20}",
    r"(?:aller|passer) au (?:contenu|menu)(?: principal)?|(?:saltar|ir|pular|ir para) (?:al|o|para o) (?:contenido|conteúdo|menú)(?: principal)?",
    r"vai al contenuto(?: principale)?|(?:naar|ga naar|spring naar) (?:de )?(?:inhoud|hoofdinhoud)|hopp til (?:innhold|hovedinnhold)(?:et)?",
    r"(?:gå|hoppa|spring) (?:till|til) (?:innehåll|indhold|huvudinnehåll|hovedindhold)(?:et)?|siirry (?:suoraan )?sisältöön|przejdź do (?:treści|głównej treści)",
    r"(?:перейти|перейти к) (?:к )?(?:содержанию|основному содержанию|контенту)|перейти до (?:вмісту|контенту)|içeriğe (?:atla|geç)|přejít k obsahu|ugrás a tartalomra",
    r"跳到?(?:主要)?内容|跳至(?:主要)?(?:内容|內容)|コンテンツへ(?:スキップ|移動)|本文へ(?:スキップ|移動)?|본문(?:으로)? ?바로가기|chuyển đến nội dung|langsung ke konten",
    r"(?:تخطى?|انتقل|الانتقال) إلى المحتوى(?: الرئيسي)?|דלג לתוכן|μετάβαση στο περιεχόμενο|linkedin|telegram|reddit|pinterest|messenger|instagram|youtube|tiktok|bluesky|threads|flipboard|line|e-?mail(?: this)?",
    r"print|print (?:this|article|page).{0,20}|copy(?: link| url)?|(?:link )?copied!?|save|save (?:article|for later|this.{0,20})",
    r"bookmark|gift(?: this)? article|listen|listen to .{0,30}|play(?: video)?|pause|mute|unmute|close|menu|search|skip to .{0,30}",
    r"log ?in|log ?out|sign (?:in|up).{0,30}|register|subscribe(?: now| today)?|newsletters?|advertisement|advertising|ads?",
    r"sponsored(?: content)?|promoted|loading|read (?:more|full story|in app)|(?:show|see|view|load) more|more|next|prev(?:ious)?",
    r"back|back to top|top|comments?|\d+ comments?|(?:leave|add) a comment|follow|follow us(?: on .{0,40})?|get the app|open in app",
    r"download (?:our|the) app.{0,30}|(?:font|text) size|a[+-]|translate|report an? (?:error|typo)|feedback|view gallery",
    r"(?:click|tap) (?:here )?to .{0,60}|enlarge(?: image)?|\d+/\d+|image \d+ of \d+|live|breaking(?: news)?",
    r"\d+ ?min(?:ute)?s?(?: read| ago)?|\d+ hours? ago|reading time.{0,20}|add .{2,30} as (?:a )?preferred source.{0,30}",
    r"partager|partager (?:sur|cet|l').{0,40}|imprimer|publicité|lire plus tard|commenter|réagir|s'abonner|je m'abonne|écouter",
    r"teilen|drucken|anzeige|merken|vorlesen|kommentare?|abonnieren|(?:zur )?startseite",
    r"compartir|compartir en .{0,30}|publicidad|comentarios?|comentar|suscríbete|guardar|escuchar",
    r"condividi|stampa|pubblicità|ascolta|commenti|abbonati|compartilhar|imprimir|publicidade|ouvir|salvar",
    r"分享|分享[到至].{0,12}|微信|微博|朋友圈|打印|收藏|评论|点赞|字号|返回(?:顶部|首页)|首页|广告|责任编辑.*|責任編輯.*|编辑[:：].*|扫码.{0,30}",
    r"シェア(?:する)?|ツイート|保存(?:する)?|記事を保存|印刷(?:する)?|コメント|広告|pr|続きを読む|会員登録|ログイン|有料(?:記事|会員限定)|フォロー(?:する)?",
    r"공유(?:하기)?|인쇄|댓글|광고|기사저장|기사 ?듣기|글자 ?크기|스크랩|복사",
    r"werbung|artikel (?:teilen|anhören|merken|drucken|versenden)|(?:link )?kopieren|kommentieren|folgen|mehr (?:anzeigen|laden)|weiterlesen|quelle öffnen",
    r"del|dela|del artikkel|lytt|lyssna|lyt|annons|annonse|reklame?|kommenter(?:a)?|skriv ut|udskriv|spara|lagre|gem|følg|följ|tulosta|jaa|mainos",
    r"udostępnij|skomentuj|komentarze|reklama|drukuj|zapisz|obserwuj|posłuchaj|compartilhe|comente|leia em voz alta|assine|continua após a publicidade",
    r"paylaş|yorumlar?|yorum yap|yazdır|kaydet|dinle|abone ol|takip et|deel|delen|bewaar|luister|advertentie|bagikan|komentar|simpan|iklan",
    r"поделиться|комментари[ии]|реклама|распечатать|поділитися|коментарі|sdílet|komentáře|tisk|megosztás|hirdetés|distribuie|κοινοποίηση",
    r"مشاركة|طباعة|تعليقات|إعلان|שיתוף|הדפסה|תגובות|פרסומת|chia sẻ|bình luận|quảng cáo",
)
# Of these no heading between two paragraphs consists.
_UNMISTAKABLE = any_of(
    r"adverti.*|ads?|sponsored.*|promoted.*|loading|share.*|tweet.*|facebook|twitter|x \(twitter\)|whatsapp|wechat|linkedin|telegram|reddit",
    r"pinterest|e-?mail this|copy(?: link| url)?|(?:link )?copied!?|read (?:more|full story|in app)|(?:show|see|view|load) more|skip to .*",
    r"log ?in|log ?out|sign (?:in|up).*|subscribe.*|newsletters?|follow us.*|download .*|view gallery|(?:click|tap) .*|\d+/\d+|\d.*|add .*|up next",
    r"print|print (?:this|article|page).*|listen to .*|play(?: video)?|comments?|\d+ comments?|(?:leave|add) a comment|partager.*|imprimer|publicité",
    r"teilen|drucken|anzeige|werbung|compartir.*|publicidad|publicidade|condividi|pubblicità|annonse?|reklame?|mainos|udostępnij|reklama|paylaş",
    r"advertentie|iklan|поделиться|реклама|hirdetés|مشاركة|إعلان|שיתוף|פרסומת|chia sẻ|quảng cáo|continua após a publicidade|分享.*|微信|微博|广告|責任編輯.*|责任编辑.*",
    r"扫码.*|シェア.*|ツイート|広告|pr|続きを読む|공유.*|인쇄|댓글|광고",
)
_OTHER_STORIES = any_of(
    r"related|related (?:stor(?:y|ies)|news|articles?|reading|topics?|content|links?|coverage|posts?|videos?)",
    r"(?:also )?read|read (?:more|also|next|on)|see also|more (?:from|on) .{2,30}|more (?:stories|news|articles)|further reading",
    r"you (?:may|might) (?:also )?(?:like|be interested in)|don'?t miss|editor'?s'? picks?|suggested (?:stories|articles|for you)",
    r"recommended(?: (?:for you|reading|stories|videos?))?",
    r"(?:à )?lire aussi|à lire également|sur le même sujet|(?:nos )?articles? (?:liés|associés)",
    r"mehr zum thema|lesen sie auch|auch interessant|das könnte sie auch interessieren",
    r"te puede interesar|le[ae] también|más información|noticias relacionadas|leggi anche|potrebbe interessarti.{0,20}",
    r"leia (?:também|mais)|veja também|te recomendamos|también te puede interesar|contenido relacionado|relacionadas?",
    r"auch interessant|mehr dazu|lesetipps?|zum thema|das könnte (?:sie|dich)(?: auch)? interessieren|empfehlungen der redaktion|meistgelesene?(?: artikel)?",
    r"les også|les mer|læs også|læs mere|läs (?:också|mer|även)|lue myös|lees ook|lees meer|relaterade? (?:artiklar|artikler)|relaterte saker",
    r"czytaj (?:też|także|więcej)|zobacz (?:też|także|również)|powiązane(?: artykuły)?|polecane|ilgili haberler|bunlar da ilginizi çekebilir|baca juga",
    r"читайте также|читайте також|по теме|čtěte také|související|olvasta már|citește și|διαβάστε επίσης|اقرأ أيضا|קראו גם|xem thêm|tin liên quan",
    r"相关(?:阅读|新闻|报道|推荐|链接)|延伸阅读|推荐阅读|猜你喜欢|関連(?:記事|ニュース|リンク)|おすすめ(?:記事)?|あわせて読みたい|관련 ?(?:기사|뉴스)",
)
_ONE_OTHER_STORY = re.compile(rf"{_OTHER_STORIES.pattern}\s*[:：].+", re.IGNORECASE)
_END = any_of(
    r"search trends|trending(?: now| stories| topics)?|hot (?:news|topics|words)|most (?:read|popular|viewed|shared|watched)",
    r"top (?:stories|news)|latest (?:stories|news|updates|headlines)|join the conversation|have your say",
    r"(?:view|read|show) (?:all )?comments|tags|topics|les plus lus|meistgelesen|lo más (?:leído|visto)|i più letti",
    r"热门(?:搜索|推荐|新闻)|热搜|热搜榜|排行榜?|アクセスランキング|人気記事|ランキング",
)
_LEGAL = any_of(
    r"copyright\s*(?:©|\(c\)|\d{4}).*|©\s*(?:copyright|\d{4}|[A-Z]).*|.{0,60}(?:all|tous droits"
    r"|alle) (?:rights reserved|(?:droits )?réservés|rechte vorbehalten)(?:[.,;:!|©].*)?",
    r"(?:todos los derechos reservados|tutti i diritti riservati|版权所有|著作権|無断(?:転載|複製)).*",
    r"(?!.{20,}[.。]$).{0,40}(?:ICP[备備证證]|公网安备|网文\s*\[|许可证|Licen[sc]e No\.?|举报(?:电话|邮箱|热线)).{0,120}",
    r"(?:terms (?:of (?:use|service|sale|business|website)|(?:and|&) conditions)(?: of (?:use|service|sale))?|privacy(?: (?:policy|notice|statement))?|about us|contact us|site ?map"
    r"|cookie (?:policy|settings))(?: [|·].*)?",
)
_PHONE = re.compile(
    r".{0,60}\b(?:hotline|tel|telephone|phone|fax|call us)\b.{0,20}[+\d(][\d\s()+-]{5,}.{0,20}", re.IGNORECASE
)
_SECTION = any_of(
    r"home|world|china|u\.?s\.?|uk|europe|asia|africa|americas|middle east|global|national|local|news|transcript|video|picture",
    r"politics|business|economy|markets|money|finance|companies|tech|technology|science|sci-tech|space|health|environment",
    r"nature|climate|energy|culture|arts?|books|film|music|entertainment|lifestyle|style|food|travel|education|society",
    r"opinions?|editorial|analysis|comment|commentary|sports?|football|live",
    r"monde|international|société|économie|sciences|planète|politique|politik|wirtschaft|gesellschaft|ausland|inland|wissen",
    r"kultur|política|economía|sociedad|cultura|deportes|internacional|politica|esteri|cronaca|economia|sport",
    r"国内|国际|國際|国際|社会|社會|政治|经济|経済|财经|科技|文化|体育|スポーツ|科学|军事|娱乐|教育|地方|时政|要闻",
)


def is_label(line: str) -> bool:
    """Return whether the line is a button or marker of the page: "Share", "Advertisement", "5 min read"."""
    bare = line.strip(" .:：…»›>+|!")
    if len(line) > 80:
        return False
    return all(
        _LABEL.fullmatch(part) for part in (bare.split(" | ") if " | " in bare else [bare])
    ) or _is_row(bare)


def _is_row(line: str) -> bool:
    """Return whether the line is a row of buttons ("Facebook Twitter Copy"), or holds no word at all."""
    parts = [part for part in line.split() if any(map(str.isalnum, part))]
    return not parts or (len(parts) > 1 and all(_LABEL.fullmatch(part) for part in parts))


def is_legal(line: str) -> bool:
    """Return whether the line belongs to a page's foot: copyright, licence, telephone, terms."""
    return len(line) <= 300 and (_LEGAL.fullmatch(line) is not None or _is_phone(line))


def _is_phone(line: str) -> bool:
    """Return whether the line is a number to call. A sentence that gives one is text."""
    return words(line) <= 12 and not ends_sentence(line) and _PHONE.fullmatch(line) is not None


def is_section_name(line: str) -> bool:
    """Return whether the line is nothing but the name of a common section of a newspaper."""
    return len(line) <= 20 and _SECTION.fullmatch(line) is not None


def is_other_story(line: str) -> bool:
    """Return whether the line announces one other story and names it ("Read more: …")."""
    return len(line) <= 200 and _ONE_OTHER_STORY.fullmatch(line) is not None


def heads_other_stories(line: str) -> bool:
    """Return whether the line heads a box of other stories ("Related stories")."""
    return words(line) <= 6 and _OTHER_STORIES.fullmatch(line.rstrip(" :：…>»")) is not None


def is_end(line: str) -> bool:
    """Return whether the line heads what stands beneath articles ("Search Trends", "Most read")."""
    return len(line) <= 60 and _END.fullmatch(line.rstrip(" :：")) is not None


def without_furniture(lines: list[str]) -> list[str]:
    """Return the lines of the article and its pictures.

    A box of other stories, or of what others read, lasts to the next sentence. Nothing ends the article: what
    follows a legal line in the middle of a text is text.
    """
    kept: list[str] = []
    last_prose = max(
        (at for at, line in enumerate(lines) if is_prose(line) and not is_legal(line)), default=-1
    )
    begun, in_box = False, False
    for at, line in enumerate(lines):
        # Below the text a line of the foot heads others; within it a legal line is dropped alone.
        if 0 < at < last_prose and begun and _may_head(lines, at):
            in_box = False
            kept.append(line)
            continue
        if is_end(line) or is_legal(line):
            in_box = in_box or is_end(line) or at > last_prose >= 0
            continue
        if is_label(line) or (begun and is_other_story(line)):
            continue
        in_box = (begun and heads_other_stories(line)) or (in_box and not _is_sentence(line))
        if in_box:
            continue
        begun = begun or is_prose(line)
        kept.append(line)
    return kept


def _may_head(lines: list[str], at: int) -> bool:
    """Return whether a lone short line between two paragraphs may be their heading, although pages also print
    it.
    """
    before, line, after = lines[at - 1 : at + 2]
    alone = is_prose(before) and is_prose(after) and words(line) <= 6
    legal = is_legal(line) and re.search(r"©|\(c\)|\d{4}|reserved", line, re.IGNORECASE) is not None
    listed = _OTHER_STORIES.fullmatch(line) or (is_end(line) and words(line) > 1)
    return alone and not legal and not listed and not _UNMISTAKABLE.fullmatch(line.strip(" .:：…»›>+|!"))


def _is_sentence(line: str) -> bool:
    return is_prose(line) or (ends_sentence(line) and line[-1] not in "?!？！" and words(line) >= 3)
