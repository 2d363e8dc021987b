"""Small changes to the generator's own templates, made on a copy while generating; each says why.

A text that no longer stands exactly once in the pinned generator's template stops `make sdk`.
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
    until: str | None = None

    def apply(self, text: str) -> str:
        """The template's text with this change.

        Raises:
            EditError: The text to replace does not stand exactly once in the template.
        """
        if text.count(self.find) != 1:
            raise EditError(
                f"codegen/edits.py: {self.template}: {self.find.strip().splitlines()[0]!r} stands "
                f"{text.count(self.find)} times in the generator's template; adapt the edit to its version"
            )
        start = text.index(self.find)
        end = start + len(self.find) if self.until is None else text.index(self.until, start)
        return text[:start] + self.put + text[end:]


EDITS = (
    Edit(
        template="client.py.jinja",
        why="repr() showed the token",
        find='"token": namespace(type="str", default="", ',
        put='"token": namespace(type="str", default="field(repr=False)", ',
    ),
    Edit(
        template="client.py.jinja",
        why="headers, cookies and transport arguments may hold secrets too, and repr() showed them",
        find="""\
    _cookies: dict[str, str] = field(factory=dict, kw_only=True, alias="cookies")
    _headers: dict[str, str] = field(factory=dict, kw_only=True, alias="headers")
""",
        put="""\
    _cookies: dict[str, str] = field(factory=dict[str, str], kw_only=True, alias="cookies", repr=False)
    _headers: dict[str, str] = field(factory=dict[str, str], kw_only=True, alias="headers", repr=False)
