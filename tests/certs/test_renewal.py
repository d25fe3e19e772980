"""A certificate is obtained, renewed and revoked against Pebble; whatever goes wrong, the old one stays in use."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.certs.conftest import Pebble
from tests.loopback import PATIENCE, free_port, listening, wait_for

from stopper.certs import challenge, lock
from stopper.certs.authority import Authority
from stopper.certs.renewal import Way, due, obtain, renew
from stopper.certs.store import Store
from stopper.errors import CertificateError

NAMES = ("blog.stopper.test", "www.blog.stopper.test")


def authority(pebble: Pebble, store: Store) -> Authority:
    return Authority(pebble.server, store, ca=pebble.ca, seconds=30)


def way(pebble: Pebble, **words: Any) -> Way:
    return Way(challenge.Standalone(pebble.http_port, "127.0.0.1"), **words)


def obtained(pebble: Pebble, store: Store, **words: Any) -> Any:
    return obtain(store, authority(pebble, store), NAMES, way(pebble, **words))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state")


def serial(store: Store) -> int:
    one = store.load(NAMES[0])
    assert one is not None
    return one.serial


def test_a_certificate_for_two_names_is_kept_with_its_key_and_nobody_else_reads_the_key(
    pebble: Pebble, store: Store
) -> None:
    outcome = obtained(pebble, store)

    one = outcome.certificate
    assert outcome.renewed
    assert set(one.names) == set(NAMES)
    assert one.key.stat().st_mode & 0o777 == 0o600
    assert one.folder == store.folder / "live" / NAMES[0]
    assert (store.folder / "certs" / NAMES[0]).stat().st_mode & 0o077 == 0
    ssl.create_default_context().load_cert_chain(one.chain, one.key)


def test_gunicorn_serves_it_and_a_client_verifies_it_before_and_after_a_renewal(
    pebble: Pebble, store: Store, tmp_path: Path
) -> None:
    port = free_port()
    hook = f"kill -HUP $(cat {tmp_path}/pid)"
    one = obtained(pebble, store).certificate
    (tmp_path / "app.py").write_text(
        "def app(environ, start):\n    start('200 OK', [('Content-Length', '2')])\n    return [b'hi']\n"
    )
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-b",
        f"127.0.0.1:{port}",
        "--certfile",
        str(one.chain),
        "--keyfile",
        str(one.key),
    ]
    server = subprocess.Popen(
        [*command, "--pid", str(tmp_path / "pid"), "app:app"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        (tmp_path / "root.pem").write_bytes(pebble.root())
        assert wait_for(lambda: listening(port))
        first = served(port, tmp_path / "root.pem")
        outcome = renew(store, authority(pebble, store), NAMES[0], way(pebble, hook=hook), force=True)

        assert outcome.told == ""
        assert wait_for(lambda: served(port, tmp_path / "root.pem") == outcome.certificate.serial != first)
    finally:
        server.terminate()
        server.wait(10)


def served(port: int, root: Path) -> int:
    """Return the serial of the certificate that a verifying client is shown; 0 where the server hangs up."""
    context = ssl.create_default_context(cafile=str(root))
    try:
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=NAMES[0]) as secure,
        ):
            return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"").serial_number
    except (ConnectionError, ssl.SSLEOFError):
        return 0


def test_what_is_not_due_is_left_alone_and_what_is_due_is_renewed(
    pebble: Pebble, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = obtained(pebble, store).certificate

    assert not renew(store, authority(pebble, store), NAMES[0], way(pebble)).renewed
    monkeypatch.setattr("stopper.certs.renewal.now", lambda: due(first) + timedelta(minutes=1))
    assert renew(store, authority(pebble, store), NAMES[0], way(pebble)).renewed
    assert serial(store) != first.serial


def test_the_servers_own_suggestion_goes_before_two_thirds(
    pebble: Pebble, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtained(pebble, store)
    monkeypatch.setattr(Authority, "suggested", lambda *_: datetime.now(UTC) - timedelta(seconds=1))

    assert renew(store, authority(pebble, store), NAMES[0], way(pebble)).renewed


def test_another_replica_answers_the_challenge_through_redis(
    pebble: Pebble, store: Store, redis_url: str
) -> None:
    place, replica = challenge.Redis(redis_url), challenge.Redis(redis_url)
    listener = challenge.Standalone(pebble.http_port, "127.0.0.1")
    listener._answers = Answers(replica)  # type: ignore[assignment]
    with listener.listening():
        outcome = obtain(store, authority(pebble, store), NAMES, Way(place))

    assert outcome.renewed
    assert replica.client.keys("stopper:acme:*") == []


class Answers(dict[str, str]):
    """What the replica's view does: ask Redis."""

    def __init__(self, replica: challenge.Redis) -> None:
        super().__init__()
        self.replica = replica

    def get(self, token: str, default: Any = None) -> Any:
        return self.replica.get(token) or default


