"""The OpenAPI document as a page."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from generation.api.examples import DELIVERY, PICTURE, TASK_ID, WEBHOOK
from generation.api.routes import api
from generation.task_resource import API
from generation.views.public_url import public_url

Json = dict[str, Any]
PATH_VALUES = {
    "{task_id}": TASK_ID,
    "{index}": str(PICTURE["index"]),
    "{webhook_id}": str(WEBHOOK["id"]),
    "{delivery_id}": str(DELIVERY["id"]),
}


@dataclass(frozen=True)
class FieldRow:
    """A parameter or a field of a body; `place`: path, query, header or body."""

    name: str
    place: str
    kind: str
    required: bool
    description: SafeString


@dataclass(frozen=True)
class ResponseRow:
    """`kind`: the content type; without a body it and `example` are empty."""

    status: str
    phrase: str
    kind: str
    example: str


@dataclass(frozen=True)
class OperationView:
    """One operation as the page shows it; `errors` have no example of their own."""

    key: str
    title: str
    method: str
    path: str
    description: SafeString
    fields: list[FieldRow]
    command: str
    responses: list[ResponseRow]
    errors: list[ResponseRow]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    document = api.get_openapi_schema()
    context = {
        "groups": groups_of(document, request),
        "problem": pretty(example_of_problem(document)),
        "document_url": reverse("api:openapi-json", API),
        "base_url": public_url(request, reverse("api:api-root", API)),
    }
    return render(request, "studio/api_docs.html", context)


def groups_of(document: Json, request: HttpRequest) -> list[tuple[str, list[OperationView]]]:
    """(title, operations) in the order of the document."""
    groups: defaultdict[str, list[OperationView]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            address = public_url(request, with_values(path))
            view = operation_view(document, method.upper(), path, address, operation)
            groups[capfirst(operation["tags"][0])].append(view)
    return list(groups.items())


def with_values(path: str) -> str:
    """The path of an example; `public_url` quotes braces."""
    for name, value in PATH_VALUES.items():
        path = path.replace(name, value)
    return path


def operation_view(
    document: Json, method: str, path: str, address: str, operation: Json
) -> OperationView:
    responses = list(response_rows(operation["responses"]))
    return OperationView(
        key=operation["operationId"],
        title=operation["summary"],
        method=method,
        path=path,
        description=with_code(operation["description"]),
        fields=[*parameter_rows(operation, document), *body_rows(operation, document)],
        command=command_of(method, address, operation),
        responses=[each for each in responses if each.status < "400"],
        errors=[each for each in responses if each.status >= "400"],
    )


def parameter_rows(operation: Json, document: Json) -> Iterator[FieldRow]:
    for each in operation.get("parameters", []):
        schema = each["schema"]
        yield FieldRow(
            name=each["name"],
            place=each["in"],
            kind=kind_of(schema, document),
            required=each["required"],
            description=with_code(each.get("description") or schema.get("description", "")),
        )


def body_rows(operation: Json, document: Json) -> Iterator[FieldRow]:
    content = operation.get("requestBody", {}).get("content", {})
    for schema in (each["schema"] for each in content.values()):
        for name, field in schema["properties"].items():
            yield FieldRow(
                name=name,
                place="body",
                kind=kind_of(field, document),
                required=name in schema.get("required", ()),
                description=with_code(field.get("description", "")),
            )


def kind_of(schema: Json, document: Json) -> str:
    """The type of a value in words, such as "integer from 1 to 4" or "a | b"."""
    if "anyOf" in schema:
        kinds = [kind_of(each, document) for each in schema["anyOf"]]
        return " | ".join(kind for kind in kinds if kind != "null")
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    words = [str(schema.get("format") or schema.get("type", "any"))]
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']:,} – {schema['maximum']:,}")
    if "maxLength" in schema:
        words.append(f"≤ {schema['maxLength']:,} characters")
    if schema.get("default") not in (None, "", False):
        words.append(f"default {schema['default']}")
    return ", ".join(words)


def with_code(text: str) -> SafeString:
    """HTML of a text with code between backticks."""
    parts = enumerate(text.split("`"))
    tagged = (format_html("<code>{}</code>" if at % 2 else "{}", part) for at, part in parts)
    return format_html_join("", "{}", ((part,) for part in tagged))


def command_of(method: str, address: str, operation: Json) -> str:
    """A command line that calls the operation."""
    parts = ['curl -H "Authorization: Bearer $TOKEN"']
    contents = operation.get("requestBody", {}).get("content", {}).values()
    parts += [f"-d '{json.dumps(each['example'], ensure_ascii=False)}'" for each in contents]
    if method != ("POST" if len(parts) > 1 else "GET"):
        parts.append(f"-X {method}")
    return " \\\n  ".join([*parts, address])


def response_rows(responses: Json) -> Iterator[ResponseRow]:
    """One row per status; the same example again is left out."""
    before = None
    for status, response in sorted(responses.items()):
        contents: Json = response.get("content", {})
        kind = next(iter(contents), "")
        example = contents[kind]["example"] if kind else ""
        text = example if isinstance(example, str) else pretty(example)
        yield ResponseRow(
            str(status), response["description"], kind, "" if text == before else text
        )
        before = text


def example_of_problem(document: Json) -> Json:
    """The longest one, that of a limit."""
    submission = document["paths"][reverse("api:tasks", urlconf=API)]["post"]
    (content,) = submission["responses"][429]["content"].values()
    problem: Json = content["example"]
    return problem


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
