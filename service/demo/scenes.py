"""The scenes of the sample pictures, by name."""

from service.demo.pictures import Scene
from service.demo.subjects import bridge, cranes, firs, lighthouse, sails, skyline

_DAWN = ((0, (70, 96, 140)), (0.55, (196, 160, 160)), (0.85, (250, 190, 130)), (1, (255, 214, 160)))
_DAY = ((0, (58, 112, 178)), (0.6, (140, 182, 222)), (1, (216, 230, 238)))
_DUSK = ((0, (24, 28, 60)), (0.5, (92, 62, 110)), (0.82, (224, 110, 86)), (1, (250, 172, 104)))
_NIGHT = ((0, (6, 9, 22)), (0.6, (18, 28, 58)), (1, (48, 58, 92)))
_GREY = ((0, (126, 140, 154)), (0.6, (176, 186, 194)), (1, (218, 220, 218)))

SCENES = {
    "bridge": Scene(
        seed=1,
        sky=_DAWN,
        sun=(0.62, 0.5, (255, 206, 140)),
        land=((38, 44, 60), (214, 176, 160)),
        subject=bridge,
    ),
    "viaduct": Scene(
        seed=11,
        sky=_DAY,
        sun=(0.82, 0.16, (255, 250, 230)),
        land=((48, 62, 66), (190, 206, 214)),
        horizon=0.7,
        clouds=0.6,
        rise=0.24,
        subject=bridge,
    ),
    "bay": Scene(
        seed=2,
        sky=_DAY,
        sun=(0.25, 0.12, (255, 250, 230)),
        land=((44, 74, 52), (176, 198, 214)),
        horizon=0.55,
        ridges=4,
        rise=0.2,
        clouds=0.45,
    ),
    "roofs": Scene(
        seed=3,
        sky=_DAWN,
        sun=(0.3, 0.42, (255, 196, 150)),
        land=((60, 46, 58), (226, 170, 150)),
        horizon=0.86,
        ridges=2,
        is_water=False,
        subject=skyline,
    ),
    "night": Scene(
        seed=4,
        sky=_NIGHT,
        sun=(0.7, 0.2, (220, 226, 245)),
        land=((10, 14, 26), (50, 60, 92)),
        clouds=0,
        ridges=1,
        rise=0.06,
        stars=350,
        subject=skyline,
    ),
    "sails": Scene(
        seed=5,
        sky=_DAY,
        sun=(0.8, 0.2, (255, 250, 226)),
        land=((40, 70, 96), (196, 214, 226)),
        horizon=0.5,
        clouds=0.55,
        ridges=2,
        rise=0.07,
        subject=sails,
    ),
    "port": Scene(
        seed=6,
        sky=_DUSK,
        sun=(0.4, 0.55, (255, 170, 90)),
        land=((24, 20, 34), (210, 120, 100)),
        ridges=1,
        rise=0.06,
        subject=cranes,
    ),
    "firs": Scene(
        seed=7,
        sky=_GREY,
        sun=None,
        land=((26, 40, 38), (190, 198, 198)),
        horizon=0.7,
        clouds=0.3,
        ridges=4,
        rise=0.26,
        is_water=False,
        subject=firs,
    ),
    "lighthouse": Scene(
        seed=8,
        sky=_DUSK,
        sun=(0.3, 0.5, (255, 176, 110)),
        land=((26, 24, 40), (206, 126, 110)),
        ridges=1,
        rise=0.05,
        subject=lighthouse,
    ),
    "stars": Scene(
        seed=9,
        sky=_NIGHT,
        sun=None,
        land=((8, 12, 20), (40, 52, 84)),
        horizon=0.8,
        clouds=0,
        ridges=3,
        rise=0.14,
        is_water=False,
        stars=1600,
    ),
    "mist": Scene(
        seed=10,
        sky=_GREY,
        sun=(0.5, 0.2, (250, 240, 220)),
        land=((52, 70, 66), (206, 212, 208)),
        horizon=0.72,
        clouds=0.2,
        ridges=6,
        rise=0.34,
    ),
}
