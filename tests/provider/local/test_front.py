"""The front: requests reach the present release, and none is lost when it changes."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from idp.provider.base import Observed
from tests.provider.contract import NAME, Story
from tests.provider.local.world import LocalWorld, workload
from tests.provider.waiting import until


def shown(version: str, **more: str) -> dict[str, str]:
    return {"VERSION": version, **more}


def begin(story: Story, world: LocalWorld) -> Observed:
    """Run version 1."""
    world.provider.apply(story.release(settings=shown("1")), 1)
    return world.until(NAME, "ready")


@dataclass
class Load:
    """Clients with kept connections that ask until told to end."""

    url: str
    over: threading.Event = field(default_factory=threading.Event)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self.over.is_set():
                try:
                    reply = client.request(
                        method, path, content=b"x" * 1000 if method == "POST" else b""
                    )
                    text = reply.text.split()[0]
                    if reply.status_code != 200 or len(set(text)) != 1:
                        self.wrong.append(f"{method} {path}: {reply.status_code} {reply.text}")
                    self.answers[text[0]] += 1
                except httpx.HTTPError as error:
                    self.wrong.append(f"{method} {path}: {error!r}")

    def has(self, version: str) -> bool:
        return self.answers[version] > 20


@contextmanager
def load(url: str) -> Iterator[Load]:
    made = Load(url)
    asked = [("GET", "/"), ("GET", "/"), ("GET", "/slow"), ("POST", "/")]
    threads = [threading.Thread(target=made.ask, args=one) for one in asked]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.over.set()
        for thread in threads:
            thread.join()


def test_blue_green_sends_no_request_to_the_new_release_before_the_switch(
    story: Story, world: LocalWorld
) -> None:
    url = begin(story, world).url
    new = story.release(settings=shown("2"), strategy="blue-green", previous="r001")
    world.provider.apply(new, 2)
    beside = beside_ready(world)
    assert (beside.release, httpx.get(beside.url).text) == ("r002", "2")
    seen = world.until(NAME, "ready")
    assert (seen.release, seen.next, httpx.get(url).text) == ("r001", "r002", "1")
    world.provider.switch(NAME, "r002", 2)
    assert httpx.get(url).text == "2"
    seen = world.until(NAME, "ready")
    assert (seen.release, seen.next, seen.previous) == ("r002", "r001", "r001")
    world.provider.retire(NAME, "r001", 2)
    assert world.until(NAME, "ready").next == ""
    assert world.provider.beside(NAME) is None
    until(lambda: len(running(world)) == 1, "the old release has not ended")


def beside_ready(world: LocalWorld) -> Observed:
    """Wait until the release beside the present one is ready."""
    until(lambda: (b := world.provider.beside(NAME)) and b.state == "ready", "beside")
    found = world.provider.beside(NAME)
    assert found
    return found


def running(world: LocalWorld) -> list[psutil.Process]:
    return [one for one in world.processes(NAME) if "service.py" in one.cmdline()]


def test_blue_green_loses_no_request_under_load(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    with load(url) as clients:
        until(lambda: clients.has("1"), "no answers")
        for turn in ("2", "3"):
            old = story.made[-1].id
            settings = shown(turn)
            world.provider.apply(
                story.release(settings=settings, strategy="blue-green", previous=old), 2
            )
            beside_ready(world)
            world.provider.switch(NAME, story.made[-1].id, 2)
            world.provider.retire(NAME, old, 2)
            until(lambda turn=turn: clients.has(turn), f"no answers of {turn}")  # type: ignore[misc]
    assert clients.wrong == []


def test_rolling_loses_no_request_either(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    with load(url) as clients:
        until(lambda: clients.has("1"), "no answers")
        world.provider.apply(story.release(settings=shown("2"), previous="r001"), 2)
        world.until(NAME, "ready")
        assert httpx.get(url).text == "2"
        until(lambda: clients.has("2"), "no answers of the new one")
        until(lambda: len(running(world)) == 1, "the old release has not ended")
    assert clients.wrong == []


def test_switching_back_needs_no_start(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    world.provider.apply(story.release(settings=shown("2"), strategy="blue-green"), 2)
    beside_ready(world)
    world.provider.switch(NAME, "r002", 2)
    before = {one.pid for one in running(world)}
    world.provider.switch(NAME, "r001", 2)
    assert httpx.get(url).text == "1"
    assert {one.pid for one in running(world)} == before


def test_bodies_of_any_length_and_who_asks_come_through(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    long = b"y" * 3_000_000
    assert httpx.post(url, content=long).text == "1 3000000 127.0.0.1"
    assert httpx.post(url, content=iter([b"a" * 70_000, b"b"])).text == "1 70001 127.0.0.1"
    assert httpx.head(url).status_code == 501  # the service's own words


def test_another_protocol_is_tunnelled(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=10) as client:
        head = b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
        for word in (b"one", b"two"):
            client.sendall(word)
            assert client.recv(4096) == word


def test_what_is_no_http_is_refused(story: Story, world: LocalWorld) -> None:
    port = httpx.URL(begin(story, world).url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 405 ")


def test_a_request_waits_for_a_release_that_is_about_to_start(
    story: Story, world: LocalWorld
) -> None:
    late = workload(f"sleep 1; {world.workload().run}")
    seen = world.provider.apply(story.release(workload=late, settings=shown("1")), 1)
    assert seen.state == "starting"
    began = time.monotonic()
    assert httpx.get(seen.url, timeout=20).text == "1"
    assert time.monotonic() - began > 0.2
