"""The cache asks Redis through one client, and does all that Django's own does."""

import threading

from django.core.cache import cache
from redis import Redis


def test_one_client_serves_every_question():
    cache.set("a", {"b": [1, "c"]}, 60)
    first = cache._cache.get_client("a")
    assert isinstance(first, Redis)
    assert cache._cache.get_client("another") is first
    assert cache._cache.get_client("a", write=True) is cache._cache.get_client("b", write=True)
    assert cache.get("a") == {"b": [1, "c"]}
    assert cache.add("a", 1, 60) is False
    assert cache.add("count", 1, 60)
    assert cache.incr("count", 2) == 3
    assert (cache.delete("a"), cache.delete("a")) == (True, False)
    assert cache.get("a", "gone") == "gone"


def test_threads_do_not_get_each_others_answers():
    wrong = []

    def work(number: int) -> None:
        for turn in range(100):
            cache.set(f"key{number}", (number, turn), 60)
            if cache.get(f"key{number}") != (number, turn):
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
