"""Secrets are told from text by their form or their name, and placeholders are not."""

from __future__ import annotations

import pytest

from stopper.finding import Confidence, Severity
from stopper.source import credentials

MIXED = "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8hJ1kL4nP7qR0sT3uV6wX9yZ2bD5eF8gH1jK4mN7pQ0rS3tU6vW9xY"
HEX = "3f9a1c7e5b2d8f604a9c1e7b3d5f82a06c4e9b1d7f3a5c8e2b6d0f4a8c1e5b97"
"""Drawn by hand; the tokens below are joined at run time so that no file holds one whole."""

TOKENS = {
    "aws-access-key": "AK" + "IAQ7M2T5XWK3ZB4NRE",
    "github-token": "gh" + "p_" + MIXED[:36],
    "github-fine-grained-token": "github" + "_pat_" + MIXED[:22] + "_" + MIXED[5:64],
    "gitlab-token": "gl" + "pat-" + MIXED[:20],
    "slack-token": "xo" + "xb-" + "204857193846-" + "193847562019-" + MIXED[:24],
    "stripe-live-key": "sk" + "_live_" + MIXED[:24],
    "google-api-key": "AI" + "za" + MIXED[:35],
    "sendgrid-key": "S" + "G." + MIXED[:22] + "." + MIXED[7:50],
    "mailgun-key": "ke" + "y-" + HEX[:32],
    "mailchimp-key": HEX[:32] + "-u" + "s14",
    "twilio-key": "S" + "K" + HEX[:32],
    "square-token": "sq0" + "atp-" + MIXED[:22],
    "shopify-token": "shp" + "at_" + HEX[:32],
    "digitalocean-token": "dop" + "_v1_" + HEX,
    "npm-token": "np" + "m_" + MIXED[:36],
    "pypi-token": "py" + "pi-AgE" + MIXED[:80],
    "telegram-bot-token": "5839201746" + ":A" + "A" + MIXED[:33],
    "anthropic-key": "sk-" + "ant-api03-" + MIXED[:80],
    "openai-key": "sk-" + "proj-" + MIXED[:60],
    "huggingface-token": "h" + "f_" + MIXED[:34],
    "azure-storage-key": "Account" + "Key=" + MIXED[:86] + "==",
    "newrelic-key": "NR" + "AK-" + "A7B3C9D1E5F2G8H4J6K0L2M7N3P",
    "linear-key": "lin" + "_api_" + MIXED[:40],
    "postman-key": "PM" + "AK-" + HEX[:24] + "-" + HEX[10:44],
    "atlassian-token": "ATA" + "TT3" + MIXED[:80],
}


def test_there_are_at_least_twenty_five_providers_and_each_is_whole() -> None:
    every = credentials.providers()

    assert len({one.id for one in every}) == len(every) >= 25
    assert all(one.pattern.groups == 1 and one.hints for one in every)


@pytest.mark.parametrize("provider", TOKENS)
def test_a_token_is_told_by_its_form(provider: str) -> None:
    found = credentials.provider_credentials(f'value = "{TOKENS[provider]}"\n')

    assert [one.kind for one in found] == [provider]


@pytest.mark.parametrize(
    "text",
    [
        "AK" + "IAIOSFODNN7EXAMPLE",
        "gh" + "p_" + "x" * 36,
        "sk" + "_live_" + "your_key_goes_here_please",
        "sk" + "_test_" + MIXED[:24],
        "S" + "G." + "X" * 22 + "." + "X" * 43,
    ],
)
def test_examples_and_test_keys_are_quiet(text: str) -> None:
    assert credentials.everything(f'key: "{text}"') == []


