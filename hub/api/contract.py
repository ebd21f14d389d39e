"""GET /api/openapi.json: what the door takes and answers, refusals and permissions too, in OpenAPI's words."""

from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request

from hub.api.commands import OPERATIONS
from hub.api.examples import BODIES, body, in_path
from hub.api.guard import FAILURES_MAX, FAILURES_S, Guarded
from hub.api.permissions import MATRIX, OPEN, Rule
from hub.api.problems import MEDIA_TYPE, Problem

REFUSALS: Final = {
    "401": "No token was shown, or none that is good.",
    "403": "The token's role or channel does not allow this.",
    "404": "There is no such thing.",
    "409": "It cannot be done as things stand.",
    "413": "The body is too long.",
    "422": "The request is not what this route takes.",
    "429": f"More than {FAILURES_MAX} bad tokens from this address in {FAILURES_S} s.",
    "503": "It cannot be done now: try again.",
}


_COMMANDS: Final = {row: command for command, rows in OPERATIONS.items() for row in rows}


def router() -> APIRouter:
    made = APIRouter(route_class=Guarded)

    @made.get("/api/openapi.json", include_in_schema=False)
    def contract(request: Request) -> dict[str, Any]:
        """This."""
        return described(request.app)

    return made


def described(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _completed(app.openapi(), app.state.guard.hub.settings.channels[0].slug)
    return app.openapi_schema


def _completed(schema: dict[str, Any], channel: str) -> dict[str, Any]:
    parts = schema.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update({**problem.pop("$defs", {}), "Problem": problem})
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Made by: orderhub tokens create"}
    }
    formats = {format_of(path): path for _, path in MATRIX}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            row = (method.upper(), formats[path])
            if (command := _COMMANDS.get(row)) is not None:
                operation["x-command"] = f"orderhub {command}"
            if row in BODIES:
                operation["requestBody"]["content"]["application/json"]["example"] = body(row, channel)
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and MATRIX[row] is not OPEN:
                    parameter["example"] = in_path(path, parameter["name"], channel)
            _complete(operation, MATRIX[row])
    return schema


def _complete(operation: dict[str, Any], rule: Rule | None) -> None:
    if rule is OPEN:
        operation["responses"].pop("422", None)
        return
    operation["security"] = [{"token": []}]
    operation["x-roles"] = sorted(rule.roles)
    operation["x-reach"] = rule.reach.value
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, words in REFUSALS.items():
        operation["responses"][status] = {"description": words, "content": content}


def format_of(path: str) -> str:
    """The path as OpenAPI writes it: without what a parameter may be."""
    return path.replace(":path}", "}")
