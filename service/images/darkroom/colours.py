"""ICC profiles for colours that a file declares in other ways: by CICP numbers (ITU-T H.273), or by the gamma
and chromaticities of a PNG.

High dynamic range (PQ, HLG) becomes standard range in the same step: its curves go through a tone mapping
that leaves diffuse white (203 cd/m2, BT.2408) bright and bends highlights up to 1,000 cd/m2 into what is
above it.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""
Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
_D65: Final = (0.3127, 0.3290)
SRGB: Final[Chromaticities] = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: Final[dict[int, Chromaticities]] = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_GAMMAS: Final = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_PQ, _HLG = 16, 18
_WHITE, _PEAK = 203.0, 1000.0
_STEPS = 4096
_D50: Final = (0.9642, 1.0, 0.8249)
_BRADFORD: Final[Matrix] = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)


@lru_cache(maxsize=16)
def of_cicp(primaries: int, transfer: int) -> bytes | None:
    """Return the profile of CICP numbers; None for those that look like sRGB. Video's curve is shown as
    sRGB's is.
    """
    chromaticities = _PRIMARIES.get(primaries, SRGB)
    if transfer in (_PQ, _HLG):
        return _profile(chromaticities, _table(_pq if transfer == _PQ else _hlg))
    if transfer in _GAMMAS:
        return _profile(chromaticities, _gamma(_GAMMAS[transfer]))
    return None if chromaticities == SRGB else _profile(chromaticities, _SRGB_CURVE)


@lru_cache(maxsize=16)
def of_gamma(gamma: float, chromaticities: Chromaticities) -> bytes | None:
    """Return the profile of a PNG's `gAMA`, 0 when there is none, and `cHRM`; None for those that are sRGB or
    nonsense.
    """
    is_srgb = all(abs(one - other) < 0.005 for one, other in zip(chromaticities, SRGB, strict=True))
    has_srgb_curve = gamma == 0 or abs(gamma / 0.45455 - 1) < 0.05
    if (is_srgb and has_srgb_curve) or not (gamma == 0 or 0.01 <= gamma <= 10):
        return None
    try:
        return _profile(chromaticities, _SRGB_CURVE if has_srgb_curve else _gamma(1 / gamma))
    except ArithmeticError:
        return None


def _pq(value: float) -> float:
    power = value ** (1 / 78.84375)
    base = max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return _toned(10_000 * base ** (1 / 0.1593017578125))


def _hlg(value: float) -> float:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = value * value / 3 if value <= 0.5 else (2.718281828459045 ** ((value - c) / a) + b) / 12
    return _toned(_PEAK * scene**1.2)


def _toned(light: float) -> float:
    """Candelas in a square metre as a part of what a screen shows (Reinhard's extended curve)."""
    bright, peak = light / _WHITE, _PEAK / _WHITE
    return min(1.0, bright * (1 + bright / (peak * peak)) / (1 + bright))


def _table(curve: Callable[[float], float]) -> bytes:
    values = [round(65_535 * curve(step / (_STEPS - 1))) for step in range(_STEPS)]
    return struct.pack(f">4sII{_STEPS}H", b"curv", 0, _STEPS, *values)


def _gamma(exponent: float) -> bytes:
    return struct.pack(">4sIHHi", b"para", 0, 0, 0, round(65_536 * exponent))


_SRGB_CURVE: Final = struct.pack(
    ">4sIHH5i",
    b"para",
    0,
    3,
    0,
    *(round(65_536 * each) for each in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
)


def _profile(chromaticities: Chromaticities, curve: bytes) -> bytes:
    """Return a profile of three primaries and one curve (ICC.1:2022), as seen under D50."""
    columns = _columns(chromaticities)
    tags = {
        b"wtpt": _xyz(_D50),
        **{name: _xyz(xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)},
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    at, listed, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        listed += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = 128 + len(listed) + len(body)
    head = struct.pack(">II I4s4s4s12s4s", size, 0, 0x04400000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", *(round(65_536 * each) for each in _D50))
    return head.ljust(128, b"\0") + listed + body


def _xyz(values: Triple) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(65_536 * each) for each in values))


def _columns(chromaticities: Chromaticities) -> list[Triple]:
    """Return the share of XYZ that each primary adds, adapted to D50 (Bradford)."""
    x_white, y_white, *rest = chromaticities
    white = _from_xy(x_white, y_white)
    primaries = [_from_xy(rest[at], rest[at + 1]) for at in (0, 2, 4)]
    scales = _solved(primaries, white)
    seen, wanted = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    gains = tuple(want / see for want, see in zip(wanted, seen, strict=True))
    rows = list(zip(*_BRADFORD, strict=True))
    adapted = []
    for primary, scale in zip(primaries, scales, strict=True):
        cone = _times(_BRADFORD, (primary[0] * scale, primary[1] * scale, primary[2] * scale))
        adapted.append(_solved(rows, (cone[0] * gains[0], cone[1] * gains[1], cone[2] * gains[2])))
    return adapted


def _from_xy(x: float, y: float) -> Triple:
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Triple) -> Triple:
    first, second, third = (
        sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix
    )
    return first, second, third


def _solved(columns: list[Triple], wanted: Triple) -> Triple:
    """Return the amount of each column whose sum is the wanted value (Cramer's rule)."""
    whole = _determinant(columns)
    first, second, third = (
        _determinant([wanted if place == at else column for place, column in enumerate(columns)]) / whole
        for at in range(3)
    )
    return first, second, third


def _determinant(columns: list[Triple]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = columns
    return a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e)
