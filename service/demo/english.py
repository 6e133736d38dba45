"""Invented news of Larkmouth, an invented harbour town, in English."""

from service.demo.sample import Sample, SamplePicture

ENGLISH = (
    Sample(
        "demo-1",
        2,
        "Harbour bridge reopens after a winter of repairs",
        "Trams cross the water again, two weeks ahead of plan and a little under budget.",
        "City",
        "en-GB",
        "Mara Ellison",
        (
            "The old bridge across Larkmouth harbour carried its first tram since November on Monday morning, with"
            " several hundred people lining the quay to watch it pass.",
            "Engineers replaced all forty-eight bearings and <strong>1,200 metres of rail</strong> during the closure. The"
            " city had allowed for twenty weeks; the work took eighteen.",
            "Shopkeepers on the eastern bank, who had lost much of their winter trade, said that they would open late all"
            " week. “We have had the ferry and our patience,” one of them said, “and both were running low.”",
            "A second phase, for cyclists, is to begin in autumn.",
        ),
        {
            0: SamplePicture(
                "bridge",
                "Ana Lind/Harbour Press",
                "The bridge at first light, with the first tram on its way across.",
                "A long bridge on two towers over calm water at dawn",
            ),
            2: SamplePicture(
                "bay",
                "Harbour Press",
                "The eastern bank, seen from the water.",
                "Green hills above a blue bay",
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
        9,
        "Seagrass returns to the outer bay",
        "A survey finds three times the meadow of ten years ago.",
        "Science",
        "en-GB",
        "Tomas Reyes",
        (
            "Divers who mapped the outer bay this summer found 310 hectares of seagrass, three times as much as in the"
            " last survey ten years ago.",
            "The meadows shelter young cod and hold the sand in place. Their return follows a ban on dragging anchors"
            " through the shallows.",
            "How long they last will depend on how warm the coming summers are, the authors write.",
        ),
        {
            1: SamplePicture(
                "lighthouse",
                "Ines Caro/Larkmouth Aquarium",
                "The light at Gull Point marks the edge of the new meadow.",
                "A lighthouse on a rock at sunset",
            )
        },
        tags=("environment", "sea"),
        correction="An earlier version gave the area as 31 hectares. It is 310.",
    ),
    Sample(
        "demo-6",
        14,
        "Port hires again as the night shift returns",
        "Sixty posts, two cranes and a quieter engine: what changes on the north quay.",
        "Business",
        "en-GB",
        "Priya Nand",
        (
            "The port of Larkmouth will load ships at night again from next month, after four years of day shifts only.",
            "Sixty people are to be hired, most of them trained on the spot. The two new cranes run on electricity, which"
            " the neighbours had asked for.",
            "What the port handled in the last three years:",
        ),
        {
            0: SamplePicture(
                "port",
                "Jo Bright/Harbour Press",
                "The north quay after sunset, with the older cranes.",
                "Cranes and containers in front of a red sky",
            )
        },
        tags=("port", "work"),
        table=(
            ("Year", "Containers", "Ships"),
            ("Two years ago", "184,000", "1,020"),
            ("Last year", "191,500", "1,044"),
            ("This year, to date", "203,200", "1,098"),
        ),
    ),
    Sample(
        "demo-7",
        21,
        "Forty sails in the bay, and one that would not turn",
        "The Sunday regatta was won by half a boat, in a wind that nobody had ordered.",
        "Sport",
        "en-GB",
        "Owen Marsh",
        (
            "Forty boats started, thirty-one came home, and the first two crossed the line so close to each other that the"
            " judges asked for the photograph.",
            "It showed the bow of <em>Second Thoughts</em> half a boat in front. Her crew, three sisters from the upper"
            " town, have now won three years in a row.",
        ),
        {
            0: SamplePicture(
                "sails",
                "Lena Okafor",
                "The fleet before the turn at the outer buoy.",
                "Sailing boats on a blue bay under light clouds",
            )
        },
        tags=("sea", "sailing"),
    ),
    Sample(
        "demo-8",
        27,
        "Why the clocks of the old town disagree",
        "Five towers, five times of day, and a society that would like it to stay so.",
        "Culture",
        "en-GB",
        "Mara Ellison",
        (
            "Whoever walks from the fish market to the school passes five clocks and loses eleven minutes on the way.",
            "The town council has offered to have them set by radio. The Society of the Clocks has asked it, politely, to"
            " leave them alone.",
            "Each tower was set by the ships of another company, and each kept the time of the port that its ships came"
            " from.",
        ),
        {
            1: SamplePicture(
                "roofs",
                "Ana Lind/Harbour Press",
                "The towers of the town in the morning.",
                "The outline of a town under a pink sky",
            )
        },
        tags=("history", "old town"),
    ),
    Sample(
        "demo-9",
        33,
        "The dark hour: a town switches off its lights to look up",
        "For sixty minutes on Saturday, the street lamps of the northern quarter stay dark.",
        "Science",
        "en-GB",
        "Tomas Reyes",
        (
            "The observatory on Fern Hill has asked for this night for years: no moon, no cloud, and for once no lamps.",
            "From ten to eleven the northern quarter goes dark. The observatory lends out forty telescopes, and tea.",
        ),
        {
            0: SamplePicture(
                "stars",
                "Fern Hill Observatory",
                "The sky over Fern Hill, with the lamps out.",
                "Stars above dark hills",
            )
        },
        tags=("astronomy", "environment"),
    ),
    Sample(
        "demo-10",
        40,
        "Let the ferry stay, even now that the bridge is back",
        "A ten-minute crossing taught the town something that a tram cannot.",
        "Opinion",
        "en-GB",
        "Ruth Adeyemi",
        (
            "For eighteen weeks the town crossed its harbour together, standing, in the rain. People who had nodded at each"
            " other for years learned each other’s names.",
            "Nobody would run a ferry for that. But now that there is one, it would be a pity to let it go.",
        ),
        tags=("transport", "ferry"),
    ),
    Sample(
        "demo-11",
        50,
        "Night market moves to the old docks",
        "Forty stalls, and music until one.",
        "City",
        "en-GB",
        "Priya Nand",
        (
            "The night market, which has outgrown the school yard, opens at the old docks on Friday.",
            "The last tram leaves at a quarter past one.",
        ),
        {
            0: SamplePicture(
                "night",
                "Jo Bright/Harbour Press",
                "The docks by moonlight, across from the market.",
                "The lights of a town by the water at night",
            )
        },
        tags=("transport", "markets"),
    ),
    Sample(
        "demo-12",
        60,
        "Ferry company to close, sources say",
        "A report that did not hold.",
        "Business",
        "en-GB",
        "Priya Nand",
        (
            "The company that runs the harbour ferry is to close by the end of the month, sources said on Monday.",
        ),
        tags=("ferry",),
        withdrawal="The report was about another company of the same name. We apologise to both.",
    ),
    Sample(
        "demo-5",
        1,
        "Council to vote on the new ferry timetable",
        "A draft for tomorrow's edition.",
        "City",
        "en-GB",
        "Mara Ellison",
        ("Councillors will decide on Thursday whether the ferries should run until midnight.",),
        published=False,
        tags=("transport", "ferry"),
    ),
)
