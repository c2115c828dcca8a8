"""Secrets in AWS Secrets Manager; the only file that knows boto3 (the extra `aws`).

A version of ours is the ClientRequestToken `idp-` and 32 digits, which Secrets Manager takes once:
of two who write the same version, one loses. A version that something else wrote counts as the one
after ours; what it writes between our look and our write is not noticed, and stays AWSPREVIOUS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from idp.config.guardrails import SecretSettings
from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed
from idp.secret.base import About, LostRace, Secret

TAGGED = ("service", "environment", "name", "owner", "request", "expires_at")
"""What is kept as tags, `idp:` before each; the rest is JSON in the description."""

DESCRIBED = ("asked_by", "approved_by", "why")
LIMIT = 65536
"""Bytes of a value, as Secrets Manager takes them."""

_OURS = re.compile(r"idp-(\d{32})")
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]", re.A)
_DENIED = {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"}
_DENIED |= {"ExpiredTokenException", "InvalidClientTokenId", "DecryptionFailure"}


class Scheduled(NotFound):
    """A secret is scheduled for deletion, and can be restored until then."""

    code = "scheduled_for_deletion"


def aws_secrets(settings: SecretSettings, environ: Mapping[str, str]) -> AwsSecrets:
    """Return the Secrets Manager of the platform's region, else of the environment's.

    Raises:
        InvalidInput: nobody names a region.
    """
    region = settings.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    if not region:
        raise InvalidInput(
            "nobody says which region of AWS", hint="secrets.region in idp-platform.yaml"
        )
    return AwsSecrets(region)


@dataclass(frozen=True)
class AwsSecrets:
    """The Secrets Manager of one region, with the credentials that boto3 finds."""

    region: str
    name: str = "aws"
    local: bool = False

    @property
    def place(self) -> str:
        """The region."""
        return f"aws:secretsmanager:{self.region}"

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3  # type: ignore[import-untyped]
            from botocore.config import Config  # type: ignore[import-untyped]
        except ImportError:
            raise InvalidInput(
                "AWS Secrets Manager needs boto3", hint="pip install 'idp-toolchain[aws]'"
            ) from None
        steady = {"mode": "standard", "max_attempts": 4}
        config = Config(connect_timeout=10, read_timeout=30, retries=steady)
        session = boto3.session.Session()  # not the shared one, which keeps its credentials
        return session.client("secretsmanager", region_name=self.region, config=config)

    def preflight(self, path: str) -> None:
        """Raise where the region cannot be reached; whoever may not look may still ask."""
        try:
            self._describe(path)
        except (NotAllowed, NotFound):
            return

    def list(self, prefix: str = "") -> Iterator[Secret]:
        """Yield the secrets below a folder, sorted by path, without keys."""
        below = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        asked: dict[str, Any] = {"IncludePlannedDeletion": True}
        if below:
            asked["Filters"] = [{"Key": "name", "Values": [below]}]
        with self._speaking(prefix):
            pages = self._client.get_paginator("list_secrets").paginate(**asked)
            found = [one for page in pages for one in page["SecretList"]]
        for one in sorted(found, key=lambda one: str(one["Name"])):
            if one["Name"].startswith(below):
                ids = one.get("SecretVersionsToStages") or {}
                version, *_ = _newest(
                    [{"VersionId": i, "VersionStages": s} for i, s in ids.items()]
                )
                yield _secret(one, version, one.get("LastChangedDate"))

    def show(self, path: str) -> Secret:
        """Return one; the names of its keys for whoever may read its values."""
        said = self._describe(path)
        version, _, written = self._versions(path)
        secret = _secret(said, version, written)
        if secret.state != "present":
            return secret
        try:
            return replace(secret, keys=tuple(sorted(self.read(path))))
        except (NotAllowed, InvalidInput):
            return secret

    def prepare(self, path: str, about: About) -> None:
        """Make it, without a value, with tags and a description.

        The right of its service to read it is an IAM policy, see `reading_policy`: idp cannot
        know the service's role.
        """
        tags, described = _tags(about), _description(about)
        try:
            said = self._describe(path)
        except NotFound as error:
            if isinstance(error, Scheduled):
                raise
            with self._speaking(path):
                self._client.create_secret(Name=path, Description=described, Tags=tags)
            return
        owner = _tag(said, "service")
        if said.get("DeletedDate"):
            raise self._scheduled(path)
        if owner not in ("", about.service):
            raise Refused(f"{path} at {self.place} belongs to {owner}, not to {about.service}")
        with self._speaking(path):
            if said.get("Description") != described:
                self._client.update_secret(SecretId=path, Description=described)
            self._client.tag_resource(SecretId=path, Tags=tags)

    def write(self, path: str, values: Mapping[str, str], expect: int) -> int:
        """Write its values as the version after `expect` and return that version."""
        text = json.dumps(dict(values))
        if len(text.encode()) > LIMIT:
            raise InvalidInput(f"the values of {path} are more than {LIMIT} bytes")
        if self._describe(path).get("DeletedDate"):
            raise self._scheduled(path)
        wanted = expect + 1
        lost = LostRace(
            f"somebody else wrote {path} at {self.place} meanwhile: this value is not written",
            hint=f"look at it: idp secret show; it is no longer version {expect}",
        )
        # One that was cut short wrote its version already: the same value again is no race.
        now, is_ours = self._versions(path)[:2]
        if now != expect and not (now == wanted and is_ours):
            raise lost
        with self._speaking(path, taken=lost):
            self._client.put_secret_value(
                SecretId=path, SecretString=text, ClientRequestToken=_token(wanted)
            )
        return wanted

    def read(self, path: str) -> Mapping[str, str]:
        """Return its newest values.

        Raises:
            InvalidInput: they are no JSON object: something else wrote them.
        """
        with self._speaking(path):
            said = self._client.get_secret_value(SecretId=path)
        try:
            data = json.loads(said["SecretString"])
            return {str(key): str(value) for key, value in data.items()}
        except (KeyError, ValueError, AttributeError):
            raise InvalidInput(
                f"{path} at {self.place} is no JSON object of keys and values",
                hint="write it anew: idp secret rotate",
            ) from None

    def revoke(self, path: str) -> None:
        """Destroy it at once, without the days in which it could be restored."""
        try:
            with self._speaking(path):
                self._client.delete_secret(SecretId=path, ForceDeleteWithoutRecovery=True)
        except NotFound as error:
            if isinstance(error, Scheduled):
                raise

    def writer(self, path: str, expect: int, ttl: int) -> str | None:
        """Return None: AWS wraps no tokens."""
        return None

    def _describe(self, path: str) -> dict[str, Any]:
        with self._speaking(path):
            return dict(self._client.describe_secret(SecretId=path))

    def _versions(self, path: str) -> tuple[int, bool, datetime | None]:
        versions: list[dict[str, Any]] = []
        more: dict[str, Any] = {"SecretId": path, "IncludeDeprecated": True, "MaxResults": 100}
        with self._speaking(path):
            while True:
                said = self._client.list_secret_version_ids(**more)
                versions += said.get("Versions") or ()
                if not said.get("NextToken"):
                    return _newest(versions)
                more["NextToken"] = said["NextToken"]

    @contextmanager
    def _speaking(self, path: str, taken: IdpError | None = None) -> Iterator[None]:
        """Tell in our words what AWS says; `taken` is raised where the version is there already."""
        client = self._client
        from botocore import exceptions  # type: ignore[import-untyped]

        try:
            yield
        except exceptions.ClientError as error:
            said = error.response.get("Error", {})
            code, words = str(said.get("Code", "")), str(said.get("Message", ""))
            if taken and code == "ResourceExistsException":
                raise taken from None
            raise self._refusal(code, words, path) from None
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            raise NotAllowed(
                "no credentials for AWS", hint="aws sso login, AWS_PROFILE, or a role in CI"
            ) from None
        except exceptions.BotoCoreError as error:
            kind = type(error).__name__
            raise RemoteFailed(
                f"cannot reach Secrets Manager at {client.meta.endpoint_url}: {kind}",
                hint="look at the network and at secrets.region",
            ) from None

    def _refusal(self, code: str, words: str, path: str) -> IdpError:
        if code == "ResourceNotFoundException":
            return NotFound(f"no secret or value of {path} at {self.place}", hint="idp secret list")
        if code in _DENIED or "AccessDenied" in code:
            return NotAllowed(
                f"AWS does not let us at {path} ({code})",
                hint="log in again, or ask for the right: idp secret manifest --policy prints it",
            )
        if code == "InvalidRequestException" and "delet" in words:
            return self._scheduled(path)
        if code == "ResourceExistsException":
            return LostRace(f"somebody else made {path} at {self.place} meanwhile")
        if code in ("InvalidParameterException", "ValidationException"):
            return InvalidInput(f"Secrets Manager does not take {path} ({code})")
        return RemoteFailed(f"Secrets Manager refused {path} at {self.place}: {code}")

    def _scheduled(self, path: str) -> Scheduled:
        return Scheduled(
            f"{path} at {self.place} is scheduled for deletion",
            hint=f"aws secretsmanager restore-secret --region {self.region} --secret-id {path}, "
            "or destroy it: idp secret revoke",
        )


def reading_policy(region: str, paths: tuple[str, ...]) -> dict[str, Any]:
    """Return the IAM policy by which a service reads these secrets and no others.

    Secrets Manager puts a dash and six letters behind a name.
    """
    arns = [f"arn:aws:secretsmanager:{region}:*:secret:{path}-??????" for path in paths]
    allowed = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": arns}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _token(version: int) -> str:
    return f"idp-{version:032d}"


def _newest(versions: list[dict[str, Any]]) -> tuple[int, bool, datetime | None]:
    """Return which version is current, whether it is ours, and since when; 0 for none."""
    current = next((v for v in versions if "AWSCURRENT" in (v.get("VersionStages") or ())), None)
    if current is None:
        return 0, False, None
    found = _OURS.fullmatch(current["VersionId"])
    ours = [int(m[1]) for v in versions if (m := _OURS.fullmatch(v["VersionId"]))]
    number = int(found[1]) if found else max(ours, default=0) + 1
    return number, bool(found), current.get("CreatedDate")


def _tags(about: About) -> list[dict[str, str]]:
    told = vars(about) | {"expires_at": about.expires_at.isoformat() if about.expires_at else ""}
    return [
        {"Key": f"idp:{key}", "Value": _NOT_IN_TAGS.sub("_", str(told[key]))[:256]}
        for key in TAGGED
    ]


def _description(about: About) -> str:
    return json.dumps({key: str(getattr(about, key))[:300] for key in DESCRIBED})


def _tag(said: Mapping[str, Any], key: str) -> str:
    tags = said.get("Tags") or ()
    return next((str(one["Value"]) for one in tags if one["Key"] == f"idp:{key}"), "")


def _secret(said: Mapping[str, Any], version: int, written: datetime | None) -> Secret:
    told = {key: _tag(said, key) for key in TAGGED} | _described(said.get("Description") or "")
    told["name"] = told["name"] or str(said["Name"]).rpartition("/")[2]
    until = _moment(told.pop("expires_at"))
    gone = said.get("DeletedDate")
    return Secret(
        str(said["Name"]),
        About(**told, expires_at=until),
        version,
        "deleted" if gone else "present" if version else "empty",
        written_at=written.astimezone(UTC) if written and version else None,
    )


def _described(text: str) -> dict[str, str]:
    """Return what the description holds; one that a person wrote is why it is there."""
    try:
        data = json.loads(text)
        return {key: str(data.get(key, "")) for key in DESCRIBED}
    except (ValueError, AttributeError):
        return dict.fromkeys(DESCRIBED, "") | {"why": text}


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
