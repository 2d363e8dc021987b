"""Small changes to the generator's own templates, made on a copy while generating; each says why.

A text that does not stand exactly once in the pinned generator's template stops `make sdk`.
"""

from __future__ import annotations

from typing import NamedTuple


class EditError(Exception):
    """An edit does not fit the generator's template."""


class Edit(NamedTuple):
    """A change to one of the generator's templates: `find` (and all up to `until`) becomes `put`.

    Edits with the same `why` belong together.
    """

    template: str
    why: str
    find: str
    put: str
    until: str = ""

    def apply(self, text: str) -> str:
        """The template's text with this change.

        Raises:
            EditError: The text to replace does not stand exactly once in the template, or does not end there.
        """
        before, *rest = text.split(self.find)
        if len(rest) != 1 or self.until not in rest[0]:
            raise EditError(
                f"codegen/edits.py: {self.template}: {self.find.strip().splitlines()[0]!r} stands {len(rest)} times in "
                "the generator's template, or what it goes up to is gone; adapt the edit to its version"
            )
        return before + self.put + rest[0][rest[0].index(self.until) :]


_STRICT = (
    "the generated parsing kept values of wrong types, lost errors in unions and crashed on null; _decode is strict"
)

EDITS = (
    Edit(
        "types.py.jinja",
        "http.HTTPStatus raises ValueError for 520 to 526, 524 among them, and for any other status without a name",
        find="status_code: HTTPStatus",
        put="status_code: int",
    ),
    Edit(
        "types.py.jinja",
        "the types of the endpoint functions say by themselves where there may be no body",
        find="parsed: T | None",
        put="parsed: T",
    ),
    Edit(
        "model.py.jinja",
        _STRICT,
        find="    @classmethod\n    def from_dict(",
        until="    {% if model.additional_properties %}\n    @property\n",
        put='''\
    JSON_NAMES: ClassVar[dict[str, str]] = {
    {% for property in model.required_properties + model.optional_properties %}
        "{{ property.python_name }}": "{{ property.name | in_double_quote_literal }}",
    {% endfor %}
    }

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        """The model that a JSON object describes.

        Raises:
            errors.DecodeError: The object, or a value at any depth of it, is not of the declared type.
        """
        return decode_model(cls, src_dict)
''',
    ),
    Edit(
        "model.py.jinja",
        _STRICT,
        find="from ..types import UNSET, Unset\n",
        put="from typing import ClassVar\nfrom .._decode import decode_model\nfrom ..types import UNSET, Unset\n",
    ),
    Edit(
        "model.py.jinja",
        "a bare dict() has no types",
        find="_attrs_field(init=False, factory=dict)",
        put="_attrs_field(init=False, factory=lambda: {})",
    ),
    Edit(
        "endpoint_macros.py.jinja",
        "documents what the functions really raise",
        find="""\
    errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
""",
        put="""\
{% if not is_detailed %}
    errors.ErrorStatus: The server answers with an error that the contract declares.
{% endif %}
    errors.UnexpectedStatus: The contract does not declare the status, and Client.raise_on_unexpected_status is True.
    errors.InvalidBody: The body is not what the contract declares for the status.
""",
    ),
    Edit(
        "property_templates/literal_enum_property.py.jinja",
        "copying a literal onto itself made a branch that no value reaches in unions with str",
        find="{% macro transform(",
        until="{% macro multipart(",
        put="",
    ),
    Edit(
        "property_templates/list_property.py.jinja",
        "a list of models was collected in an untyped list",
        find='{% if property.required %}\n{{ _transform(property, source, destination, "to_dict") }}\n',
        put="""\
{% if property.required %}
{% if declare_type %}{{ destination }}: {{ type_string }}{% endif +%}
{{ _transform(property, source, destination, "to_dict") }}
""",
    ),
)