""",
    ),
    Edit(
        template="client.py.jinja",
        why="headers, cookies and transport arguments may hold secrets too, and repr() showed them",
        find='_httpx_args: dict[str, Any] = field(factory=dict, kw_only=True, alias="httpx_args")',
        put='_httpx_args: dict[str, Any] = field(factory=dict[str, Any], kw_only=True, alias="httpx_args", repr=False)',
    ),
    Edit(
        template="client.py.jinja",
        why="the first use wrote the token into the headers, where with_headers() and repr() met it again",
        find='"self._headers[self.auth_header_name] = f\\"{self.prefix} {self.token}\\" if self.prefix else self.token"',
        put='"authorization = f\\"{self.prefix} {self.token}\\" if self.prefix else self.token"',
    ),
    Edit(
        template="client.py.jinja",
        why="the first use wrote the token into the headers, where with_headers() and repr() met it again",
        find="""\
            self._client = httpx.Client(
                base_url=self._base_url,
                cookies=self._cookies,
                headers=self._headers,
""",
        put="""\
            self._client = httpx.Client(
                base_url=self._base_url,
                cookies=self._cookies,
                headers={{ "{**self._headers, self.auth_header_name: authorization}" if custom_constructor else "self._headers" }},
""",
    ),
    Edit(
        template="client.py.jinja",
        why="the first use wrote the token into the headers, where with_headers() and repr() met it again",
        find="""\
            self._async_client = httpx.AsyncClient(
                base_url=self._base_url,
                cookies=self._cookies,
                headers=self._headers,
""",
        put="""\
            self._async_client = httpx.AsyncClient(
                base_url=self._base_url,
                cookies=self._cookies,
                headers={{ "{**self._headers, self.auth_header_name: authorization}" if custom_constructor else "self._headers" }},
""",
    ),
    Edit(
        template="client.py.jinja",
        why="without a timeout a lost answer waits for ever; 300 s is well past the 100 to 120 s at which gateways cut",
        find='_timeout: httpx.Timeout | None = field(default=None, kw_only=True, alias="timeout")',
        put="""\
_timeout: httpx.Timeout | None = field(
        default=httpx.Timeout(300.0, connect=10.0, write=30.0, pool=30.0), kw_only=True, alias="timeout"
    )""",
    ),
    Edit(
        template="client.py.jinja",
        why="an undeclared status must not pass in silence",
        find='default="field(default=False, kw_only=True)"',
        put='default="field(default=True, kw_only=True)"',
    ),
    Edit(
        template="client.py.jinja",
        why="with_headers() changed the original client",
        find="""\
        if self._client is not None:
            self._client.headers.update(headers)
        if self._async_client is not None:
            self._async_client.headers.update(headers)
""",
        put="",
    ),
    Edit(
        template="client.py.jinja",
        why="with_cookies() changed the original client",
        find="""\
        if self._client is not None:
            self._client.cookies.update(cookies)
        if self._async_client is not None:
            self._async_client.cookies.update(cookies)
""",
        put="",
    ),
    Edit(
        template="client.py.jinja",
        why="with_timeout() changed the original client",
        find="""\
        if self._client is not None:
            self._client.timeout = timeout
        if self._async_client is not None:
            self._async_client.timeout = timeout
""",
        put="",
    ),
    Edit(
        template="client.py.jinja",
        why="a subclass can raise its own errors for answers that are not the declared success",
        find="""\

{% macro builders(self) %}
""",
        put='''\

{% macro builders(self) %}
    def error(self, error: ResponseError) -> Exception:
        """What the endpoint functions raise for an answer that is not the declared success."""
        return error
''',
    ),
    Edit(
        template="client.py.jinja",
        why="a subclass can raise its own errors for answers that are not the declared success",
        find="""\
from attrs import define, field, evolve
import httpx
""",
        put="""\
from attrs import define, field, evolve
import httpx

from .errors import ResponseError
""",
    ),
    Edit(
        template="types.py.jinja",
        why="http.HTTPStatus raises ValueError for 520 to 526, 524 among them, and for any other status without a name",
        find="""\
    status_code: HTTPStatus
""",
        put="""\
    status_code: int
""",
    ),
    Edit(
        template="types.py.jinja",
        why="the types of the endpoint functions say by themselves where there may be no body",
        find="""\
    parsed: T | None
""",
        put="""\
    parsed: T
""",
    ),
    Edit(
        template="model.py.jinja",
        why="the generated parsing kept values of wrong types, lost errors in unions and crashed on null; _decode is strict",
        find="""\
    @classmethod
    def from_dict(""",
        until="""\
    {% if model.additional_properties %}
    @property
""",
        put='''\
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
        template="model.py.jinja",
        why="the generated parsing kept values of wrong types, lost errors in unions and crashed on null; _decode is strict",
        find="""\
    {% if model.additional_properties %}
    additional_properties: dict[str, {{ additional_property_type }}] = _attrs_field(init=False, factory=dict)
    {% endif %}
""",
        put="""\
    {% if model.additional_properties %}
    additional_properties: dict[str, {{ additional_property_type }}] = _attrs_field(init=False, factory=lambda: {})
    {% endif %}

    JSON_NAMES: ClassVar[dict[str, str]] = {
    {% for property in model.required_properties + model.optional_properties %}
        "{{ property.python_name }}": "{{ property.name | in_double_quote_literal }}",
    {% endfor %}
    }
""",
    ),
    Edit(
        template="model.py.jinja",
        why="the generated parsing kept values of wrong types, lost errors in unions and crashed on null; _decode is strict",
        find="""\
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator
""",
        put="""\
from typing import Any, ClassVar, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator
""",
    ),
    Edit(
        template="model.py.jinja",
        why="the generated parsing kept values of wrong types, lost errors in unions and crashed on null; _decode is strict",
        find="""\
from ..types import UNSET, Unset
""",
        put="""\
from .._decode import decode_model
from ..types import UNSET, Unset
""",
    ),
    Edit(
        template="endpoint_macros.py.jinja",
        why="documents what the functions really raise",
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
        template="property_templates/literal_enum_property.py.jinja",
        why="copying a literal onto itself made a branch that no value reaches in unions with str",
        find="{% macro transform(",
        until="{% macro multipart(",
        put="",
    ),
    Edit(
        template="property_templates/list_property.py.jinja",
        why="a list of models was collected in an untyped list",
        find="""\
{% if property.required %}
{{ _transform(property, source, destination, "to_dict") }}
""",
        put="""\
{% if property.required %}
{% if declare_type %}{{ destination }}: {{ type_string }}{% endif +%}
{{ _transform(property, source, destination, "to_dict") }}
""",
    ),
)
