"""Finish the OpenAPI document: names that people choose, responses that are shared, nothing that a generator
stumbles over.

FastAPI writes the document from the endpoints. What it cannot know, or says in a way that only some programs
understand, is put right here.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

from service.errors import PROBLEM, HeadTooLarge

Document = dict[str, Any]
"""A piece of the OpenAPI document, in the type that FastAPI makes it in."""
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"
NAMES = {
    "Action": "ConsentAction",
    "Block": "PlainBlock",
    "Cell": "ConsentRate",
    "ResolvedBlock": "Block",
    "ChangesRead": "ChangePage",
    "Code": "CodeBlock",
    "Divider": "DividerBlock",
    "Dropped": "DroppedPart",
    "Embed": "EmbedBlock",
    "EventRead": "ConsentEvent",
    "Extension": "FeedExtension",
    "Heading": "HeadingBlock",
    "ImageBlock-Input": "ImageBlockWrite",
    "ImageBlock-Output": "PlacedImage",
    "ItemList": "ListBlock",
    "Mode": "BulkMode",
    "Notice": "WebhookNotice",
    "Page_ArticleRead_": "EmbargoedArticlePage",
    "Override": "ConsentOverride",
    "Page_Union_ArticleCard__ArticleRead__": "ArticlePage",
    "Paragraph": "ParagraphBlock",
    "Quote": "QuoteBlock",
    "Person": "FeedPerson",
    "Record": "ConsentRecord",
    "ResolvedImage": "ImageBlock",
    "State": "ConsentState",
    "Status": "ArticleStatus",
    "Table": "TableBlock",
    "service__articles__routes__Publication": "ArticlePublication",
    "service__articles__routes__Withdrawal": "ArticleWithdrawal",
    "Scope": "TokenScope",
    "Scope-Input": "TokenScope",
    "service__consent__decisions__deciding__Withdrawal": "ConsentWithdrawal",
    "service__consent__notices__lifecycle__Publication": "NoticePublication",
}
"""Schemas whose classes have short names inside their modules, where the room says the rest."""
PARAMETERS = {
    "article_id": "the article's id",
    "author": "only by this author",
    "caption_id": "the caption's id",
    "copyright_notice": "the notice of the picture's owner",
    "credit_line": "who must be named with the picture",
    "delivery_id": "the delivery's id",
    "event_id": "the id of the decision",
    "external_id": "the sender's own key of this; unique together with `source`",
    "first": "the size of the older tree",
    "image_id": "the picture's id",
    "language": "only in this language (BCP 47)",
    "leaf_index": "the place of the leaf in the log, from 0",
    "name": "the name of the file, as a picture's `renditions` have it",
    "notice_key": "the key of the notice",
    "number": "the number of the version, from 1",
    "published_after": "only what was published after this time",
    "published_before": "only what was published before this time",
    "section": "only of this section",
    "source": "who it is from",
    "source_url": "where the picture was",
    "status": "only those in this status",
    "tag": "only with this tag",
    "token": "what the preview's address has",
    "token_id": "the token's id",
    "updated_after": "only what was changed after this time",
    "usage_terms": "what may be done with the picture",
    "version": "the number of the version, from 1",
    "webhook_id": "the webhook's id",
}
"""The meaning of each parameter that has the same one everywhere."""
PATCHES = {
    "edit_article": "ArticleReplace",
    "edit_image": "ImageReplace",
    "edit_caption": "CaptionReplace",
    "edit_webhook": "WebhookReplace",
}
"""The shape of which a JSON Merge Patch has any members."""
_DATA = ("example", "examples", "default", "const", "enum")


def finished(document: Document) -> Document:
    """Return FastAPI's document as it is served. Parts of the former belong to the routes, and stay as they
    are.
    """
    document = deepcopy(document)
    schemas = document["components"]["schemas"]
    for _, operation in operations(document):
        _secure(operation)
        _describe(operation)
        _type_patch(operation, schemas)
    for schema in schemas.values():
        _require_constants(schema)
        _unsaid_defaults(schema)
    _join_twins(document)
    for _, operation in operations(document):
        for response in operation["responses"].values():
            for content in response.get("content", {}).values():
                _complete(content.get("example"), content.get("schema", {}), schemas)
    _share_responses(document)
    renamed = {old: _name(old, schemas) for old in schemas}
    # One would stand for both, and say of half the members what is not true.
    assert len({*renamed.values()}) == len(renamed), "two schemas have one name"
    _walk(document, partial(_point, renamed=renamed))
    _walk(document["paths"], lambda node: node.pop("title", None))
    document["components"]["schemas"] = {
        renamed[old]: _titled(schema, renamed[old]) for old, schema in sorted(schemas.items())
    }
    _prune(document)
    return document


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """Return each operation with its path."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _secure(operation: Document) -> None:
    """Say of an operation that needs no token that it needs none."""
    operation.setdefault("security", [])


def _describe(operation: Document) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in PARAMETERS:
            parameter.setdefault("description", PARAMETERS[parameter["name"]])
        parameter["schema"] = _present(parameter["schema"])


def _present(schema: Document) -> Document:
    """Return the schema of a parameter that is there: an address and a header have no word for null."""
    members = {key: value for key, value in schema.items() if key not in ("anyOf", "description")}
    choices: list[Document] = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) == 1:
        return choices[0] | members
    return members | ({"anyOf": choices} if choices else {})


def _type_patch(operation: Document, schemas: Document) -> None:
    whole = PATCHES.get(operation["operationId"])
    if whole is None:
        return
    name = whole.replace("Replace", "Patch")
    members = {key: deepcopy(value) for key, value in schemas[whole].items() if key != "required"}
    schemas[name] = members | {"description": "Any of these members: absent ones stay, null removes."}
    for content in operation["requestBody"]["content"].values():
        content["schema"] = {"$ref": SCHEMAS + name}


