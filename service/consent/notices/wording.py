"""Judge the words of a notice, sentence by sentence, in the larger languages of the web: do they say that
consent is taken without a choice?

Each question is two word lists that must meet in one sentence: going on and agreeing, terms and agreeing,
browser and settings. A list that met nothing says nothing, so a language that is missing here hides a finding
and never makes one up.
"""

import re
from collections.abc import Iterator

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|[。！？\n]+")
_UNLESS = re.compile(
    r"\bwithout (?:accepting|agreeing|consenting|your consent|consent)\b|\b(?:do|does|did|need|will|would) not (?:(?:have|need) to )?(?:accept|agree|consent)\b"
    r"|\b(?:don|doesn|won)['’]t (?:(?:have|need) to )?(?:accept|agree|consent)\b|\bsans (?:accepter|consentir|votre (?:accord|consentement))\b"
    r"|\bohne (?:zuzustimmen|zustimmung|(?:ihre )?einwilligung|einzuwilligen)\b|\bsin (?:aceptar|consentir|su consentimiento)\b"
    r"|\bsenza (?:accettare|acconsentire|(?:il )?consenso)\b|\bsem (?:aceitar|consentir|consentimento)\b|\bzonder (?:te accepteren|akkoord|toestemming)\b"
    r"|\bbez (?:zgody|akceptacji)\b|\bбез (?:согласия|принятия)\b|不同意|不接受|未经同意|未經同意|同意し(?:ない|なくて)|同意せず|동의하지 않|동의 없이|دون (?:قبول|موافقة)",
    re.IGNORECASE,
)
_AGREEING = re.compile(
    r"\b(?:agree|agreeing|accept|accepting|consent|consenting|acknowledge|approve|assume|deem)(?:s|ed)?\b|\baccept\w*|\bconsent\w*|\bd['’]accord\b"
    r"|\bstimm\w+ (?:sie|du|ihr|wir)\b|\bzustimm\w*|\beinverstanden\b|\beinwillig\w*|\bwillig\w+\b|\bakzeptier\w*"
    r"|\bacept\w*|\bde acuerdo\b|\baccett\w*|\bacconsent\w*|\bpresta\w* il (?:suo |tuo )?consenso\b|\baceit\w*|\bconcord\w*"
    r"|\bakkoord\b|\binstem\w*|\bstemt\b|\btoestemming\b|\bzgod\w*|\bzgadza\w*|\bakcept\w*|\bсогла[сш]\w*|\bпринима\w*|\bkabul\b|\bonay\w*"
    r"|同意|接受|承諾|承认|許可|동의|수락|توافق|موافق|تقبل|قبول",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"\bby (?:continuing|carrying on|proceeding|staying|remaining|scrolling|browsing|navigating|closing)\b"
    r"|\bby (?:using|visiting|accessing|entering|viewing)\b.{0,40}\b(?:site|website|page|pages|service|services|app|platform)\b"
    r"|\b(?:if|when|as) you (?:continue|carry on|proceed|stay|keep (?:browsing|using|reading)|go on|browse|navigate|(?:use|visit) (?:this|our|the) (?:web ?)?(?:site|page))"
    r"|\b(?:continued|continuing|further) (?:use|browsing|visit|navigation)\b|\bcontinuing to (?:use|browse|visit|read|navigate)\b"
    r"|\ben (?:poursuivant|continuant|naviguant|utilisant)\b|\bsi vous (?:poursuivez|continuez|naviguez)\b|\bla poursuite de (?:votre|la) (?:navigation|visite)\b"
    r"|\b(?:weitere[nr]?|fortgesetzte[nr]?) (?:nutzung|verwendung|surfen|besuch)\b|\bweiter(?:surfen|nutzen|lesen|navigieren|zu surfen)\b|\bwenn (?:sie|du) (?:weiter|fort\w*|diese (?:web)?(?:seite|site) (?:weiter|nutz))"
    r"|\bdurch (?:die|das) (?:nutzung|benutzung|verwendung|surfen)\b|\b(?:al|si) (?:continuar?|continúas?|sigue|sigues|seguir|navegar|usar)\b|\bnavegando\b"
    r"|\bproseguendo\b|\bcontinuando\b|\bse (?:prosegu\w+|continu\w+)\b|\bnavigando\b|\bao (?:continuar|navegar|prosseguir|utilizar|usar)\b|\bse (?:continuar|prosseguir)\b"
    r"|\bdoor (?:verder|door) te (?:gaan|surfen|klikken|navigeren|bladeren)\b|\b(?:verder|blijft?) (?:gebruik\w*|surf\w*|brows\w*)\b|\bdoor (?:gebruik te (?:blijven )?maken|deze (?:web)?site te (?:blijven )?(?:gebruiken|bezoeken))\b"
    r"|\bkontynuując\b|\bdalsze (?:korzystanie|przeglądanie)\b|\bkorzystając\b|\bпродолжая\b|\bпродолжение (?:использования|просмотра)\b|\bdevam ed\w+|\bkullanmaya devam\b"
    r"|[继繼][续續](?:浏览|瀏覽|使用|访问|訪問|阅读|閱讀)|(?:閲覧|利用|使用|アクセス)を?(?:続け|継続)|引き続き(?:ご)?(?:利用|閲覧)|계속\s?(?:이용|사용|탐색|방문|진행|열람)|(?:ب?متابعة|باستمرار|بمواصلة|استمرار)",
    re.IGNORECASE,
)
_TERMS = re.compile(
    r"\bterms\b|\bconditions of (?:use|service|sale)\b|\buser agreement\b|\bconditions (?:générales|d['’]utilisation|d['’]usage)\b|\bCGU\b|\bCGV\b"
    r"|\bnutzungsbedingungen\b|\bgeschäftsbedingungen\b|\bAGB\b|\b(?:términos|condiciones) (?:y |de |del |generales)|\btérminos\b"
    r"|\b(?:termini|condizioni) (?:di|d['’]|e|generali)\b|\btermos (?:de|e)\b|\bcondições (?:de|gerais)\b|\bgebruiksvoorwaarden\b|\b(?:algemene )?voorwaarden\b|\bregulamin\w*"
    r"|\bпользовательск\w+ соглашени\w+|\bуслови\w+ (?:использования|пользования)\b|\bkullanım (?:koşul|şart)\w*"
    r"|(?:使用|服务|服務|用户|用戶)(?:条款|條款|协议|協議|条件)|利用規約|ご利用条件|이용\s?약관|서비스\s?약관|(?:شروط|أحكام) (?:الاستخدام|الخدمة|وأحكام)",
    re.IGNORECASE,
)
_BROWSER = re.compile(
    r"\b(?:web )?browsers?\w*|\bnavigateurs?\b|\bnavegador\w*|\bprzeglądar\w*|браузер\w*|\btarayıcı\w*|浏览器|瀏覽器|ブラウザ|브라우저|المتصفح|متصفحك",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"\b(?:settings?|preferences|options|controls?|change|adjust|manage|disable|block|refuse|reject|delete|turn(?:ing)? off|switch off|set|configure)\b"
    r"|\bparam[èé]tr\w*|\bréglages?\b|\bmodifi\w*|\brefus\w*|\bdésactiv\w*|\bgérer\b|\bbloqu\w*|\bconfigur\w*|\beinstell\w*|\bänder\w*|\bdeaktivier\w*|\bablehn\w*|\bblockier\w*"
    r"|\bajust\w*|\bcambi\w*|\bdesactiv\w*|\brechaz\w*|\bimpostazion\w*|\bdisattiv\w*|\brifiut\w*|\bdefiniç\w*|\balterar\b|\brecus\w*|\binstelling\w*|\bwijzig\w*|\bweiger\w*"
    r"|\bustawie\w*|\bzmieni\w*|\bнастро\w*|\bизмен\w*|\bотключ\w*|\bayar\w*|设置|設定|設置|更改|修改|管理|禁用|停用|変更|無効|拒否|설정|변경|차단|إعدادات|تغيير|تعطيل",
    re.IGNORECASE,
)


def implied_by_browsing(words: str) -> str | None:
    """Return the sentence that takes going on for agreement, if there is one."""
    return _meeting(words, _GOING_ON, _AGREEING)


def bundled_with_terms(words: str) -> str | None:
    """Return the sentence that takes one agreement for cookies or data and for terms of use alike, if there
    is one.
    """
    return _meeting(words, _TERMS, _AGREEING)


def points_at_browser(words: str) -> str | None:
    """Return the sentence that sends readers to their browser's settings, if there is one."""
    return _meeting(words, _BROWSER, _SETTING)


def _meeting(words: str, *signs: re.Pattern[str]) -> str | None:
    for sentence in _sentences(words):
        told = _UNLESS.sub(" ", sentence)
        if all(sign.search(told) for sign in signs):
            return sentence
    return None


def _sentences(words: str) -> Iterator[str]:
    return (sentence.strip() for sentence in _SENTENCE.split(words) if sentence.strip())
