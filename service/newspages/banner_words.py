"""The words of cookie banners in the languages that news is read in: what they speak of, and their buttons.

One line for every language or two, so that a banner nobody thought of is one more line.
"""

from service.newspages.text import any_of

SUBJECT = any_of(
    r"cookies?\b|\bprivacy\b|\bconsent\b|personal data|your data|\btracking\b",
    r"traceurs|confidentialité|vie privée|données|consentement",
    r"datenschutz|einwilligung",
    r"privacidad|consentimiento|riservatezza|consenso|privacidade",
    r"隐私|隱私|私隐|クッキー|プライバシー|個人情報|쿠키|개인정보",
)
PERSON = any_of(
    r"\b(?:we|our|us|you|your|this (?:web ?)?site)\b",
    r"\b(?:nous|notre|nos|vous|votre|vos|ce site)\b",
    r"\b(?:wir|uns|unsere?[nrm]?|sie|ihre?[nrm]?|diese (?:web)?(?:seite|site)|wij|onze|jouw?|deze (?:web)?site)\b",
    r"\b(?:nosotros|nuestr[oa]s?|usted|tus?|sus?|este (?:sitio|site)|nós|noss[oa]s?|você)\b",
    r"\b(?:noi|nostr[oaei]|questo sito|utilizz\w+)\b",
    r"本(?:网站|網站|站|サイト)|我们|我們|您|当サイト|弊社|お客様|私たち|귀하|당사|저희|사이트",
)
ASKING = any_of(
    r"agree|accept|consent|polic(?:y|ies)|settings|preferences|brows|continu|experience|analy[sz]|advertis|personali[sz]|improve",
    r"politique|paramètres|utilis|navig|zustimm|einverstanden|verwend|nutz|einstellung|gebruik",
    r"acept|política|configura|preferenc|accett|informativa|prosegu|aceita",
    r"同意|接受|使用|政策|设置|設定|利用|동의|사용",
)
_AND_ALL = r"(?: (?:to |with )?(?:all|them|these|this|optional|additional|our|and|&|\+|close|continue|proceed|use|of|the|cookies?|cookie policy|terms))*"
ACCEPT = any_of(
    rf"(?:(?:yes,? )?i(?:'m| am)? )?(?:agree|accept|consent|allow|understand|happy|ok(?:ay)?){_AND_ALL}",
    r"(?:accept|allow|enable) (?:all|everything|recommended|selected).{0,24}|agree and .{0,20}|yes,? (?:i agree|that'?s fine)",
    r"got it|understood|ok(?:ay)?(?:,? (?:got it|thanks|i agree|i understand))?|that'?s (?:ok|fine)|fine by me|sounds good",
    r"(?:tout )?accepter(?: .{0,30})?|j['’]accepte(?: .{0,24})?|(?:j['’]ai )?compris|d['’]accord",
    r"(?:alle[sn]? |ich )?(?:cookies )?(?:akzeptieren|annehmen|zulassen)(?: .{0,24})?|akzeptiere|(?:ich )?stimme zu",
    r"zustimmen(?: .{0,24})?|einverstanden|(?:ich habe )?verstanden",
    r"(?:alles? )?(?:cookies )?accepteren|akkoord.{0,12}|ik ga akkoord",
    r"acept(?:o|ar)(?: .{0,30})?|(?:estoy )?de acuerdo|entendido|aceit(?:o|ar)(?: .{0,30})?|concordo|entendi",
    r"accett[ao](?: .{0,30})?|ho capito|va bene",
    r"принять(?: .{0,12})?|согласен|хорошо|zgadzam się|akceptuję.{0,12}|kabul et(?:iyorum)?|أوافق|قبول.{0,10}",
    r"我?已?(?:同意|接受)(?:并继续|全部|所有)?\s?(?:cookies?)?|全部(?:接受|同意)|我?知道了|好的|确定|確定",
    r"(?:すべて|全て)?の?(?:cookie)?[をに]?(?:同意|許可|承諾|了承)(?:する|します|して閉じる)?|(?:すべて|全て)?を?受け入れる",
    r"了解(?:しました)?|모두 (?:동의|허용|수락)|동의(?:합니다|함|하기)?|확인",
)
REJECT = any_of(
    r"(?:i )?(?:reject|decline|refuse|deny|disagree)\b.{0,30}|no,? thanks?|do not (?:accept|consent|sell).{0,30}",
    r"(?:use |accept )?(?:only )?(?:strictly )?(?:necessary|essential|required)(?: cookies)?(?: only)?",
    r"(?:tout )?refuser.{0,24}|continuer sans accepter.{0,4}",
    r"(?:alle[sn]? )?(?:cookies )?ablehnen|nur (?:notwendige|erforderliche|essenzielle).{0,20}|weiger.{0,20}",
    r"rechazar.{0,24}|rifiut[ao].{0,24}|rejeitar.{0,20}|recusar.{0,20}|отклонить.{0,12}",
    r"(?:全部)?(?:拒绝|拒絕)(?:全部|所有)?|不同意|(?:すべて)?を?拒否(?:する)?|(?:모두 )?거부",
)
SETTINGS = any_of(
    r"(?:manage|customi[sz]e|change|adjust|set|choose|configure|show|view|let me)\b.{0,40}|more (?:information|info)",
    r"(?:cookie|privacy|consent|more|your)? ?(?:settings|preferences|options|choices|details|purposes)|(?:learn|find out|read) more.{0,20}",
    r"paramétrer.{0,24}|personnaliser.{0,20}|gérer.{0,24}|en savoir plus",
    r"(?:cookie-)?einstellungen.{0,20}|mehr (?:erfahren|informationen)",
    r"configurar.{0,20}|más información|personalizza.{0,20}|gestisci.{0,20}",
    r"管理.{0,12}|(?:cookie\s?)?(?:设置|設定).{0,8}|了解更多|詳細.{0,10}|설정.{0,8}",
)
