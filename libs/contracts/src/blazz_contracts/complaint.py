"""What is said of a value that is refused, in place of the pattern that it does not match."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema


@dataclass(frozen=True, slots=True)
class Complaint:
    """To be named after the constraint in an `Annotated`. The JSON Schema keeps the constraint."""

    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), custom_error_type="value_refused", custom_error_message=self.message
        )


PHONE = Complaint("write digits with the country code, such as +4915112345678")
LANGUAGE = Complaint("write it as Meta does: en_US")
