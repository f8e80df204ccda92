"""Who reaches the page, with what password, how often, and with what files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.exposure import (
    Accounts,
    Allowance,
    BadUpload,
    Gate,
    Refused,
    TooBusy,
    UploadLimits,
    check_binding,
    check_uploads,
    hash_password,
    is_loopback,
    read_accounts,
    safe_name,
    verify,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback_needs_no_password(host: str) -> None:
    check_binding(host, has_auth=False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "localhost.example.org", "127.0.0.1.nip.io", "2130706433"]
)
def test_other_addresses_need_a_password_or_force(host: str) -> None:
    with pytest.raises(Refused, match="opens the page to other machines"):
        check_binding(host, has_auth=False)
    check_binding(host, has_auth=True)
    check_binding(host, has_auth=False, forced=True)


def test_an_empty_host_is_refused_even_by_force() -> None:
    # Servers read it as "every address".
    with pytest.raises(Refused):
        check_binding(" ", has_auth=True, forced=True)


def test_ipv4_mapped_loopback_counts_as_python_says() -> None:
    assert not is_loopback("::ffff:8.8.8.8")


def test_a_password_is_kept_as_a_salted_hash() -> None:
    one, two = hash_password("correct horse"), hash_password("correct horse")
    assert one != two and "correct" not in one
    assert verify("correct horse", one) and verify("correct horse", two)
    assert not verify("Correct horse", one)


def test_pbkdf2_is_read_too() -> None:
    import base64
    import hashlib

    key = hashlib.pbkdf2_hmac("sha256", b"pw", b"salt1234", 1000, 32)
    kept = f"pbkdf2-sha256$1000${base64.b64encode(b'salt1234').decode()}${base64.b64encode(key).decode()}"
    assert verify("pw", kept) and not verify("pv", kept)


@given(st.text(max_size=60))
def test_no_text_is_taken_for_a_hash_that_lets_in(kept: str) -> None:
    assert not verify("password", kept)


@given(st.text(min_size=1, max_size=40))
def test_any_password_that_can_be_typed_works(password: str) -> None:
    # One cheap round: hash_password itself is slow on purpose.
    import base64
    import hashlib

    try:
        raw = password.encode()
    except UnicodeEncodeError:
        return
    key = hashlib.scrypt(raw, salt=b"s", n=2, r=1, p=1, dklen=16)
    kept = f"scrypt$2$1$1${base64.b64encode(b's').decode()}${base64.b64encode(key).decode()}"
    assert verify(password, kept)


def test_accounts_know_users_and_refuse_others() -> None:
    accounts = read_accounts(option="ann:pa:ss", environment={})
    assert accounts.check("ann", "pa:ss")
    assert not accounts.check("ann", "pa")
    assert not accounts.check("bob", "pa:ss")
    assert not accounts.check("", "")


def test_no_password_shows_in_the_text_of_accounts() -> None:
    accounts = read_accounts(option="ann:very-secret", environment={})
    assert "very-secret" not in repr(accounts) and "scrypt" not in repr(accounts)


def test_option_goes_before_environment_and_that_before_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"# page\ncat:{hash_password('c')}\n")
    file.chmod(0o600)
    env = {"ISKP_CHAT_AUTH": f"bob:{hash_password('b')}"}
    assert set(read_accounts(option="ann:a", environment=env, file=file).kept) == {"ann"}
    assert read_accounts(environment=env, file=file).check("bob", "b")
    assert read_accounts(environment={}, file=file).check("cat", "c")
    assert not read_accounts(environment={})


@pytest.mark.parametrize(
    "text", ["ann:readable-password\n", "no colon\n", ":scrypt$1$1$1$QQ==$QQ==\n", "# nobody\n", "ann:scrypt$1$1$1$$\n"]
)
def test_a_bad_password_file_is_told_without_showing_the_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "passwords"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(Refused) as told:
        read_accounts(environment={}, file=file)
    assert "readable-password" not in str(told.value) and "iskp passwd" in str(told.value)


def test_a_password_file_open_to_others_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"ann:{hash_password('a')}\n")
    file.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        read_accounts(environment={}, file=file)


@pytest.mark.parametrize("value", ["ann", ":pass", "ann:", ""])
def test_a_bad_option_is_told(value: str) -> None:
    with pytest.raises(Refused, match="USER:PASS"):
        read_accounts(option=value, environment={})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(gate: Gate, client: str) -> bool:
    try:
        with gate.admit(client):
            return True
    except TooBusy:
        return False


def test_a_burst_is_let_in_then_a_steady_rate() -> None:
    clock = Clock()
    gate = Gate(Allowance(per_minute=6, burst=3), clock)
    assert [ask(gate, "a") for _ in range(5)] == [True, True, True, False, False]
    assert ask(gate, "b"), "another client has an allowance of its own"
    clock.now += 10  # 6 a minute: one in ten seconds
    assert [ask(gate, "a") for _ in range(2)] == [True, False]
    clock.now += 3600
    assert [ask(gate, "a") for _ in range(4)] == [True, True, True, False], "rest is not saved up beyond the burst"


def test_the_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    gate = Gate(Allowance(per_minute=6, burst=1), clock)
    assert ask(gate, "a")
    with pytest.raises(TooBusy, match="10 s") as told, gate.admit("a"):
        pass
    assert told.value.retry_seconds == pytest.approx(10)
    clock.now += told.value.retry_seconds
    assert ask(gate, "a")


def test_one_client_cannot_hold_all_places() -> None:
    gate = Gate(Allowance(per_minute=0, pending=2, pending_in_all=3))
    with gate.admit("a"), gate.admit("a"):
        assert not ask(gate, "a")
        with gate.admit("b"):
            assert not ask(gate, "c"), "all places are taken"
        assert ask(gate, "c")
    assert ask(gate, "a"), "places come free, also after refusals"


def test_a_place_comes_free_after_an_error() -> None:
    gate = Gate(Allowance(per_minute=0, pending=1))
    with pytest.raises(ZeroDivisionError), gate.admit("a"):
        raise ZeroDivisionError
    assert ask(gate, "a")


def test_remembered_clients_are_bounded() -> None:
    gate = Gate(Allowance(per_minute=1, burst=1, clients=100))
    assert all(ask(gate, f"client {i}") for i in range(1000))
    assert len(gate._tokens) == 100 and not gate._pending


def test_threads_never_get_more_places_than_there_are() -> None:
    gate = Gate(Allowance(per_minute=0, pending=4, pending_in_all=4))
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            try:
                with gate.admit("a"):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    with lock:
                        inside -= 1
            except TooBusy:
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 4 and inside == 0 and not gate._pending


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/abs/report.pdf", "report.pdf"),
        ("C:\\x\\a.txt", "a.txt"),
        ("inv\u202efdp.exe", "invfdp.exe"),
        ("a\x00b\n.txt", "ab.txt"),
        (".htaccess", "htaccess"),
        ("<img src=x onerror=alert(1)>.md", "img src=x onerror=alert(1).md"),
        ("Отчёт 2024.pdf", "Отчёт 2024.pdf"),
    ],
)
def test_upload_names_stay_in_their_folder_and_show_as_they_are(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@pytest.mark.parametrize("name", ["", "..", "///", "\u202e", "...", "\x00"])
def test_a_name_of_nothing_is_told(name: str) -> None:
    with pytest.raises(BadUpload, match="no usable name"):
        safe_name(name)


@given(st.text(max_size=300))
def test_no_name_leaves_its_folder(name: str) -> None:
    try:
        safe = safe_name(name)
    except BadUpload:
        return
    assert 0 < len(safe) <= 130 and safe not in {".", ".."} and not set(safe) & set("/\\\x00<>")
    assert Path("/up", safe).resolve().parent == Path("/up")


def test_uploads_have_limits_each_told_with_its_number() -> None:
    limits = UploadLimits(files=2, file_bytes=1_000_000, total_bytes=1_500_000)
    assert check_uploads([("a.txt", 10), ("A.txt", 10)], limits) == ["a.txt", "A (2).txt"]
    with pytest.raises(BadUpload, match="3 files are too many"):
        check_uploads([("a", 1)] * 3, limits)
    with pytest.raises(BadUpload, match=r"big\.pdf is too large \(2 MB\); a file may have 1 MB"):
        check_uploads([("big.pdf", 2_000_000)], limits)
    with pytest.raises(BadUpload, match="together"):
        check_uploads([("a", 900_000), ("b", 900_000)], limits)
    with pytest.raises(BadUpload, match="read-only"):
        check_uploads([("a", 1)], limits, read_only=True)


def test_accounts_without_anybody_are_false() -> None:
    assert not Accounts(kept={})