def test_the_answer_may_lie_in_a_folder_that_a_web_server_serves(
    pebble: Pebble, store: Store, tmp_path: Path
) -> None:
    root = tmp_path / "www"
    root.mkdir()
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(pebble.http_port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(root),
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        assert wait_for(lambda: listening(pebble.http_port))
        assert obtain(store, authority(pebble, store), NAMES, Way(challenge.webroot(root))).renewed
    finally:
        server.terminate()
        server.wait(10)

    assert list((root / ".well-known" / "acme-challenge").iterdir()) == []


def _renewing(server: str, ca: Path, folder: Path, port: int, redis_url: str, results: Any) -> None:
    store = Store(folder)
    guard = lock.in_redis(challenge.Redis(redis_url).client, NAMES[0])
    one = Way(challenge.Standalone(port, "127.0.0.1"), guard=guard)
    import stopper.certs.renewal as module

    module.now = lambda: datetime.now(UTC) + timedelta(days=365 * 4)  # type: ignore[assignment]
    results.put(renew(store, Authority(server, store, ca=ca, seconds=30), NAMES[0], one).renewed)


def test_of_two_replicas_that_renew_at_once_one_makes_an_order(
    pebble: Pebble, store: Store, redis_url: str
) -> None:
    obtained(pebble, store)
    orders = (pebble.folder / "pebble.log").read_text().count("Issued certificate")
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    words = (pebble.server, pebble.ca, store.folder, pebble.http_port, redis_url, results)
    both = [context.Process(target=_renewing, args=words) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)

    assert sorted(results.get(timeout=5) for _ in both) == [False, True]
    assert (pebble.folder / "pebble.log").read_text().count("Issued certificate") == orders + 1


def test_refused_nonces_are_not_the_users_problem(moody: Pebble, store: Store) -> None:
    for _ in range(3):
        assert obtain(store, authority(moody, store), NAMES, way(moody)).renewed


def test_a_failed_validation_says_what_to_look_at_and_leaves_the_old_one(
    pebble: Pebble, store: Store
) -> None:
    before = obtained(pebble, store).certificate.serial

    with pytest.raises(CertificateError, match="port 80"):
        renew(
            store,
            authority(pebble, store),
            NAMES[0],
            Way(challenge.Folder(store.folder / "nobody-serves-this")),
            force=True,
        )
    assert serial(store) == before


def test_a_certificate_is_revoked_once(pebble: Pebble, store: Store) -> None:
    chain = obtained(pebble, store).certificate.chain.read_bytes()
    asked = authority(pebble, store)
    asked.revoke(chain)

    with pytest.raises(CertificateError, match="revoked before"):
        asked.revoke(chain)


def test_a_server_that_has_forgotten_the_account_is_given_a_new_one(pebble: Pebble, store: Store) -> None:
    before = obtained(pebble, store).certificate.serial
    pebble.restart()

    assert (
        renew(store, authority(pebble, store), NAMES[0], way(pebble), force=True).certificate.serial != before
    )


def test_a_key_whose_account_was_forgotten_here_finds_it_again(pebble: Pebble, store: Store) -> None:
    obtained(pebble, store)
    kept = store.account(pebble.server)
    assert kept is not None
    store.save_account(pebble.server, {"key": kept["key"], "uri": ""})

    assert obtained(pebble, store).renewed
    again = store.account(pebble.server)
    assert again is not None
    assert again["uri"] == kept["uri"]


def test_a_full_disk_leaves_the_old_one_in_use_and_says_so(
    pebble: Pebble, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = obtained(pebble, store).certificate.serial

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stopper.certs.store.write", full)
    with pytest.raises(CertificateError, match=r"No space left on device.*old one stays in use"):
        renew(store, authority(pebble, store), NAMES[0], way(pebble), force=True)
    assert serial(store) == before
    assert not [one for one in (store.folder / "certs" / NAMES[0]).iterdir() if one.name.endswith(".part")]


KILLED = """
import os, sys
from pathlib import Path
import stopper.certs.store as module
from stopper.certs.authority import Authority
from stopper.certs.challenge import Standalone
from stopper.certs.renewal import Way, renew
folder, server, ca, port, when = sys.argv[1:]
inner = getattr(module, when)
def die(*words, **more):
    if when == "write" and "meta" not in str(words[0]):
        return inner(*words, **more)
    os.kill(os.getpid(), 9)
setattr(module, when, die)
if when == "_flush":
    module.Store._point = die
store = module.Store(Path(folder))
renew(store, Authority(server, store, ca=Path(ca)), "blog.stopper.test", Way(Standalone(int(port), "127.0.0.1")), force=True)
"""


@pytest.mark.parametrize("when", ["write", "_flush"])
def test_a_process_killed_between_order_and_write_leaves_the_old_one_and_the_next_try_works(
    pebble: Pebble, store: Store, when: str
) -> None:
    before = obtained(pebble, store).certificate.serial
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(store.folder),
        pebble.server,
        str(pebble.ca),
        str(pebble.http_port),
        when,
    ]
    run = subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert run.returncode == -signal.SIGKILL
    assert serial(store) == before
    assert (
        renew(store, authority(pebble, store), NAMES[0], way(pebble), force=True).certificate.serial != before
    )


def test_old_versions_are_kept_but_not_for_ever(pebble: Pebble, store: Store) -> None:
    obtained(pebble, store)
    base = store.folder / "certs" / NAMES[0]
    newest = next(base.iterdir())
    for number in range(2, 9):
        shutil.copytree(newest, base / f"{number:06d}")
    renew(store, authority(pebble, store), NAMES[0], way(pebble), force=True)

    assert sorted(one.name for one in base.iterdir()) == ["000005", "000006", "000007", "000008", "000009"]


def test_a_hook_that_fails_is_told_and_the_certificate_is_there(pebble: Pebble, store: Store) -> None:
    outcome = obtained(pebble, store, hook="echo cannot reload >&2; exit 3")

    assert re.search(r"ended with 3: cannot reload", outcome.told)
    assert serial(store) == outcome.certificate.serial


def test_a_hook_knows_the_files(pebble: Pebble, store: Store, tmp_path: Path) -> None:
    obtained(pebble, store, hook=f'echo "$STOPPER_CERT_NAME $STOPPER_CERT_CHAIN" > {tmp_path}/said')

    assert (
        tmp_path / "said"
    ).read_text().strip() == f"{NAMES[0]} {store.folder / 'live' / NAMES[0] / 'fullchain.pem'}"


def test_a_port_that_is_taken_is_named(store: Store, pebble: Pebble) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", pebble.http_port))
        taken.listen()
        with pytest.raises(CertificateError, match=f"port {pebble.http_port} cannot be listened at"):
            obtained(pebble, store)


def test_a_server_that_cannot_be_reached_is_named(store: Store, tmp_path: Path) -> None:
    lost = Authority("https://localhost:9/dir", store)

    with pytest.raises(CertificateError, match="cannot be reached"):
        obtain(store, lost, NAMES, Way(challenge.Folder(tmp_path)))


def test_a_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    code = f"from stopper.certs import lock\nfrom pathlib import Path\nimport os\nwith lock.in_folder(Path({str(tmp_path)!r})):\n    os._exit(1)\n"
    subprocess.run([sys.executable, "-c", code], check=False)
    with lock.in_folder(tmp_path, wait=1):
        pass


def test_a_lock_that_is_held_is_waited_for_and_then_told(tmp_path: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock.in_folder(tmp_path):
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    with pytest.raises(CertificateError, match="another process"), lock.in_folder(tmp_path, wait=0.5):
        pass
    done.set()
    thread.join()


def test_the_command_line_obtains_lists_renews_and_revokes(pebble: Pebble, tmp_path: Path) -> None:
    stopper = str(Path(sys.executable).with_name("stopper"))
    folder = ["--folder", str(tmp_path / "state")]
    whom = ["--server", pebble.server, "--ca", str(pebble.ca), *folder]

    def run(*words: str) -> str:
        done = subprocess.run(
            [stopper, "cert", *words], capture_output=True, text=True, timeout=90, check=False, env=os.environ
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "until" in run("obtain", *NAMES, "--port", str(pebble.http_port), *whom)
    assert "days left" in run("status", *folder)
    assert "nothing to do" in run("renew", "--port", str(pebble.http_port), "--ca", str(pebble.ca), *folder)
    assert "is revoked" in run("revoke", NAMES[0], *whom)
