"""The base of what clients send: unknown fields are refused, so that a typing error is not a silent no."""

from pydantic import AfterValidator, BaseModel, ConfigDict


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a NUL character, which is no text")
    return value


WithoutNul = AfterValidator(_without_nul)
"""For text that goes into a database as it is: PostgreSQL's text has no NUL, which JSON can say."""


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty or only white space")
    return value


NotBlank = AfterValidator(_not_blank)
"""For texts that WhatsApp refuses when they say nothing. For requests alone: what is under way already is not lost."""
