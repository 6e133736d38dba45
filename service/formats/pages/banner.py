"""The cookie banner of a page, told from the article by what it speaks of, whom it speaks to, and its buttons."""

import re
from dataclasses import dataclass

from service.formats.pages.page import Banner
from service.formats.pages.text import is_prose, words

_SUBJECT = re.compile(
    r"cookies?\b|\bprivacy\b|\bconsent\b|personal data|your data|\btracking\b|traceurs|confidentialité|vie privée"
    r"|données|consentement|datenschutz|einwilligung|privacidad|consentimiento"
    r"|riservatezza|consenso|privacidade|隐私|隱私|私隐|クッキー|プライバシー|個人情報|쿠키|개인정보",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:we|our|us|you|your|this (?:web ?)?site|nous|notre|nos|vous|votre|vos|ce site|wir|uns|unsere?[nrm]?|sie"
    r"|ihre?[nrm]?|diese (?:web)?(?:seite|site)"
    r"|nosotros|nuestr[oa]s?|usted|tus?|sus?|este (?:sitio|site)|noi|nostr[oaei]|questo sito|utilizz\w+|nós|noss[oa]s?"
    r"|você|wij|onze|jouw?|deze (?:web)?site)\b"
    r"|本(?:网站|網站|站|サイト)|当サイト|弊社|我们|我們|您|お客様|私たち|귀하|당사|저희|사이트",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"agree|accept|consent|polic(?:y|ies)|settings|preferences|brows|continu|experience|analy[sz]|advertis"
    r"|personali[sz]|improve|politique|paramètres|utilis|navig|zustimm|einverstanden|verwend|nutz|einstellung"
    r"|acept|política|configura|preferenc|accett|informativa|prosegu|aceita|gebruik|同意|接受|使用|政策|设置|設定|利用|동의|사용",
    re.IGNORECASE,
)
_ACCEPT = re.compile(
    r"(?:(?:yes,? )?i(?:'m| am)? )?(?:agree|accept|consent|allow|understand|happy|ok(?:ay)?)(?: (?:to |with )?(?:all"
    r"|them|these|this|optional|additional|our|and|&|\+|close|continue|proceed|use|of|the|cookies?|cookie policy|terms))*"
    r"|(?:accept|allow|enable) (?:all|everything|recommended|selected).{0,24}|got it|understood"
    r"|ok(?:ay)?(?:,? (?:got it|thanks|i agree|i understand))?|that'?s (?:ok|fine)|fine by me|sounds good"
    r"|agree and .{0,20}|yes,? (?:i agree|that'?s fine)"
    r"|(?:tout )?accepter(?: .{0,30})?|(?:j'|j’)accepte(?: .{0,24})?|(?:j'ai |j’ai )?compris|d['’]accord|(?:alle[sn]? "
    r"|ich )?(?:cookies )?(?:akzeptieren|annehmen|zulassen)(?: .{0,24})?|akzeptiere|(?:ich )?stimme zu|zustimmen(?: .{0,24})?"
    r"|einverstanden|(?:ich habe )?verstanden|acept(?:o|ar)(?: .{0,30})?|de acuerdo|entendido|estoy de acuerdo"
    r"|accett[ao](?: .{0,30})?|ho capito|va bene|aceit(?:o|ar)(?: .{0,30})?|concordo|entendi"
    r"|(?:alles? )?(?:cookies )?accepteren|akkoord.{0,12}|ik ga akkoord|(?:我)?(?:已)?(?:同意|接受)(?:并继续|全部"
    r"|所有)?\s?(?:cookies?)?|全部(?:接受|同意)|(?:我)?知道了|好的|确定|確定"
    r"|(?:すべて|全て)?(?:の)?(?:cookie)?(?:を|に)?(?:同意|許可|承諾|了承)(?:する|します|して閉じる)?|(?:すべて|全て)?(?:を)?受け入れる|了解(?:しました)?|모두 (?:동의"
    r"|허용|수락)|동의(?:합니다|함|하기)?|확인|принять(?: .{0,12})?|согласен|хорошо|zgadzam się|akceptuję.{0,12}|kabul et(?:iyorum)?"
    r"|أوافق|قبول.{0,10}",
    re.IGNORECASE,
)
_REJECT = re.compile(
    r"(?:i )?(?:reject|decline|refuse|deny|disagree)\b.{0,30}|no,? thanks?|do not (?:accept|consent|sell).{0,30}"
    r"|(?:use |accept )?(?:only )?(?:strictly )?(?:necessary|essential|required)(?: cookies)?(?: only)?"
    r"|(?:tout )?refuser.{0,24}|continuer sans accepter.{0,4}"
    r"|(?:alle[sn]? )?(?:cookies )?ablehnen|nur (?:notwendige|erforderliche|essenzielle).{0,20}|rechazar.{0,24}"
    r"|rifiut[ao].{0,24}|rejeitar.{0,20}|recusar.{0,20}|weiger.{0,20}|(?:全部)?(?:拒绝|拒絕)(?:全部|所有)?|不同意"
    r"|(?:すべて)?(?:を)?拒否(?:する)?|(?:모두 )?거부|отклонить.{0,12}",
    re.IGNORECASE,
)
_SETTINGS = re.compile(
    r"(?:manage|customi[sz]e|change|adjust|set|choose|configure|show|view|let me)\b.{0,40}|(?:cookie|privacy|consent"
    r"|more|your)? ?(?:settings|preferences|options|choices|details|purposes)|(?:learn|find out|read) more.{0,20}"
    r"|more (?:information|info)|paramétrer.{0,24}|personnaliser.{0,20}|gérer.{0,24}"
    r"|en savoir plus|(?:cookie-)?einstellungen.{0,20}|mehr (?:erfahren|informationen)|configurar.{0,20}"
    r"|más información|personalizza.{0,20}|gestisci.{0,20}|管理.{0,12}|(?:cookie\s?)?(?:设置|設定).{0,8}|了解更多|詳細.{0,10}|설정.{0,8}",
    re.IGNORECASE,
)
_LONGEST_REGION = 10


