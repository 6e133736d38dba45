"""The words that credits of pictures are told by: the names of agencies, and what announces a name in many languages."""

import re

# Longest first where one name begins another.
AGENCIES = (
    "Xinhua News Agency", "Xinhua", "VCG", "CFP", "CGTN", "CMG", "CCTV+", "CCTV", "CNSphoto", "CNS", "China Daily",
    "ICphoto", "新华社", "新華社", "中新社", "视觉中国", "Reuters", "REUTERS", "AP Photo", "AP", "Associated Press",
    "AFPTV", "AFP", "Agence France-Presse", "Getty Images", "GETTY IMAGES", "Getty", "Bloomberg", "EPA-EFE", "EPA",
    "EFE", "ANSA", "LaPresse", "imago images", "Imago", "IMAGO", "imago", "dpa", "DPA", "APA", "Keystone",
    "Kyodo News", "Kyodo", "Jiji Press", "共同", "時事", "ロイター", "Yonhap", "연합뉴스", "TASS", "ТАСС", "Sputnik",
    "PA Wire", "PA Media", "PA Images", "PA", "Alamy Stock Photo", "Alamy", "Shutterstock", "iStockphoto", "iStock",
    "Unsplash", "Pixabay", "Pexels", "Anadolu Agency", "Anadolu", "NurPhoto", "ZUMA Press", "ZUMA", "SIPA", "Abaca",
    "MAXPPP", "Europa Press", "Belga", "ANP", "Ritzau Scanpix", "Ritzau", "NTB", "Lehtikuva", "PAP", "PTI", "ANI",
    "Antara", "Bernama", "AAP", "NASA", "ESA", "SWNS", "Splash News", "BackGrid", "Wikimedia Commons", "Adobe Stock",
    "WireImage", "Magnum Photos", "picture alliance", "picture-alliance", "Panthermedia", "Depositphotos", "123RF", "Fotolia",
    "Scanpix", "TT Nyhetsbyrån", "Keystone-SDA", "Agencja Wyborcza.pl", "East News", "Lusa", "Agência Brasil", "Folhapress",
    "Estadão Conteúdo", "Agencia EFE", "Notimex", "Cuartoscuro", "Télam", "The Canadian Press", "뉴스1", "뉴시스", "Flash90", "DHA", "İHA",
    "中央社", "法新社", "路透社", "美联社", "美聯社", "中新网", "人民视觉", "رويترز", "أ ف ب", "hans lucas", "Hans Lucas",
)  # fmt: skip
AGENCY = "|".join(map(re.escape, AGENCIES))
# What stands before a colon and a name. Chinese and Japanese write these without a space around them.
ANNOUNCED = (
    r"(?:picture|image|photo) source|(?:picture |image |photo |file )?(?:photo(?:graph)?s?|pictures?|pic|images?|credits?|screenshots?|illustration|photographers?)"
    r"(?: (?:credit|source|courtesy|by))?|courtesy|copyright|(?:archiv|symbol|titel|agentur)?(?:fotos?|bild)|bild(?:quelle|rechte|nachweis)"
    r"|grafik|crédits?(?: photo)?|photographie|capture d['’]écran"
    r"|imagen|fotograf[íi]a|crédito|captura(?: de pantalla)?|immagine|imagem|reprodução|divulgação|arquivo"
    r"|bilde|billede|fotograf|zdjęcie|fot|grafika|ilustracja"
    r"|фото|снимка|слика|fotoğraf|foto[ğg]raflar|valokuva|kuva|fotó|fénykép|nuotrauka|nuotr"
    r"|ảnh|hình ảnh|φωτογραφία|φωτο|צילום|תמונה|تصویر|صورة|تصوير|عکس|फोटो|ছবি|ภาพ|gambar|larawan|isithombe|izithombe|picha"
    r"|写真|撮影|提供|画像|图片来源|圖片來源|图源|图片|圖片|图|圖|摄影|攝影|사진(?:\s?(?:제공|출처))?|출처|제공"
)
# These announce a credit only where a sentence does not run on into them.
SOURCE = r"sources?|quelle|fuente|fonte|kilde|källa|źródło|kaynak|bron|lähde"