def _unsaid_defaults(schema: Document) -> None:
    """Say in words what an absent member means: some generators would require each that has a default."""
    for name, member in schema.get("properties", {}).items():
        if "default" in member and name not in schema.get("required", []):
            default = member.pop("default")
            if default not in (None, "", [], {}):
                said = f"absent: {json.dumps(default)}"
                member["description"] = (
                    f"{member['description']}; {said}" if "description" in member else said
                )


def _require_constants(schema: Document) -> None:
    """Require members of which there is one value: by them the blocks of a body are told apart."""
    members = schema.get("properties", {})
    constants = [name for name, member in members.items() if "const" in member and "default" in member]
    for name in constants:
        del members[name]["default"]
    if constants:
        schema["required"] = [
            *constants,
            *(name for name in schema.get("required", []) if name not in constants),
        ]


def _join_twins(document: Document) -> None:
    """Keep one of two schemas that are the same for writing and for reading."""
    schemas = document["components"]["schemas"]
    while twins := {
        name: read
        for name, schema in schemas.items()
        if name.endswith("-Input") and schema == schemas.get(read := name.removesuffix("-Input") + "-Output")
    }:
        for name in twins:
            del schemas[name]
        _walk(document, partial(_point, renamed=twins))


def _complete(example: object, schema: Document, schemas: Document) -> None:
    """Write null out in an example, which FastAPI leaves out."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].removeprefix(SCHEMAS)]
    if isinstance(example, list):
        for each in example:
            _complete(each, schema.get("items", {}), schemas)
    elif isinstance(example, dict):
        members = schema.get("properties", {})
        for alternative in schema.get("anyOf", []):
            if _fits(example, schemas.get(alternative.get("$ref", "").removeprefix(SCHEMAS), {})):
                _complete(example, alternative, schemas)
                return
        for name in schema.get("required", []):
            example.setdefault(name, None)
        for name, value in example.items():
            _complete(value, members.get(name, {}), schemas)


def _fits(example: Document, schema: Document) -> bool:
    members = schema.get("properties", {})
    constants = {name: member["const"] for name, member in members.items() if "const" in member}
    return bool(constants) and all(example.get(name) == value for name, value in constants.items())


def _share_responses(document: Document) -> None:
    """Write each refusal once, for all operations that answer with it."""
    shared: Document = {
        "Problem": {
            "description": "Any other problem (RFC 9457)",
            "content": {PROBLEM: {"schema": {"$ref": f"{SCHEMAS}Problem"}}},
        }
    }
    for _, operation in operations(document):
        responses = operation["responses"]
        for status, response in responses.items():
            name = (
                _problem_name(response) if status[0] in "45" else "NotModified" if status == "304" else None
            )
            if name is not None and shared.setdefault(name, response) == response:
                responses[status] = {"$ref": RESPONSES + name}
        if not any(status.startswith("4") for status in responses):
            responses[str(HeadTooLarge.status)] = {"$ref": f"{RESPONSES}Problem"}
        responses["default"] = {"$ref": f"{RESPONSES}Problem"}
    document["components"]["responses"] = dict(sorted(shared.items()))


def _problem_name(response: Document) -> str | None:
    example = response.get("content", {}).get(PROBLEM, {}).get("example")
    return None if example is None else _camel(example["type"].rpartition("/")[2])


def _camel(slug: str) -> str:
    return "".join(part.capitalize() for part in slug.split("-"))


def _name(old: str, known: Document) -> str:
    """Return what a schema is called: its class without the endings that say how the code uses it."""
    if old in NAMES:
        return NAMES[old]
    if old.startswith("Page_"):
        return f"{_name(old[5:].rstrip('_'), known)}Page"
    base, _, side = old.partition("-")
    name = NAMES.get(base, base.removesuffix("Read") or base)
    return f"{name}Write" if side == "Input" and f"{base}-Output" in known else name


def _titled(schema: Document, name: str) -> Document:
    """Name a schema by what it is called; names of members are no titles."""
    _walk(schema, lambda node: node.pop("title", None))
    return {"title": name, **schema}


def _point(node: Document, renamed: dict[str, str]) -> None:
    """Let an object's references point to the new names of schemas."""
    if "$ref" in node:
        node["$ref"] = _moved(node["$ref"], renamed)
    if isinstance(node.get("mapping"), dict):
        node["mapping"] = {value: _moved(target, renamed) for value, target in node["mapping"].items()}


def _moved(reference: str, renamed: dict[str, str]) -> str:
    name = reference.removeprefix(SCHEMAS)
    return SCHEMAS + renamed[name] if name in renamed else reference


def _walk(node: object, visit: Callable[[Document], object]) -> None:
    """Visit every object of the document that is no data, and no map from names to objects."""
    if isinstance(node, list):
        for each in node:
            _walk(each, visit)
    elif isinstance(node, dict):
        visit(node)
        for name, value in node.items():
            if name in ("properties", "schemas", "responses", "paths") and isinstance(value, dict):
                for each in value.values():
                    _walk(each, visit)
            elif name not in _DATA:
                _walk(value, visit)


def _prune(document: Document) -> None:
    """Leave out schemas that nothing refers to, until there is none."""
    schemas = document["components"]["schemas"]
    while True:
        used = set(re.findall(rf"'{SCHEMAS}([^']+)'", repr(document)))
        if schemas.keys() <= used:
            return
        for name in schemas.keys() - used:
            del schemas[name]
