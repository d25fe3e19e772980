"""Secrets in text: providers' credentials, private keys, passwords in URLs, literals that a name calls secret.

Every function takes text and returns ``Credential`` objects; none prints, and a credential's ``repr`` holds no secret. The
patterns of the providers are data, in ``providers.toml`` beside this file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from stopper.finding import Confidence, Severity
from stopper.records import dataclass, field
from stopper.source.literals import mask_literals
from stopper.source.suspects import around_runs, lines_holding, lines_with
from stopper.source.token_checks import has_crc32, jwt_confidence
from stopper.tables import read_table

SHOWN = 4
"""How many characters of a secret a report may show, at most."""

_DIGIT = re.compile("[0-9]")
_WORDS_ALONE: set[str] = set()
"""Runs that can be no credential: long names and paths, the same in many texts."""
_REMEMBERED = 1 << 16

LONGEST_LINE = 2_000
"""Lines above this are made by tools (minified scripts, data); named literals are not looked for in them."""


@dataclass(frozen=True)
class Provider:
    """What the credentials of one provider look like."""

    id: str
    name: str
    hints: tuple[str, ...]
    """The text around a match, in lower case, holds one of them."""
    form: str
    """The regular expression of a credential; group 1 is the secret."""
    severity: Severity = Severity.HIGH
    entropy: float = 3.0
    check: str = ""
    quiet: tuple[str, ...] = ()
    revoke: str = ""
    anywhere: bool = False
    """Whether a hint may stand anywhere in the text, not only around the match."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The form, compiled when a text first holds a hint: most providers leave none in a project."""
        return re.compile(self.form, re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret found in a text, and where."""

    kind: str
    """A provider's id, ``private-key``, ``password-in-url`` or ``named``."""
    name: str
    """What a reader calls it: "GitHub token", or the name that the text gives it."""
    start: int
    end: int
    secret: str = field(repr=False)
    severity: Severity = Severity.HIGH
    confidence: Confidence = Confidence.HIGH
    revoke: str = ""
    """Where it is withdrawn, when known."""

    @property
    def masked(self) -> str:
        """Return the secret as it may be shown."""
        return mask(self.secret)


def mask(secret: str) -> str:
    """Return ``secret`` with all but its first characters hidden: at most four, and at most a quarter of it."""
    return secret[: min(SHOWN, len(secret) // 4)] + "****"


def redact(text: str) -> str:
    """Return ``text`` with every secret that can be told from it masked."""
    found = sorted((*everything(text), *_escaped(text)), key=lambda item: (item.start, -item.end))
    parts: list[str] = []
    reached = 0
    for item in found:
        if item.end <= reached:
            continue
        start = max(item.start, reached)
        parts += [text[reached:start], mask(text[start : item.end])]
        reached = item.end
    return "".join(parts) + text[reached:]


def redact_value(text: str, *secrets: str) -> str:
    """Return ``text`` redacted, with the given secrets masked as well."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = mask_literals(text.replace(secret, mask(secret)), secret)
    return redact(text)


@cache
def providers() -> tuple[Provider, ...]:
    """Return the providers of ``providers.toml``."""
    data = read_table(Path(__file__).with_name("providers.toml"))
    return tuple(_provider(entry) for entry in data["provider"])


@cache
def _hints() -> frozenset[str]:
    """Return every provider's hints in lower case: one look for each, however many providers share it."""
    return frozenset(hint for provider in providers() for hint in provider.hints)


def _provider(entry: dict[str, object]) -> Provider:
    values = dict(entry)
    values["form"] = str(values.pop("pattern"))
    values["severity"] = Severity(str(entry.get("severity", "high")))
    for key in ("hints", "quiet"):
        given = entry.get(key, [])
        values[key] = tuple(given) if isinstance(given, list) else ()
    values["hints"] = tuple(str(hint).lower() for hint in values["hints"])  # type: ignore[attr-defined]
    return Provider(**values)  # type: ignore[arg-type]  # the file's keys are the fields; a test reads them all


def everything(text: str) -> list[Credential]:
    """Return every secret in ``text``, by all four ways of looking."""
    return [*provider_credentials(text), *private_keys(text), *passwords_in_urls(text), *named_literals(text)]


def provider_credentials(text: str) -> list[Credential]:
    """Return the credentials whose provider can be told from their form."""
    found: list[Credential] = []
    for provider, start, end in suspected(text):
        for match in provider.pattern.finditer(text, start, end):
            found += _recognized(provider, match)
    return _without_inner(found)


def suspected(text: str) -> Iterator[tuple[Provider, int, int]]:
    """Yield the stretches of a text that can hold a provider's credential, with the provider; there are few."""
    spans = around_runs(text, _may_be_credentials)
    if not spans:
        return
    nears = [text[start:end].lower() for start, end in spans]
    every = "\n".join(nears)
    hints = {hint for hint in _hints() if hint in every}
    likely = [one for one in providers() if one.anywhere or not hints.isdisjoint(one.hints)]
    for (start, end), near in zip(spans, nears, strict=True):
        here = {hint for hint in hints if hint in near}
        for provider in likely:
            if provider.anywhere or not here.isdisjoint(provider.hints):
                yield provider, start, end


def _may_be_credentials(runs: set[str]) -> set[str]:
    """Return the runs of token characters that can be a credential: nearly all hold a digit, the rest begin with a hint."""
    unknown = runs - _WORDS_ALONE
    others = [run for run in unknown if not _DIGIT.search(run)]
    joined = "\n".join(others)
    lowered = joined.lower()
    spans = (span for hint in _hints() if hint in lowered for span in lines_holding(lowered, hint))
    words = set(others).difference(joined[start:end].rstrip("\n") for start, end in spans)
    if len(_WORDS_ALONE) > _REMEMBERED:
        _WORDS_ALONE.clear()
    _WORDS_ALONE.update(words)
    return unknown - words


def _recognized(provider: Provider, match: re.Match[str]) -> Iterator[Credential]:
    if provider.anywhere and not any(hint in match.string.lower() for hint in provider.hints):
        return
    confidence = _confidence(provider, match[1])
    if confidence is not None:
        start, end = match.span(1)
        yield Credential(
            provider.id, provider.name, start, end, match[1], provider.severity, confidence, provider.revoke
        )


def _without_inner(found: list[Credential]) -> list[Credential]:
    """Drop what lies inside another match: one token that fits two providers is told once."""
    return [
        item
        for index, item in enumerate(found)
        if not any(
            other.start <= item.start
            and item.end <= other.end
            and (other.end - other.start, -place) > (item.end - item.start, -index)
            for place, other in enumerate(found)
        )
    ]


def _confidence(provider: Provider, secret: str) -> Confidence | None:
    if (
        any(part in secret for part in provider.quiet)
        or is_placeholder(secret)
        or entropy(secret) < provider.entropy
    ):
        return None
    if provider.check == "jwt":
        return jwt_confidence(secret)
    if provider.check == "crc32":
        return Confidence.HIGH if has_crc32(secret) else Confidence.MEDIUM
    return Confidence.HIGH


_PEM = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?)-----(?P<body>[^-]{0,12000}?)(?:-----END|\Z)"
)


def private_keys(text: str) -> list[Credential]:
    """Return the private keys in PEM or PGP armour that have a body; a marker alone is a parser's constant."""
    if "PRIVATE KEY" not in text:
        return []
    found: list[Credential] = []
    for match in _PEM.finditer(text):
        body = re.sub(r"\\[nr]|[^A-Za-z0-9+/=]", "", match["body"].partition("\n\n")[2] or match["body"])
        if len(body) < 64 or entropy(body) < 4.2 or is_placeholder(body[:200]):
            continue
        locked = "ENCRYPTED" in match["kind"] or "Proc-Type: 4,ENCRYPTED" in match["body"]
        severity = Severity.MEDIUM if locked else Severity.HIGH
        kind = match["kind"].removesuffix(" BLOCK").lower().replace("rsa", "RSA").replace("ec ", "EC ")
        found.append(Credential("private-key", kind, *match.span(), match[0], severity))
    return found


_URL = re.compile(
    r"\b([a-zA-Z][a-zA-Z0-9+.-]{1,30})://([^\s:/?#@'\"<>`\\\[\](){},|]{0,80}):([^\s/?#@'\"<>`\\|]{1,200})@"
    r"([A-Za-z0-9_.-]+|\[[0-9a-fA-F:]+\]|[<{$%])"
)
_LOCAL = re.compile(
    r"^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\]|host\.docker\.internal|"
    r"(db|database|postgres\w*|mysql|mariadb|mongo(db)?|redis|rabbit(mq)?|amqp|broker|cache)([_-]\w+)?)$",
    re.IGNORECASE,
)


def passwords_in_urls(text: str) -> list[Credential]:
    """Return the passwords in URLs (``scheme://user:password@host``).

    A host on this machine, or one that only a compose file's network knows, makes the finding low; so does a password
    everybody tries first, because the text then more likely shows a form than an account. Another host without a dot is
    one of a network that is not seen here: medium.
    """
    spans = lines_holding(text, "://")
    matches = (
        match for start, end in spans if "@" in text[start:end] for match in _URL.finditer(text, start, end)
    )
    found: list[Credential] = []
    for match in matches:
        scheme, user, secret, host = match.groups()
        if (
            "sentry" in host
            or _is_template(secret)
            or _is_template(host)
            or is_placeholder(secret)
            or _is_form(user, secret, host)
        ):
            continue
        weak = bool(_LOCAL.match(host)) or secret.lower() in WELL_KNOWN or secret.lower() == user.lower()
        severity = Severity.LOW if weak else Severity.HIGH
        near = "." not in host and ":" not in host
        confidence = Confidence.LOW if weak else Confidence.MEDIUM if near else Confidence.HIGH
        name = f"password of {user or 'the account'} at {host} ({scheme})"
        found.append(Credential("password-in-url", name, *match.span(3), secret, severity, confidence))
    return found


def _is_form(user: str, secret: str, host: str) -> bool:
    """Tell whether a URL only shows what URLs look like: ``user:pass@host``, ``user:pw@example.com``."""
    if re.search(r"(^|\.)(example|invalid|test)(\.(com|org|net))?$", host.lower()):
        return True
    words = {"user", "username", "login", "name", "usr", "u", "foo", "me", "uname"}
    forms = {"pass", "password", "passwd", "pwd", "pw", "p", "bar", "secret", "token", "passw0rd"}
    user, secret = (re.sub("^(db|database|my)[_-]?(?=.)", "", text.lower()) for text in (user, secret))
    return user in words and secret in forms


def _is_template(text: str) -> bool:
    return bool(re.search(r"[{}<>$]|%\(|%[sdr]|^\*+$|^%", text)) or text in {"...", "…"}


WELL_KNOWN = frozenset(
    "password passwd pass secret admin root toor test testing guest default changeme change_me letmein qwerty welcome "
    "master monkey dragon login abc123 password1 password123 admin123 123456 1234567 12345678 123456789 1234567890 111111 "
    "postgres mysql redis rabbitmq mongo hunter2 iloveyou trustno1 superman passw0rd p@ssw0rd p@ssword secret123 secretkey "
    "root123 test123 qwerty123 1q2w3e4r administrator sunshine princess".split()
)
"""Passwords that a guesser tries first."""

_PLACEHOLDER = re.compile(
    r"example|placeholder|dummy|(?<![a-z])fake|sample|change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|this|with)|insert[-_ ]|"
    r"your[-_ ]|(?<![a-z])your[a-z]|(?<![a-z])my[-_](?:secret|api|token|pass|key)|todo|fixme|redacted|not[-_ ]?(?:a[-_ ])?(?:real|secret|set)|"
    r"put[-_ ]|enter[-_ ]|xxxx|\*\*\*|\.\.\.|----|____|0000000|1111111|aaaaaaa|deadbeef|cafebabe|"
    r"123456789|abcdefgh|ABCDEFGH|qwertyuiop|f00ba|foobar|(?<![a-z])lorem|insecure|goes[-_ ]?here|(?<![a-z])here(?![a-z])|"
    r"(?<![a-z])(?:none|null|undefined|unused|empty|todo|tbd|n/a)(?![a-z])|test[-_]?(?:key|token|secret|pass)|keyboard cat",
    re.IGNORECASE,
)


def is_placeholder(text: str) -> bool:
    """Tell whether ``text`` stands where a secret should be, and is none."""
    if _PLACEHOLDER.search(text) or _is_template(text):
        return True
    return len(text) >= 8 and len(set(text.lower())) <= max(3, len(text) // 16)


def entropy(text: str) -> float:
    """Return Shannon's entropy of ``text`` in bits a character."""
    if not text:
        return 0.0
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def is_random(text: str) -> bool:
    """Tell whether ``text`` looks drawn at random: long enough, of mixed characters, and of high entropy."""
    if len(text) < 16 or re.search(r"\s", text):
        return False
    if re.fullmatch(r"[0-9a-fA-F]+", text):
        return entropy(text) >= 2.8 and not text.isdigit()
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return entropy(text) >= 3.4 and kinds >= 2 and len(re.findall(r"[0-9]", text)) >= 2


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    "password passwd passphrase pwd passwort secret token apikey secretkey credential credentials salt".split()
)
_SECRET_PAIRS = frozenset(
    "api key|access key|private key|secret key|encryption key|signing key|auth key|master key|jwt key|crypt key|fernet key|"
    "account key|shared key|hmac key|client secret|service key|license key|storage key|session key|pass phrase".split(
        "|"
    )
)
_NOT_SECRET = frozenset(
    "name names field fields label url uri path file files filename dir length len size min max age ttl expires expiry expire "
    "expiration expired timeout type types header headers param params parameter regex regexp re pattern prefix suffix format "
    "message messages msg error errors help hint title text description desc placeholder template form column policy rules rule "
    "view endpoint route count limit backend class lifetime location locations algorithm algorithms alg method scheme scope "
    "scopes env var variable status state kind page link button input element selector attribute attr option options enabled "
    "required disabled validator validators hash hashes hashed digest schema schemas provider manager store storage "
    "generator factory handler service issuer audience subject reset changed change created strength usage info "
    "public strategy table index version days hours minutes seconds date at on is has no use uses check checks mask "
    "cookie claim separator delimiter sep source confirm confirmation mode domain realm id ids flow event action "
    "tokenizer count tokens uppercase arn ref jq css xpath property prop argument arg args flag placeholder".split()
)


def words_of(name: str) -> list[str]:
    """Return the words of an identifier, lowered: ``resetToken`` and ``RESET_TOKEN`` are both ``reset token``."""
    return [word.lower() for word in _WORDS.findall(name)]


def is_secret_name(name: str) -> bool:
    """Tell whether an identifier says that its value is a secret: ``DB_PASSWORD`` does, ``password_field`` does not."""
    words = words_of(name)
    if (
        not words
        or words[-1] in _NOT_SECRET
        or words[0] in {"public", "csrf", "is", "has", "no", "use", "show", "hide"}
    ):
        return False
    if words[-1].isdigit():
        words.pop()
    pairs = {" ".join(pair) for pair in pairwise(words)}
    last = words[-2:] if words else []
    return bool(_SECRET_WORDS.intersection(last)) or bool(_SECRET_PAIRS & pairs)


_NAMED = re.compile(
    r"""(?<![\w])(?P<name>[A-Za-z_][\w.-]{0,60})(?:["']\s*\])?["']?\s{0,4}
    (?P<how>:\s{0,3}(?:typing\.)?(?:str|Final(?:\[str\])?|bytes)\s{0,3}=|=>|:=|==|!=|=|:)\s{0,3}
    [rRbBuU]{0,2}(?P<quote>["'])(?P<value>[^"'\\\r\n]{3,300})(?P=quote)(?!\s*(?:\.\s*(?:format|join|encode\(\)\.decode)|%|\]))""",
    re.VERBOSE,
)
_ESCAPED = re.compile(
    r"""(?<![\w])(?P<name>[A-Za-z_][\w.-]{0,60})(?:["']\s*\])?["']?\s{0,4}(?:=|:)\s{0,3}
    [rRbBuU]{0,2}(?P<quote>["'])(?P<value>(?=(?:(?!(?P=quote))[^\\\r\n])*\\)(?:(?!(?P=quote))[^\\\r\n]|\\.){8,300})(?P=quote)""",
    re.VERBOSE,
)
_FALLBACK = re.compile(
    r"""(?:environ\.get|getenv|(?:^|[\s=(,])(?:env|config|getenv|get_env|env\.str|env\.get))\(\s*(?P<q>["'])(?P<name>\w{2,60})(?P=q)
    \s*,\s*(?:default\s*=\s*)?[rRbBuU]{0,2}(?P<quote>["'])(?P<value>[^"'\\\r\n]{3,300})(?P=quote)""",
    re.VERBOSE | re.MULTILINE,
)
_BARE = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|ENV[ \t]+|ARG[ \t]+)?(?P<name>[A-Za-z_][\w.-]{1,60})[ \t]*
    (?:=|:[ \t]|[ \t](?=\S+$))[ \t]*(?P<value>[^\s"'#{}\[\]<>|&]{3,300})[ \t]*(?:\#.*)?$""",
    re.VERBOSE | re.MULTILINE,
)
_SECRET_HINTS = tuple("passw passphrase pwd secret token key credential salt".split())


def named_literals(text: str, *, bare: bool = False) -> list[Credential]:
    """Return the literals that a name calls secret and that look like one.

    Args:
        text: Python, JavaScript, TOML, YAML, or whatever else writes ``name = "value"`` or ``"name": "value"``.
        bare: Whether values stand without quotation marks too, as in ``.env``, YAML and ini files.
    """
    return named_in(text, named_lines(text), bare=bare)


def named_lines(text: str) -> list[tuple[int, int]]:
    """Return the spans of the lines in which a name may call something secret."""
    return [(start, end) for start, end in lines_with(text, _SECRET_HINTS) if end - start <= LONGEST_LINE]


def named_in(text: str, spans: list[tuple[int, int]], *, bare: bool = False) -> list[Credential]:
    """Return the named literals of some lines of a text: see ``named_literals``."""
    found: dict[tuple[int, int], Credential] = {}
    lines = [(start, text[start:end]) for start, end in spans]
    quoted = [(start, line) for start, line in lines if '"' in line or "'" in line]
    fallbacks = [(start, line) for start, line in quoted if "env" in line or "config" in line]
    for pattern, these in ((_NAMED, quoted), (_FALLBACK, fallbacks), (_BARE, lines if bare else [])):
        for start, line in these:
            for match in pattern.finditer(line):
                confidence = judge(match["name"], match["value"])
                if confidence is not None:
                    span = (start + match.start("value"), start + match.end("value"))
                    found.setdefault(
                        span,
                        Credential(
                            "named", match["name"], *span, match["value"], Severity.MEDIUM, confidence
                        ),
                    )
    return sorted(found.values(), key=lambda item: item.start)


def _escaped(text: str) -> Iterator[Credential]:
    """Yield the literals with escapes that a name calls secret: what they stand for is not judged, and not to be shown."""
    for match in _ESCAPED.finditer(text) if "\\" in text else ():
        if is_secret_name(match["name"].rpartition(".")[2]):
            yield Credential("named", match["name"], *match.span("value"), match["value"])


def judge(name: str, value: str) -> Confidence | None:
    """Tell how surely ``value``, held under ``name``, is a secret; None when it is not one."""
    last = name.rpartition(".")[2]
    if not is_secret_name(last) or is_placeholder(value) or _is_no_secret(last, value):
        return None
    if is_random(value):
        return Confidence.HIGH
    words = set(words_of(last))
    if words & {"password", "passwd", "pwd", "passphrase", "passwort"}:
        mixed = bool(re.search(r"\d", value)) or bool(re.search(r"[^\w.-]", value))
        known = value.lower() in WELL_KNOWN and value.lower() not in {
            "password",
            "passwd",
            "pass",
            "secret",
            "test",
        }
        return (
            Confidence.MEDIUM
            if mixed or known
            else Confidence.LOW
            if last.isupper() and len(value) >= 8
            else None
        )
    if last.isupper() and (len(value) >= 12 or re.search(r"\d", value)):
        return Confidence.LOW
    return None


_NOT_SECRET_STARTS = tuple("/ ./ ../ http:// https:// arn: # -- projects/ vault: op:// ${ env:".split())
_COMMON_WORDS = frozenset("key access refresh auth user api next new old app".split())


def _is_no_secret(name: str, value: str) -> bool:
    """Tell whether a value is a word, a name, a label, an address or an expression, and so no secret."""
    if value.startswith(_NOT_SECRET_STARTS):
        return True
    if re.search(r"\s", value) or re.search(
        r"^[\w.]+\(|\)$|^[a-z]+(\.[a-z_]+){1,}$|^\w+\[|:\w+$|testing", value
    ):
        return True
    if "/" in value and not re.search(r"\d{2}", value):
        return True
    if re.fullmatch(
        r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[\d.,:/-]{1,8}|true|false|bearer|basic|string|bytes|str",
        value,
        re.IGNORECASE,
    ):
        return bool(re.fullmatch(r"[A-Z0-9_]+|[\d.,:/-]+|[A-Za-z]+", value))
    said = set(words_of(value))
    if said and said <= _SECRET_WORDS | _NOT_SECRET | _COMMON_WORDS | set(words_of(name)):
        return True
    named = bool(said & (_SECRET_WORDS | {"key", "id"})) or value.lower().endswith(("secret", "token"))
    return named and bool(re.fullmatch(r"[A-Za-z][a-z]+([A-Z][a-z]+)*|_*[a-z]+([_-][a-z]+)+", value))
