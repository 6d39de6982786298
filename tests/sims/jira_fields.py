"""What Jira Cloud says about the body of a create: fields, rich text, labels, properties. Returns the errors in Jira's own words."""

import json

SUMMARY_LIMIT, DESCRIPTION_LIMIT, LABEL_LIMIT, PROPERTY_KEY_LIMIT, PROPERTY_VALUE_LIMIT = 255, 32767, 255, 255, 32768
OFF_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"

INLINE = {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status"}
BLOCK = {"paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "panel", "taskList", "table", "mediaSingle", "mediaGroup", "expand"}
CHILDREN = {  # node → (kinds of children, least number of them)
    "doc": (BLOCK, 0), "paragraph": (INLINE, 0), "heading": (INLINE, 0), "codeBlock": ({"text"}, 0),
    "bulletList": ({"listItem"}, 1), "orderedList": ({"listItem"}, 1),
    "listItem": ({"paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "taskList"}, 1),
    "blockquote": ({"paragraph", "bulletList", "orderedList", "codeBlock"}, 1),
    "panel": ({"paragraph", "heading", "bulletList", "orderedList", "codeBlock", "rule", "taskList"}, 1),
    "taskList": ({"taskItem", "taskList"}, 1), "taskItem": (INLINE, 0), "expand": (BLOCK, 1),
    "table": ({"tableRow"}, 1), "tableRow": ({"tableCell", "tableHeader"}, 0), "tableCell": (BLOCK, 1), "tableHeader": (BLOCK, 1),
    "mediaSingle": ({"media"}, 1), "mediaGroup": ({"media"}, 1)}
REQUIRED_ATTRS = {"heading": {"level"}, "panel": {"panelType"}, "taskList": {"localId"}, "taskItem": {"localId", "state"}, "mention": {"id"},
                  "emoji": {"shortName"}, "inlineCard": set(), "date": {"timestamp"}, "status": {"text", "color"}, "media": {"type"}, "expand": set()}
MARKS = {"strong", "em", "underline", "strike", "code", "link", "subsup", "textColor", "backgroundColor", "annotation"}


def utf16_length(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def adf_fault(node, kind=None):
    """None, or what is wrong with a rich text document, for the log of whoever debugs a test."""
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return "a node must be an object with a type"
    name = node["type"]
    if kind is None and (name != "doc" or node.get("version") != 1 or not isinstance(node.get("content"), list)):
        return "the root must be a doc of version 1 with content"
    if name == "text":
        return text_fault(node, kind)
    if set(node) - {"type", "content", "attrs", "marks", "version"} or ("version" in node and name != "doc"):
        return f"{name}: unknown member"
    if missing := REQUIRED_ATTRS.get(name, set()) - set(node.get("attrs", {})):
        return f"{name}: attrs without {', '.join(missing)}"
    if name == "heading" and node["attrs"]["level"] not in (1, 2, 3, 4, 5, 6):
        return "heading: level must be 1 to 6"
    if name not in CHILDREN:
        if name not in INLINE | BLOCK | {"media"}:
            return f"unknown node {name}"
        return f"{name} takes no content" if node.get("content") else None
    allowed, least = CHILDREN[name]
    content = node.get("content", [])
    if not isinstance(content, list) or len(content) < least:
        return f"{name}: needs at least {least} child"
    for child in content:
        if not isinstance(child, dict) or child.get("type") not in allowed:
            return f"{name} may not contain {child.get('type') if isinstance(child, dict) else child!r}"
        if fault := adf_fault(child, name):
            return fault
    return None


def text_fault(node, parent):
    text = node.get("text")
    if not isinstance(text, str) or text == "":
        return "an empty text node"
    if set(node) - {"type", "text", "marks"}:
        return "text: unknown member"
    if any(ord(c) < 0x20 and c not in "\t\n" for c in text) or any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return "text: control character or lone surrogate"
    if "\n" in text and parent != "codeBlock":
        return "text: line break outside a codeBlock"
    marks = node.get("marks", [])
    names = [mark.get("type") if isinstance(mark, dict) else None for mark in marks] if isinstance(marks, list) else [None]
    if set(names) - MARKS or len(names) != len(set(names)):
        return "text: unknown or repeated mark"
    if parent == "codeBlock" and names:
        return "codeBlock: text without marks only"
    if "code" in names and set(names) - {"code", "link", "annotation"}:
        return "text: code goes with link only"
    if any(mark["type"] == "link" and not mark.get("attrs", {}).get("href") for mark in marks):
        return "text: link without href"
    return None


def rich_text_error(value):
    """The error text for a value of a rich text field, or None."""
    if not isinstance(value, dict):
        return NOT_A_DOCUMENT
    if adf_fault(value):
        return "INVALID_INPUT"
    if utf16_length(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > DESCRIPTION_LIMIT:
        return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
    return None


def summary_error(value):
    if not isinstance(value, str):
        return "Operation value must be a string"
    if value.strip() == "":
        return "You must specify a summary of the issue."
    if "\n" in value or "\r" in value:
        return "The summary is invalid because it contains newline characters."
    return "Summary can't exceed 255 characters." if utf16_length(value) > SUMMARY_LIMIT else None


def labels_error(value):
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        return "data was not an array"
    for label in value:
        if " " in label:
            return f"The label '{label}' contains spaces which is invalid."
        if len(label) > LABEL_LIMIT:
            return f"The label '{label}' exceeds the maximum length of 255 characters."
    return None


def property_errors(properties):
    """Messages about the properties of a create."""
    if not isinstance(properties, list):
        return ["Invalid request payload. Refer to the REST API documentation and try again."]
    for entry in properties:
        if not isinstance(entry, dict) or set(entry) != {"key", "value"} or not isinstance(entry["key"], str):
            return ["Invalid request payload. Refer to the REST API documentation and try again."]
        if not 1 <= len(entry["key"]) <= PROPERTY_KEY_LIMIT:
            return ["The property key must be between 1 and 255 characters."]
        if len(json.dumps(entry["value"], ensure_ascii=False).encode()) > PROPERTY_VALUE_LIMIT:
            return ["The value of the property is too long. The maximum length is 32768."]
    return []
