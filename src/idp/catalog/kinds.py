"""The kinds of a stock Backstage, what each must have in its spec, and how each is related.

Read from @backstage/catalog-model 1.10.1, plugin-catalog-backend 4.0.0 and
plugin-scaffolder-common 2.3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from idp.catalog.shapes import Choice, ListOf, Record, RecordOrList, Shape, Text, TextOrBool

BACKSTAGE = ("backstage.io/v1alpha1", "backstage.io/v1beta1")
SCAFFOLDER = ("scaffolder.backstage.io/v1beta3",)

TEXT = Text()
TEXTS = ListOf(TEXT)
ANY_TEXT = Text(empty=True)
MAPPING = Record()


@dataclass(frozen=True)
class Field:
    """A field that refers to other entities.

    Attributes:
        name: its key in `spec`.
        kind: the kind of a reference that names none; empty if it must name one.
        relation: what the entity is to those it refers to.
        inverse: what they are to it.
    """

    name: str
    kind: str
    relation: str
    inverse: str


@dataclass(frozen=True)
class Kind:
    """A kind of entity."""

    versions: tuple[str, ...]
    spec: Record
    fields: tuple[Field, ...] = ()


OWNER = Field("owner", "Group", "ownedBy", "ownerOf")
SYSTEM = Field("system", "System", "partOf", "hasPart")
DEPENDENCIES = (
    Field("dependsOn", "", "dependsOn", "dependencyOf"),
    Field("dependencyOf", "", "dependencyOf", "dependsOn"),
)
PROFILE = Record({"displayName": TEXT, "email": TEXT, "picture": TEXT})


def _spec(required: str, **fields: Shape) -> Record:
    """Return the shape of a spec; what is required, and not said to be otherwise, is a text."""
    names = tuple(required.split())
    return Record({**dict.fromkeys(names, TEXT), **fields}, names)


_PERMISSIONS = {"backstage:permissions": Record({"tags": ListOf(ANY_TEXT)})}
_STEP = Record(
    {
        **dict.fromkeys(("id", "name", "action"), ANY_TEXT),
        "input": MAPPING,
        "if": TextOrBool(),
        **_PERMISSIONS,
    },
    ("action",),
)
_LINK = Record({"if": TextOrBool(), **dict.fromkeys(("url", "entityRef", "title", "icon"), TEXT)})
_NOTE = Record({"if": TextOrBool(), "title": TEXT, "icon": TEXT, "content": ANY_TEXT})
_BUTTONS = ("backButtonText", "createButtonText", "reviewButtonText")
_DECORATORS = ListOf(Record({"id": ANY_TEXT, "input": MAPPING}))
_TEMPLATE = Record(
    {
        **dict.fromkeys(("type", "owner", "lifecycle"), TEXT),
        "parameters": RecordOrList(Record(_PERMISSIONS)),
        "secrets": Record({"schema": MAPPING}),
        "presentation": Record({"buttonLabels": Record(dict.fromkeys(_BUTTONS, ANY_TEXT))}),
        "EXPERIMENTAL_recovery": Record({"EXPERIMENTAL_strategy": ANY_TEXT}),
        "formDecorators": _DECORATORS,
        "EXPERIMENTAL_formDecorators": _DECORATORS,
        "steps": ListOf(_STEP),
        "output": Record({"links": ListOf(_LINK), "text": ListOf(_NOTE)}, rest=ANY_TEXT),
    },
    ("type", "steps"),
)

KINDS = {
    "Component": Kind(
        BACKSTAGE,
        _spec(
            "type lifecycle owner",
            system=TEXT,
            subcomponentOf=TEXT,
            providesApis=TEXTS,
            consumesApis=TEXTS,
            dependsOn=TEXTS,
        ),
        (
            OWNER,
            Field("subcomponentOf", "Component", "partOf", "hasPart"),
            Field("providesApis", "API", "providesApi", "apiProvidedBy"),
            Field("consumesApis", "API", "consumesApi", "apiConsumedBy"),
            *DEPENDENCIES,
            SYSTEM,
        ),
    ),
    "API": Kind(BACKSTAGE, _spec("type lifecycle owner definition", system=TEXT), (OWNER, SYSTEM)),
    "Resource": Kind(
        BACKSTAGE,
        _spec("type owner", dependsOn=TEXTS, system=TEXT),
        (OWNER, *DEPENDENCIES, SYSTEM),
    ),
    "System": Kind(
        BACKSTAGE,
        _spec("owner", domain=TEXT, type=TEXT),
        (OWNER, Field("domain", "Domain", "partOf", "hasPart")),
    ),
    "Domain": Kind(
        BACKSTAGE,
        _spec("owner", subdomainOf=TEXT, type=TEXT),
        (OWNER, Field("subdomainOf", "Domain", "partOf", "hasPart")),
    ),
    "Group": Kind(
        BACKSTAGE,
        _spec("type children", children=TEXTS, profile=PROFILE, parent=TEXT, members=TEXTS),
        (
            Field("parent", "Group", "childOf", "parentOf"),
            Field("children", "Group", "parentOf", "childOf"),
            Field("members", "User", "hasMember", "memberOf"),
        ),
    ),
    "User": Kind(
        BACKSTAGE,
        _spec("memberOf", memberOf=TEXTS, profile=PROFILE),
        (Field("memberOf", "Group", "memberOf", "hasMember"),),
    ),
    "Location": Kind(
        BACKSTAGE,
        Record(
            {
                "type": TEXT,
                "target": TEXT,
                "targets": TEXTS,
                "presence": Choice(("required", "optional")),
            }
        ),
    ),
    "Template": Kind(SCAFFOLDER, _TEMPLATE, (OWNER,)),
}
