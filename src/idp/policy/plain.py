"""Secrets that stand in plain text: by the name they have, or by what they look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module

_NAMED = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|pwd|secret|token|credentials?|"
    r"(?:api|access|private|signing|encryption|secret|account)[_.-]?key)(?:$|[_.-](?!file|path|"
    r"name|id|url|ttl|header|type|length|expir|audience|issuer|mount|role))",
    re.I,
)
_HARMLESS = re.compile(
    r"\s*|true|false|none|null|\d{1,4}|/[\w./-]+|[\w.-]+\.(?:json|ya?ml|pem|key)"
)
_PLACEHOLDER = re.compile(r"(?<!\$)\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}")
_DETECTORS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "private_key": "PrivateKeyDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "stripe": "StripeDetector",
    "twilio": "TwilioKeyDetector",
}


def is_secret(name: str, value: str) -> bool:
    """Tell whether a value seems to be a secret, by its variable's name or by its looks.

    A placeholder is none: it says where the secret is.
    """
    # camelCase is read as camel_case.
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    literal = _PLACEHOLDER.sub("", value)
    if _NAMED.search(words) and not _HARMLESS.fullmatch(literal):
        return True
    return looks_secret(value)


def looks_secret(text: str) -> bool:
    """Tell whether something in a text has the form of a credential that is known."""
    bare = _PLACEHOLDER.sub("", text)
    return any(detect(line) for line in bare.splitlines() for detect in _detectors())


@cache
def _detectors() -> tuple[Callable[[str], object], ...]:
    """Return what finds credentials in a line, from detect-secrets; it imports slowly."""
    modules = {name: import_module(f"detect_secrets.plugins.{name}") for name in _DETECTORS}
    plugins = [getattr(modules[name], kind)() for name, kind in _DETECTORS.items()]
    return tuple(lambda line, p=plugin: set(p.analyze_string(line)) for plugin in plugins)
