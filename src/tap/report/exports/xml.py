"""Elements and documents of XML, written the same way every time."""

from xml.etree import ElementTree as ET

from tap.report.wording import printable


def add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A child of `parent`; what no XML may hold becomes a space."""
    clean = {name: printable(value) for name, value in attributes.items()}
    child = ET.SubElement(parent, tag, clean)
    if text is not None:
        child.text = printable(text)
    return child


def document(root: ET.Element, doctype: str) -> str:
    """The whole text, indented, newline at the end."""
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n{body}\n'
