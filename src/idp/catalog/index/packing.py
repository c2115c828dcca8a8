"""Documents as the index keeps them: JSON, deflated with a dictionary of what catalogs repeat."""

from __future__ import annotations

import json
import zlib
from typing import Any

# A change here is a change of the schema. The most frequent last, as zlib wants it.
_DICTIONARY = (
    b'"profile":{"displayName":"email":"picture":"parent":"children":[],"memberOf":["members":["'
    b'"presence":"required""targets":["target":"subdomainOf":"domain":"subcomponentOf":"'
    b'"definition":"openapi: 3.0.0\ninfo:\n  title:  version: paths:\n  /: get:\n operationId: '
    b'responses:\n "200": {description: OK}\n"type":"openapi","type":"grpc","type":"database"'
    b'"consumesApis":["api:default/"providesApis":["dependencyOf":["dependsOn":["component:default/'
    b'"component:"resource:default/"type":"website","type":"library","lifecycle":"deprecated"'
    b'"lifecycle":"experimental","lifecycle":"production","owner":"group:default/team-'
    b'"system":"sys-"backstage.io/kubernetes-namespace":"backstage.io/kubernetes-id":"'
    b'"backstage.io/adr-location":"docs/adr""backstage.io/source-location":"url:https://github.com/'
    b'"sonarqube.org/project-key":"pagerduty.com/integration-key":"pagerduty.com/service-id":"P'
    b'"backstage.io/techdocs-ref":"dir:.","github.com/project-slug":"'
    b'"links":[{"url":"https://","title":"Dashboard","icon":"dashboard"},{"url":"https://'
    b'"title":"Runbook","icon":"docs"},"tags":["internal","python","java","go","grpc","rest","kafka"],'
    b'"labels":{"idp.dev/tier":"critical","idp.dev/cost-centre":"'
    b'"annotations":{"description":"namespace":"default","title":"'
    b'{"apiVersion":"backstage.io/v1alpha1","kind":"API","kind":"Resource","kind":"Group","kind":"User",'
    b'"kind":"System","kind":"Component","metadata":{"name":"spec":{"type":"service","lifecycle":"'
)


def pack(document: dict[str, Any]) -> bytes:
    """Return a document in few bytes.

    Raises:
        ValueError: it has a number that JSON has not.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=_DICTIONARY)
    return deflate.compress(text.encode("utf-8", "replace")) + deflate.flush()


def unpack(packed: bytes) -> dict[str, Any]:
    """Return the document that was packed."""
    inflate = zlib.decompressobj(-15, zdict=_DICTIONARY)
    document: dict[str, Any] = json.loads(inflate.decompress(packed) + inflate.flush())
    return document
