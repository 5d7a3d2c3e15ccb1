"""What requests and answers look like, for the API's documentation: of one force, in the order of a day."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_BATCH = "0b6b3c3e-54a1-4c3b-9d0e-4f1f3d3c6f10"
_RECEIPT: dict[str, Any] = {
    "batch": _BATCH,
    "kind": "referrals",
    "force": "46",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "file_name": "offers-20.csv",
    "received_at": "2026-11-20T06:00:00Z",
    "settled_at": "2026-11-20T06:00:04Z",
    "rows": 300,
    "new": 297,
    "unchanged": 0,
    "changed": 1,
    "rejected": 2,
    "quarantined": 0,
    "warnings": 14,
}
_NOTHING_YET = dict.fromkeys(("rows", "new", "unchanged", "changed", "rejected", "quarantined", "warnings"), 0)
_REFERRAL: dict[str, Any] = {
    "force_code": "46",
    "reference": "46KD00000126",
    "course_code": "NSAC",
    "status": "LIVE",
    "status_at": "2026-11-20T06:00:04Z",
    "forenames": "Paul Tomasz",
    "surname": "Ó'Brien",
    "offence_code": "SP30",
    "offence_at": "2026-11-03T18:34:00Z",
    "offer_date": "2026-11-20",
    "book_by": "2026-12-18",
    "complete_by": "2027-03-03",
    "received_at": "2026-11-20T06:00:00Z",
    "bookable_at": "2026-11-20T06:00:04Z",
}
_ROW: dict[str, Any] = {
    "row": 17,
    "state": "rejected",
    "reference": "46KD00000142",
    "errors": [
        {
            "row": 17,
            "column": "date_of_birth",
            "code": "invalid_date",
            "message": "This is no date. Write it as YYYY-MM-DD or DD/MM/YYYY.",
            "value": "31/02/1980",
        }
    ],
    "warnings": [],
    "changes": {},
    "decision": "",
}
_OUTCOME: dict[str, Any] = {
    "sequence": 1204,
    "force_code": "46",
    "reference": "46KD00000126",
    "outcome": "COMPLETED",
    "reason": "",
    "course_code": "NSAC",
    "attended_on": "2026-12-09",
    "provider_reference": "KCC-7Q4M-2XPD",
    "recorded_at": "2026-12-09T12:20:00Z",
}


def _answer(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


def _request(name: str, value: Any, media_type: str = "application/json") -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True, media_type=media_type)


SEND_BATCH = [
    _request("A day's offers", {"kind": "referrals", "file": "offers-20.csv"}, "multipart/form-data"),
    _answer("Taken in line", {"id": _BATCH, **_RECEIPT, **_NOTHING_YET, "settled_at": None}, 202),
    _answer("The same bytes came before", {"id": _BATCH, **_RECEIPT}),
]
BATCH = [
    _answer("Settled", _RECEIPT),
    _answer(
        "Refused as a whole",
        _RECEIPT | _NOTHING_YET | {"settled_at": None, "refused": "The file has column names but no rows."},
    ),
]
ROWS = [_answer("Rejected rows", {"next": None, "previous": None, "results": [_ROW]})]
REJECTED = [
    OpenApiExample(
        "To be mended and sent again",
        'reference,date_of_birth,errors\r\n46KD00000142,31/02/1980,"date_of_birth: This is no date."\r\n',
        response_only=True,
        media_type="text/csv",
    )
]
REFERRAL = [_answer("A live offer", _REFERRAL)]
WITHDRAW = [
    _request("Fixed penalty paid", {"reason": "FIXED_PENALTY_PAID", "effective_at": "2026-11-24T09:30:00Z"}),
    _answer("Withdrawn", _REFERRAL | {"status": "WITHDRAWN", "status_at": "2026-11-24T09:31:12Z"}),
]
EXTEND = [
    _request("A month later", {"complete_by": "2027-04-03", "evidence": "Sgt 4471, letter of 24 November 2026"}),
    _answer("Extended", _REFERRAL | {"book_by": "2027-01-18", "complete_by": "2027-04-03"}),
]
OUTCOMES = [_answer("One outcome", {"next": None, "results": [_OUTCOME]})]
ACKNOWLEDGE = [
    _request("All that came", {"up_to": 1204}),
    _answer("Acknowledged", {"acknowledged": 1204}),
]

PROBLEMS: dict[int, dict[str, Any]] = {
    400: {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "JSON parse error."},
    401: {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "This token is not valid."},
    403: {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "This token may not do that."},
    404: {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "We do not hold this referral."},
    405: {"type": "about:blank", "title": "Method Not Allowed", "status": 405, "detail": 'Method "PUT" not allowed.'},
    406: {"type": "about:blank", "title": "Not Acceptable", "status": 406},
    409: {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "This cannot be done: the referral is now “completed”.",
    },
    413: {
        "type": "about:blank",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "The file is larger than 50 MB. Send it in parts.",
    },
    415: {
        "type": "about:blank",
        "title": "Unsupported Media Type",
        "status": 415,
        "detail": 'Unsupported media type "text/plain" in request.',
    },
    422: {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Some values are missing or wrong.",
        "errors": {"reason": ["This field is required."]},
    },
    429: {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Request was throttled. Expected available in 12 seconds.",
    },
    500: {"type": "about:blank", "title": "Internal Server Error", "status": 500},
}