@dataclass(frozen=True, slots=True)
class _Buttons:
    accept: str | None = None
    reject: str | None = None
    settings: str | None = None


def take_banner(lines: list[str]) -> tuple[Banner | None, list[str]]:
    """The banner that stands among the lines, and the lines without it.

    With an accepting button beneath it a banner may stand anywhere; without one only at either end, and only
    when it names cookies, addresses the reader and asks for something.
    """
    for start, line in enumerate(lines):
        if not _SUBJECT.search(line) and not _opens(lines, start):
            continue
        stop = _end(lines, start)
        if stop is not None:
            return _read(lines[start:stop]), lines[:start] + lines[stop:]
    return None, lines


def _opens(lines: list[str], start: int) -> bool:
    """A first line without the subject in it: a title, or a body ("By continuing, you agree to our terms")."""
    follows = lines[start + 1 : start + 2]
    return start == 0 and words(lines[0]) <= 8 and bool(follows) and _asks(follows[0])


def _asks(line: str) -> bool:
    return all(sign.search(line) for sign in (_SUBJECT, _PERSON, _ASKING))


def _end(lines: list[str], start: int) -> int | None:
    """Where the banner that begins at `start` ends, or None when none begins there."""
    window = lines[start : start + _LONGEST_REGION]
    body = 0
    while body < len(window) and not _is_button(window[body]):
        if body and not (_SUBJECT.search(window[body]) or _PERSON.search(window[body])):
            break
        body += 1
    buttons = body
    while buttons < len(window) and _is_button(window[buttons]):
        buttons += 1
    addressed = any(_SUBJECT.search(line) and _PERSON.search(line) for line in window[:body])
    if not addressed or sum(map(len, window[:body])) > 3000:
        return None
    if any(map(_ACCEPT.fullmatch, map(_bare, window[body:buttons]))):
        return start + buttons
    return _end_without_button(lines, start)


def _end_without_button(lines: list[str], start: int) -> int | None:
    stop = start
    while stop < len(lines) and _SUBJECT.search(lines[stop]) and stop - start < _LONGEST_REGION:
        stop += 1
    certain = any("cookie" in line.casefold() and is_prose(line) and _asks(line) for line in lines[start:stop])
    at_an_end = start == 0 or stop == len(lines)
    return stop if certain and at_an_end and stop < start + 4 else None


def _bare(line: str) -> str:
    return line.strip(" .!»›×✕[]→。！")


def _is_button(line: str) -> bool:
    label = _bare(line)
    if words(label) > 8 or len(label) > 60:
        return False
    return any(kind.fullmatch(label) for kind in (_ACCEPT, _REJECT, _SETTINGS))


def _read(region: list[str]) -> Banner:
    texts = [line for line in region if not _is_button(line)]
    titled = len(texts) > 1 and not is_prose(texts[0]) and words(texts[0]) <= 14
    buttons = _buttons([line for line in region if _is_button(line)])
    return Banner(
        title=texts[0] if titled else None,
        body="\n".join(texts[1:] if titled else texts),
        accept_label=buttons.accept,
        reject_label=buttons.reject,
        settings_label=buttons.settings,
    )


def _buttons(labels: list[str]) -> _Buttons:
    def first(kind: re.Pattern[str]) -> str | None:
        return next((label for label in labels if kind.fullmatch(_bare(label))), None)

    reject = first(_REJECT)
    accept = next((label for label in labels if label != reject and _ACCEPT.fullmatch(_bare(label))), None)
    return _Buttons(accept=accept, reject=reject, settings=first(_SETTINGS))
