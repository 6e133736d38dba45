"""GeoJSON (RFC 7946), as far as ninjs places refer to it; other members are refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.tables import Many

Position = Annotated[list[float], Field(min_length=2, fail_fast=True)]
Line = Annotated[list[Position], Field(min_length=2, fail_fast=True)]
Ring = Annotated[list[Position], Field(min_length=4, fail_fast=True)]
Box = Annotated[list[float], Field(min_length=4, fail_fast=True)]


class Shape(BaseModel):
    """The members that every kind of GeoJSON has."""

    model_config = ConfigDict(extra="forbid")

    bbox: Box | None = None


class Point(Shape):
    """A place."""

    type: Literal["Point"]
    coordinates: Position


class MultiPoint(Shape):
    """Several places."""

    type: Literal["MultiPoint"]
    coordinates: Many[Position]


class LineString(Shape):
    """A line."""

    type: Literal["LineString"]
    coordinates: Line


class MultiLineString(Shape):
    """Several lines."""

    type: Literal["MultiLineString"]
    coordinates: Many[Line]


class Polygon(Shape):
    """An area."""

    type: Literal["Polygon"]
    coordinates: Many[Ring]


class MultiPolygon(Shape):
    """Several areas."""

    type: Literal["MultiPolygon"]
    coordinates: Many[Many[Ring]]


Plain = Point | MultiPoint | LineString | MultiLineString | Polygon | MultiPolygon


class GeometryCollection(Shape):
    """Several of these."""

    type: Literal["GeometryCollection"]
    geometries: Many[Annotated[Plain, Field(discriminator="type")]]


class Feature(Shape):
    """A geometry with properties."""

    type: Literal["Feature"]
    id: str | float | None = None
    properties: dict[str, JsonValue] | None
    geometry: Annotated[Plain | GeometryCollection, Field(discriminator="type")] | None


class FeatureCollection(Shape):
    """Several features."""

    type: Literal["FeatureCollection"]
    features: Many[Feature]


GeoJson = Annotated[Plain | GeometryCollection | Feature | FeatureCollection, Field(discriminator="type")]
