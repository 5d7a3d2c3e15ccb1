"""Compares an answer with the types the installed ``stripe`` library declares for it."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._stripe_object import StripeObject, UntypedStripeObject

CLASSES: dict[str, type] = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
    "payout": stripe.Payout,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "balance": stripe.Balance,
    "item": stripe.LineItem,
    "payment_method": stripe.PaymentMethod,
}
# Fields the library lists as always there and Stripe leaves out for a plain card payment.
LEFT_OUT = {"payment_method.card": {"issuer", "iin", "description"}}


def faults(value: dict[str, Any], *, at: str = "") -> list[str]:
    """What is wrong with an answer: fields unknown, fields missing, values of another type."""
    name = value["object"]
    return list(_object(value, CLASSES[name], at or name))


def _object(value: dict[str, Any], cls: type, at: str) -> Iterator[str]:
    declared = {name: kind for name, kind in cls.__annotations__.items() if name not in {"_inner_class_types"}}
    for name in value.keys() - declared.keys():
        yield f"{at}.{name} is unknown to the library"
    for name, annotation in declared.items():
        if name == "OBJECT_NAME":
            continue
        kind = _resolve(annotation, cls)
        if name not in value:
            if not _is_optional(kind) and name not in LEFT_OUT.get(at, set()):
                yield f"{at}.{name} is missing"
        else:
            yield from _value(value[name], kind, cls, f"{at}.{name}")


def _resolve(annotation: Any, cls: type) -> Any:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if not isinstance(text, str):
        return annotation
    scope = {**vars(stripe), **vars(sys.modules[cls.__module__]), **vars(typing)}
    try:
        return eval(text, scope)
    except NameError:
        return Any


def _is_optional(kind: Any) -> bool:
    return kind is Any or (_is_union(kind) and type(None) in get_args(kind))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, types.UnionType}


def _value(value: Any, kind: Any, cls: type, at: str) -> Iterator[str]:
    arms = get_args(kind) if _is_union(kind) else (kind,)
    found: list[str] = []
    for arm in arms:
        if arm is type(None) and value is not None:
            continue
        problems = list(_arm(value, _resolve(arm, cls), cls, at))
        if not problems:
            closed = [one for one in arms if get_origin(one) is Literal]
            if isinstance(value, str) and arm is str and closed and value not in get_args(closed[0]):
                # ``Literal[...] | str``: open to later values, but this version knows only these.
                found = [f"{at}: {value!r} is none of {get_args(closed[0])}"]
                break
            return
        found += problems
    yield from found[:3]


def _arm(value: Any, kind: Any, cls: type, at: str) -> Iterator[str]:
    origin = get_origin(kind)
    if kind is Any:
        return
    if origin is Literal:
        if value not in get_args(kind):
            yield f"{at}: {value!r} is none of {get_args(kind)}"
    elif _is_union(kind):
        yield from _value(value, kind, cls, at)
    elif origin is list:
        if isinstance(value, list):
            for position, item in enumerate(value):
                yield from _value(item, get_args(kind)[0], cls, f"{at}[{position}]")
        else:
            yield f"{at}: {value!r} is no list"
    elif isinstance(origin or kind, type):
        yield from _plain(value, origin or kind, at)


def _plain(value: Any, kind: type, at: str) -> Iterator[str]:
    if kind is type(None):
        if value is not None:
            yield f"{at}: {value!r} is not null"
    elif issubclass(kind, stripe.ListObject) or kind is UntypedStripeObject:
        if not isinstance(value, dict):
            yield f"{at}: {value!r} is no object"
    elif issubclass(kind, StripeObject):
        if isinstance(value, dict):
            yield from _object(value, kind, at)
        else:
            yield f"{at}: {value!r} is no object"
    elif kind is Decimal:
        if not isinstance(value, str):
            yield f"{at}: {value!r} is no decimal in text"
    elif type(value) is not kind and not (kind is float and type(value) is int):
        yield f"{at}: {value!r} is no {kind.__name__}"
