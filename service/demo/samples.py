"""The sample articles: invented news of an invented harbour town, in several languages and states."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """A picture, drawn from its number, with what is said of it."""

    number: int
    credit: str
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One article; the pictures come after the paragraphs that they are numbered by."""

    external_id: str
    headline: str
    summary: str
    section: str
    language: str
    author: str
    paragraphs: tuple[str, ...]
    pictures: dict[int, SamplePicture] = field(default_factory=dict)
    dateline: str | None = None
    tags: tuple[str, ...] = ()
    credit_line: str | None = None
    heading: str | None = None
    quote: tuple[str, str] | None = None
    published: bool = True


SAMPLES = (
    Sample(
        "demo-1",
        "Harbour bridge reopens after a winter of repairs",
        "Trams cross the water again, two weeks ahead of plan and a little under budget.",
        "City",
        "en",
        "Mara Ellison",
        (
            "The old swing bridge across Larkmouth harbour carried its first tram since November on Monday morning, with"
            " several hundred people lining the quay to watch it pass.",
            "Engineers replaced all forty-eight bearings and <strong>1,200 metres of rail</strong> during the closure. The"
            " city had allowed for twenty weeks; the work took eighteen.",
            "Shopkeepers on the eastern bank, who had lost much of their winter trade, said that they would open late all"
            " week. “We have had the ferry and our patience,” one of them said, “and both were running low.”",
            "The bridge will still open for ships at noon and at six. A second phase, for cyclists, is to begin in autumn.",
        ),
        {
            0: SamplePicture(
                1,
                "Ana Lind/Harbour Press",
                "The swing bridge at first light, an hour before the first tram.",
                "A low bridge over calm water at dawn",
            ),
            2: SamplePicture(
                6,
                "Harbour Press",
                "The eastern bank, seen from the water.",
                "Hills above a harbour in blue light",
            ),
        },
        dateline="LARKMOUTH",
        tags=("transport", "bridges"),
        credit_line="With input from Harbour Press",
        heading="Two weeks early",
        quote=(
            "We have had the ferry and our patience, and both were running low.",
            "A bookseller on the quay",
        ),
    ),
    Sample(
        "demo-2",
        "Seagrass returns to the outer bay",
        "A survey finds three times the meadow of ten years ago.",
        "Science",
        "en",
        "Tomas Reyes",
        (
            "Divers who mapped the outer bay this summer found 310 hectares of seagrass, three times as much as in the"
            " last survey ten years ago.",
            "The meadows shelter young cod and hold the sand in place. Their return follows a ban on dragging anchors"
            " through the shallows.",
            "Whether they last will depend on how warm the coming summers are, the authors write.",
        ),
        {
            1: SamplePicture(
                2,
                "Ines Caro/Larkmouth Aquarium",
                "The outer bay from the northern cliffs.",
                "Green slopes above a pale bay",
            )
        },
        tags=("environment", "sea"),
    ),
    Sample(
        "demo-3",
        "Le marché couvert fête ses cent ans",
        "Trois jours de concerts, de cuisine et de souvenirs sous la verrière.",
        "Culture",
        "fr",
        "Claire Vasseur",
        (
            "La verrière du marché couvert a cent ans cette semaine, et la ville a choisi de lui rendre hommage là où tout"
            " se passe : entre les étals.",
            "Pendant trois jours, quarante marchands proposent un plat à prix unique, et un orchestre joue chaque soir"
            " sous les arches.",
        ),
        {
            0: SamplePicture(
                3,
                "Luc Favre",
                "Les collines derrière le quartier du marché, au matin.",
                "Collines roses au lever du jour",
            )
        },
        tags=("patrimoine",),
    ),
    Sample(
        "demo-4",
        "港口电车恢复通车",
        "修缮工程比计划提前两周完成。",
        "城市",
        "zh-Hans",
        "林小舟",
        (
            "周一清晨，自去年十一月以来的第一班电车驶过旧港大桥，数百名市民在码头观看。",
            "工程人员更换了全部四十八个支座和一千二百米轨道。",
        ),
        {0: SamplePicture(1, "Ana Lind/Harbour Press", "黎明时分的旋转大桥。", "晨光中的大桥与平静的水面")},
        tags=("交通",),
        credit_line="综合港口通讯社报道",
    ),
    Sample(
        "demo-5",
        "Council to vote on the new ferry timetable",
        "A draft for tomorrow's edition.",
        "City",
        "en",
        "Mara Ellison",
        ("Councillors will decide on Thursday whether the ferries should run until midnight.",),
        published=False,
        tags=("transport",),
    ),
)
