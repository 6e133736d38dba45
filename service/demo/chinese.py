"""Invented news of Larkmouth, an invented harbour town, in Chinese."""

from service.demo.sample import Sample, SamplePicture

CHINESE = (
    Sample(
        "demo-4",
        7,
        "港口电车恢复通车",
        "修缮工程比计划提前两周完成。",
        "城市",
        "zh-Hans",
        "林小舟",
        (
            "周一清晨，自去年十一月以来的第一班电车驶过旧港大桥，数百名市民在码头观看。",
            "工程人员更换了全部<em>四十八个</em>支座和一千二百米轨道。",
        ),
        {
            0: SamplePicture(
                "bridge", "Ana Lind/Harbour Press", "黎明时分的港口大桥。", "晨光中的大桥与平静的水面"
            )
        },
        tags=("交通",),
        credit_line="综合港口通讯社报道",
    ),
    Sample(
        "demo-16",
        24,
        "夜市迁往老码头",
        "四十个摊位，音乐持续到凌晨一点。",
        "城市",
        "zh-Hans",
        "林小舟",
        (
            "规模日渐扩大的夜市将于周五在老码头开张，原来的校园场地已容纳不下。",
            "末班电车凌晨一点一刻发车，途经旧港大桥。",
        ),
        {
            0: SamplePicture(
                "night", "Jo Bright/Harbour Press", "月光下的码头，对岸即为夜市。", "夜晚水边城市的灯光"
            )
        },
        tags=("交通", "市集"),
    ),
    Sample(
        "demo-17",
        36,
        "关灯一小时，全城看星空",
        "周六晚十点至十一点，北区路灯全部熄灭。",
        "科学",
        "zh-Hans",
        "周明",
        (
            "蕨山天文台多年来一直期待这样一个夜晚：没有月亮，没有云，也没有路灯。",
            "天文台当晚出借四十架望远镜，并提供热茶。",
        ),
        {0: SamplePicture("stars", "蕨山天文台", "熄灯后的蕨山夜空。", "深色山丘上的星空")},
        tags=("天文",),
        quote=("请抬头看，不要看手机。", "天文台台长"),
    ),
    Sample(
        "demo-18",
        48,
        "海草重返外湾",
        "调查显示，海草床面积为十年前的三倍。",
        "科学",
        "zh-Hans",
        "周明",
        ("潜水员今夏在外湾测得三百一十公顷海草，是十年前上次调查的三倍。",),
        {0: SamplePicture("bay", "Harbour Press", "从北岸悬崖眺望外湾。", "蓝色海湾上方的绿色山丘")},
        tags=("环境",),
    ),
)
