"""Checks each request against the installed ``stripe`` library's own typed parameters.

A name the library does not know is refused as Stripe refuses it (``parameter_unknown``), and so are a wrong number,
a missing required value and a value outside an enumeration. The tree comes from ``stripe.params``, so that it follows
the locked version of the library. Only this module imports ``stripe``, and only when it is first asked.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
import typing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

from .errors import ApiError

_INTEGER = re.compile(r"-?\d{1,18}\Z")
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_WRAPPERS = {typing.NotRequired, typing.Required}

_PLAIN = {bool: "boolean", int: "integer", float: "decimal", Decimal: "decimal", str: "text", Any: "text"}

Form = dict[str, Any]


@dataclass(slots=True)
class Spec:
    """What one parameter may hold: any of the ways that are set."""

    integer: bool = False
    boolean: bool = False
    text: bool = False
    decimal: bool = False
    mapping: bool = False
    choices: list[str] = field(default_factory=list)
    item: Spec | None = None
    record: type | None = None


def api_version() -> str:
    """The API version the installed library speaks."""
    return str(importlib.import_module("stripe._api_version")._ApiVersion.CURRENT)


@cache
def params_class(path: str) -> type:
    """The typed dictionary named ``path`` under ``stripe.params``, such as ``checkout.SessionCreateParams``."""
    package, _, name = path.rpartition(".")
    module = importlib.import_module(f"stripe.params.{package}" if package else "stripe.params")
    return typing.cast(type, getattr(module, name))


@cache
def fields_of(record: type) -> tuple[dict[str, Spec], frozenset[str]]:
    """The parameters of one typed dictionary and which of them are required."""
    options = importlib.import_module("stripe._request_options").RequestOptions.__annotations__
    scope = vars(sys.modules[record.__module__])
    specs: dict[str, Spec] = {}
    required: set[str] = set()
    for name, annotation in record.__annotations__.items():
        if name in options:
            continue
        inner, is_required = _unwrap(annotation, scope)
        specs[name] = _spec(inner, scope)
        if is_required:
            required.add(name)
    return specs, frozenset(required)


def _unwrap(annotation: Any, scope: dict[str, Any]) -> tuple[Any, bool]:
    """Takes ``NotRequired`` off; what bears neither mark is required."""
    annotation = _resolve(annotation, scope)
    if get_origin(annotation) in _WRAPPERS:
        is_required = get_origin(annotation) is typing.Required
        return _resolve(get_args(annotation)[0], scope), is_required
    return annotation, True


def _resolve(annotation: Any, scope: dict[str, Any]) -> Any:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        # The text comes from the installed library's source, never from a request.
        return eval(annotation, dict(scope))
    return annotation


def _spec(annotation: Any, scope: dict[str, Any]) -> Spec:
    spec = Spec()
    _read(annotation, scope, spec)
    if spec.choices:
        # The library writes enumerations as ``Literal[...] | str`` so that old clients bear new values of answers;
        # a request must still name a value of this version.
        spec.text = False
    return spec


def _read(annotation: Any, scope: dict[str, Any], into: Spec) -> None:
    """Adds one annotation's ways to ``into``; unions add all of theirs."""
    annotation = _resolve(annotation, scope)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            _read(arm, scope, into)
    elif origin is Literal:
        into.choices += [str(value) for value in get_args(annotation)]
    elif origin is list:
        into.item = _spec(get_args(annotation)[0], scope)
    elif origin is dict:
        into.mapping = True
    elif annotation in _PLAIN:
        setattr(into, _PLAIN[annotation], True)
    elif isinstance(annotation, type) and hasattr(annotation, "__required_keys__"):
        into.record = annotation


