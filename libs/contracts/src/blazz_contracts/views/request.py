"""The base of what clients send: unknown fields are refused, so that a typing error is not a silent no."""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)
