"""Workers stand back where the web needs the processors."""

import os

import pytest

from ndors_portal import celery


def test_a_worker_leaves_processors_to_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    stood_back: list[int] = []
    monkeypatch.setattr(os, "nice", stood_back.append)
    celery.stand_back()
    assert stood_back == [celery.WORKERS_NICE]
    assert celery.stand_back in [receiver() for _, receiver in celery.worker_init.receivers if callable(receiver)]
