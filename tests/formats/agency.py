"""What an agency sends as ninjs 3.1."""

import json
from typing import Any

import httpx

Said = dict[str, Any]
AGENCY: Said = {
    "uri": "urn:newsml:agency.example:20260504:1",
    "type": "text",
    "pubStatus": "usable",
    "versionCreated": "2026-05-04T09:00:00+01:00",
    "firstCreated": "2026-05-04T08:00:00+01:00",
    "headlines": [{"role": "main", "value": "Harbour ice breaks early"}],
    "by": "Mara Ellison",
    "located": "LARKMOUTH",
    "urgency": 4,
    "language": "en",
    "subjects": [{"name": "weather", "uri": "http://cv.example/17000000", "relevance": 80}],
    "places": [{"name": "Larkmouth", "geoJSON": {"type": "Point", "coordinates": [1.5, 50]}}],
    "bodies": [
        {
            "contentType": "text/html",
            "value": "<div><p>Ice left the harbour.</p><p>Ships <b>sail</b>.<script>x()</script></p><h1>More</h1><blockquote>Good.</blockquote>"
            "<p><img src='https://a.example/2.jpg'></p>Loose <i>words</i><table><tr><td>1</td><td>2</td></tr></table></div>",
        }
    ],
    "associations": [
        {
            "name": "one",
            "uri": "tag:agency.example,2026:1",
            "type": "picture",
            "rel": "featuremedia",
            "descriptions": [
                {"role": "caption", "value": "Ice floes."},
                {"role": "credit_line", "value": "Ana Lind"},
            ],
            "renditions": [
                {
                    "name": "web",
                    "href": "https://a.example/1.jpg",
                    "width": 800,
                    "height": 600,
                    "poi": {"x": 400, "y": 150},
                }
            ],
        },
        {
            "name": "two",
            "uri": "tag:agency.example,2026:2",
            "type": "picture",
            "renditions": [{"name": "web", "href": "https://a.example/2.jpg"}],
        },
        {"name": "clip", "uri": "tag:agency.example,2026:3", "type": "video"},
    ],
}


def bring_in(editor: httpx.Client, said: Said, media_type: str = "application/ninjs+json") -> httpx.Response:
    return editor.post(
        "/v1/imports?fetch_images=false", content=json.dumps(said), headers={"Content-Type": media_type}
    )