@pytest.mark.parametrize(
    "line",
    [
        "password = ''", "password = None", 'token_type = "Bearer"', 'token = "NextToken"', 'password_label = "Your password"',
        'SECRET_KEY = "change-me"', 'token = "${TOKEN}"', 'PASSWORD_RESET_URL = "/reset/abc123"', 'secret = "client_secret"',
        'password = "%s"', 'title = "kd83jf02kd91"', 'csrf_token = "abc123def456ghi7"',
    ],
)  # fmt: skip
def test_a_name_alone_makes_no_secret(line: str) -> None:
    assert credentials.named_literals(line) == []


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        (f'API_TOKEN = "{MIXED[:32]}"', Confidence.HIGH),
        ('db_password = "hunter2!x"', Confidence.MEDIUM),
        ('config = {"password": "tr0ub4dor"}', Confidence.MEDIUM),
        ('connect(password="k7-winter")', Confidence.MEDIUM),
        ('os.environ.get("MAIL_PASSWORD", "k7-winter")', Confidence.MEDIUM),
        ('API_KEY = "bench-notes-phone-app"', Confidence.LOW),
    ],
)
def test_a_literal_that_a_name_calls_secret_is_found(line: str, confidence: Confidence) -> None:
    assert [one.confidence for one in credentials.named_literals(line)] == [confidence]


def test_passwords_in_urls_are_found_and_weaker_on_this_machine() -> None:
    remote = credentials.passwords_in_urls("mysql://app:k7winter@db.shop.net/x")
    local = credentials.passwords_in_urls("postgres://postgres:postgres@localhost/x")
    inner = credentials.passwords_in_urls("mysql://root:k7winter@mysqldb/x")

    assert [(one.severity, one.confidence) for one in remote] == [(Severity.HIGH, Confidence.HIGH)]
    assert [(one.severity, one.confidence) for one in inner] == [(Severity.HIGH, Confidence.MEDIUM)]
    assert [one.severity for one in local] == [Severity.LOW]


@pytest.mark.parametrize(
    "url", ["http://user:pass@host/", "redis://:${PW}@h", "https://a:b@example.com", "x://{u}:{p}@h"]
)
def test_a_url_that_shows_its_form_is_quiet(url: str) -> None:
    assert credentials.passwords_in_urls(url) == []


def test_a_private_key_needs_a_body() -> None:
    begin, end = "-----BEGIN " + "PRIVATE KEY-----", "-----END " + "PRIVATE KEY-----"

    assert credentials.private_keys(f"MARK = '{begin}'") == []
    assert len(credentials.private_keys(f"{begin}\n{MIXED}\n{MIXED[::-1]}\n{end}\n")) == 1


def test_a_mask_shows_at_most_four_characters() -> None:
    assert credentials.mask("abcdefghijklmnopqrst") == "abcd****"
    assert credentials.mask("hunter2") == "h****"
    assert credentials.mask("ab") == "****"


@pytest.mark.parametrize("provider", TOKENS)
def test_redacted_text_and_representations_hold_no_secret(provider: str) -> None:
    text = f'value = "{TOKENS[provider]}"'
    (found,) = credentials.provider_credentials(text)

    assert found.secret not in credentials.redact(text)
    assert found.secret not in repr(found)


@pytest.mark.parametrize(
    "line",
    [
        r"app.config.update(SECRET_KEY=b'k7q\xec\xffw9Zp2L', DEBUG=True)",
        r"""app.config["SECRET_KEY"] = 'k7q\u20acw9Zp2L'""",
        r"""{"MAIL_PASSWORD": "k7q\"w9Zp2L"}""",
    ],
)
def test_a_secret_that_is_written_with_escapes_is_not_shown(line: str) -> None:
    shown = credentials.redact(line)

    assert "w9Zp2L" not in shown
    assert "DEBUG=True" in shown or "DEBUG" not in line


def test_a_literal_beside_an_escape_is_shown() -> None:
    line = r"""title(password_label="Your password please", end="\n\n\n\n\n")"""

    assert credentials.redact(line) == line


def test_words_are_told_from_credentials_however_many_were_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_REMEMBERED", 0)
    runs = {
        "a_long_name_of_a_function",
        "github_pat_in_a_long_name",
        "another_name_of_a_function",
        MIXED[:36],
    }

    told = [credentials._may_be_credentials(runs) for _ in range(3)]

    assert told == [{"github_pat_in_a_long_name", MIXED[:36]}] * 3