def decode_form(body: str) -> Form:
    """Stripe's form encoding (``a[b][0][c]=v``) as nested dictionaries; lists keep their indexes as keys."""
    tree: Form = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise ApiError(f"Invalid parameter name: {name}", param=name, before_execution=True)
        keys = [match.group(1), *re.findall(r"\[([^\[\]]*)\]", match.group(2))]
        node = tree
        for position, raw in enumerate(keys):
            key = raw if raw or position == 0 else str(len(node))
            if position == len(keys) - 1:
                node[key] = value
            else:
                child = node.setdefault(key, {})
                if not isinstance(child, dict):
                    raise ApiError("Invalid object", param=name, before_execution=True)
                node = child
    return tree


def check(form: Form, *, against: str) -> Form:
    """The parameters with their types, or the refusal Stripe would send."""
    record = params_class(against)
    unknown = sorted(_unknown(form, record, ""))
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise ApiError(
            f"Received unknown parameter{plural}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
            before_execution=True,
        )
    return _record(form, record, "")


def _join(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _unknown(form: Form, record: type, prefix: str) -> list[str]:
    """Every name in the tree that the library does not have."""
    specs, _ = fields_of(record)
    found: list[str] = []
    for name, value in form.items():
        full = _join(prefix, name)
        if name not in specs:
            found.append(full)
            continue
        spec = specs[name]
        if not isinstance(value, dict):
            continue
        if spec.record is not None and not (spec.item and all(key.isdigit() for key in value)):
            found += _unknown(value, spec.record, full)
        elif spec.item and spec.item.record is not None:
            for index, item in value.items():
                if isinstance(item, dict):
                    found += _unknown(item, spec.item.record, _join(full, index))
    return found


def _record(form: Form, record: type, prefix: str) -> Form:
    specs, required = fields_of(record)
    for name in sorted(required - form.keys()):
        full = _join(prefix, name)
        raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full, before_execution=True)
    return {name: _value(value, specs[name], _join(prefix, name)) for name, value in form.items()}


def _value(value: Any, spec: Spec, name: str) -> Any:
    if isinstance(value, dict):
        if spec.item is not None:
            keys = list(value)
            if not all(key.isdigit() for key in keys):
                raise ApiError("Invalid array", param=name, before_execution=True)
            ordered = sorted(keys, key=int)
            return [_value(value[key], spec.item, _join(name, key)) for key in ordered]
        if spec.record is not None:
            return _record(value, spec.record, name)
        if spec.mapping:
            for key, entry in value.items():
                if not isinstance(entry, str):
                    raise ApiError(f"Invalid string: {entry}", param=_join(name, key), before_execution=True)
            return dict(value)
        raise ApiError(f"Invalid {_word(spec)}: {value}", param=name, before_execution=True)
    return _scalar(str(value), spec, name)


def _scalar(value: str, spec: Spec, name: str) -> Any:
    if value in spec.choices:
        return value
    if spec.boolean and value in ("true", "false"):
        return value == "true"
    if spec.integer and _INTEGER.match(value):
        return int(value)
    if value == "":
        raise ApiError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value.",
            code="parameter_invalid_empty",
            param=name,
            before_execution=True,
        )
    if spec.text:
        return value
    if spec.decimal and re.match(r"-?\d+(\.\d+)?\Z", value):
        return value
    raise _refusal(value, spec, name)


def _refusal(value: str, spec: Spec, name: str) -> ApiError:
    choices = [choice for choice in spec.choices if choice]
    if choices and not spec.integer:
        listed = choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])}, or {choices[-1]}"
        return ApiError(f"Invalid {name}: must be one of {listed}", param=name, before_execution=True)
    code = "parameter_invalid_integer" if spec.integer else None
    return ApiError(f"Invalid {_word(spec)}: {value}", code=code, param=name, before_execution=True)


def _word(spec: Spec) -> str:
    if spec.item is not None:
        return "array"
    if spec.record is not None or spec.mapping:
        return "object"
    if spec.integer:
        return "integer"
    if spec.boolean:
        return "boolean"
    return "decimal" if spec.decimal else "string"
