"""What the models of configuration files share: strictness, and checks that tell what mends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from idp.errors import InvalidInput


class Strict(BaseModel):
    """A mapping whose keys are all known and whose values are of the type they must be."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, Field(min_length=1)]


def checked(check: Callable[[str], object]) -> AfterValidator:
    """Return a validator that tells the check's InvalidInput as a mistake of the file."""

    def validate(text: str) -> str:
        try:
            check(text)
        except InvalidInput as error:
            raise mistake(error.message, error.hint) from error
        return text

    return AfterValidator(validate)


def mistake(what: str, mend: str = "") -> PydanticCustomError:
    """Return the error that tells a mistake of the file, for a validator to raise."""
    return PydanticCustomError("idp", "{what}", {"what": what, "mend": mend})
