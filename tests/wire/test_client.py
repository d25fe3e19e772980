"""The client keeps its budget, its host and its manners, whatever a server does."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from stopper.errors import UsageError
from stopper.wire.client import BODY_BYTES, Budget, Client, Origin
from stopper.wire.exchange import Exchange
from stopper.wire.survey import Plan, _logins, survey

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def asked(url: str, path: str = "/", *, budget: Budget | None = None, **words: Any) -> Exchange:
    async def ask() -> Exchange:
        async with Client(Origin.of(url), budget or Budget()) as client:
            return await client.ask("page", path, **words)

    return asyncio.run(ask())


def drip(handler: Any, text: bytes, pause: float = 0.05) -> None:
    for letter in itertools.chain(text, itertools.repeat(97)):
        handler.wfile.write(bytes([letter]))
        time.sleep(pause)


def endless(handler: Any, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        handler.wfile.write(b"a" * 65_536)


def hidden_bomb(handler: Any, _: bytes) -> None:
    body = gzip.compress(b"\0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    handler.wfile.write(head.encode() + body)


def test_an_answer_comes_back_as_it_was_sent(serve: Callable[..., Any]) -> None:
    site = serve(
        lambda handler, _: handler.wfile.write(
            OK.replace(b"\r\nContent-Type", b"\r\nX-A: 1\r\nx-a: 2\r\nContent-Type")
        )
    )
    answer = asked(site.url)

    assert (answer.status, answer.body, answer.is_html) == (200, "hi", True)
    assert answer.all("X-A") == ["1", "2"]
    assert b"User-Agent: Stopper/" in site.heads[0].replace(b"user-agent", b"User-Agent")


@pytest.mark.parametrize(
    "script",
    [
        lambda handler, _: drip(handler, b"HTTP/1.1 200 OK\r\nX-A: "),
        lambda handler, _: drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"),
        lambda *_: time.sleep(20),
    ],
    ids=["drips its headers", "drips its body", "says nothing"],
)
def test_a_slow_server_is_left_after_the_time_of_one_request(serve: Callable[..., Any], script: Any) -> None:
    began = time.monotonic()
    answer = asked(serve(script).url, budget=Budget(each=1.0))

    assert time.monotonic() - began < 15
    assert "within 1 seconds" in answer.error


def test_an_endless_body_is_cut(serve: Callable[..., Any]) -> None:
    answer = asked(serve(endless).url)

    assert answer.cut
    assert len(answer.body) == BODY_BYTES


def test_what_is_packed_is_not_unpacked(serve: Callable[..., Any]) -> None:
    assert len(asked(serve(hidden_bomb).url).body) < BODY_BYTES


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"HTTP/9.9 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 400_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=no-such\r\nContent-Length: 1\r\n\r\n\xff",
    ],
)
def test_a_malformed_answer_is_an_exchange_and_no_crash(serve: Callable[..., Any], raw: bytes) -> None:
    answer = asked(serve(lambda handler, _: handler.wfile.write(raw)).url)

    assert answer.error or answer.status == 200


def test_no_request_leaves_the_host(serve: Callable[..., Any]) -> None:
    other = serve(lambda handler, _: handler.wfile.write(OK))
    site = serve(
        lambda handler, _: handler.wfile.write(
            f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<a href='{other.url}'>x</a>".encode()
        )
    )

    result = survey(Plan(site.url, budget=Budget(requests=40, seconds=10)))

    assert result.pages
    assert other.heads == []


def test_the_budget_of_requests_is_never_exceeded(serve: Callable[..., Any]) -> None:
    counter = itertools.count()
    links = lambda: "".join(f"<a href='/{next(counter)}'>x</a>" for _ in range(30)).encode()  # noqa: E731
    site = serve(
        lambda handler, _: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + links()
        )
    )

    result = survey(Plan(site.url, budget=Budget(requests=9, seconds=10)))

    assert len(site.heads) == result.requests == 9
    assert any("budget" in one.error for one in result.unanswered)


def test_pages_of_another_kind_are_read_before_the_same_list_in_another_order(
    serve: Callable[..., Any],
) -> None:
    lists = [f"/posts?sort={number}" for number in range(20)]
    posts = [f"/post/{number}" for number in range(20)]
    links = "".join(f"<a href='{one}'>x</a>" for one in (*lists, *posts, "/login", "/about")).encode()
    site = serve(
        lambda handler, _: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + links
        )
    )

    result = survey(Plan(site.url, pages=7))

    paths = [one.url.removeprefix(site.url) for one in result.of("page")]
    assert paths == ["", "posts?sort=0", "post/0", "login", "about", "post/1", "post/2"]


def test_the_budget_of_seconds_is_kept(serve: Callable[..., Any]) -> None:
    began = time.monotonic()
    survey(Plan(serve(lambda *_: time.sleep(20)).url, budget=Budget(requests=40, seconds=2.0, each=1.0)))

    assert time.monotonic() - began < 15


def test_only_safe_methods_are_sent_unless_the_look_is_active(serve: Callable[..., Any]) -> None:
    page = b"<form method=post action=/login><input name=user><input type=password name=p></form>"
    site = serve(
        lambda handler, _: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page
        )
    )
    survey(Plan(site.url))

    assert {re.match(rb"(\w+)", head)[1] for head in site.heads} <= {b"GET", b"HEAD", b"OPTIONS", b"TRACE"}  # type: ignore[index]
    assert asked(site.url, method="POST").error == "not asked: only --active sends it"


@pytest.mark.parametrize(
    "url", ["blog.example.org", "ftp://a.example/", "https://", "https://[::1", "https://a.example:99999/"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError, match=r"URL|--url"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("https://a.example/x", True),
        ("http://a.example/x", True),
        ("https://A.EXAMPLE/", True),
        ("https://a.example:8443/", False),
        ("https://a.example.evil.example/", False),
        ("https://a.example@evil.example/", False),
        ("javascript:alert(1)", False),
        ("https://[bad", False),
    ],
)
def test_the_host_is_compared_as_a_browser_would(url: str, held: bool) -> None:
    assert Origin.of("https://a.example/").holds(url) is held


def test_a_wrong_login_sends_the_names_of_fields_whole() -> None:
    form = "<form method=post><input name='user&amp;x=1'><input type=password name='pass word'></form>"
    page = Exchange("page", "GET", "http://a.example/login", (), 200, (("content-type", "text/html"),), form)
    sent: list[bytes] = []

    class Refusing:
        async def ask(self, purpose: str, path: str, **words: Any) -> Exchange:
            sent.append(words["body"])
            return Exchange(purpose, "POST", path, (), 429, (), "")

    asyncio.run(_logins(Refusing(), [page]))  # type: ignore[arg-type]

    assert [name for name, _ in parse_qsl(sent[0].decode())] == ["user&x=1", "pass word"]
