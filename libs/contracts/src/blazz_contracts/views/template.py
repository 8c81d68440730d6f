"""Message templates over HTTP: Meta's, taken over, and a workspace's own for WhatsApp Web.

Components have Meta's shape; the lengths are Meta's, too ("Template components").
"""

import re
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field, Tag, model_validator

from blazz_contracts.event import Contract
from blazz_contracts.views.request import Request

VARIABLE = re.compile(r"\{\{\s*([0-9]{1,3}|[a-z][a-z0-9_]{0,63})\s*\}\}")
"""A place in a template's text: numbered (`{{1}}`) or named (`{{first_name}}`)."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def variables(text: str) -> list[str]:
    """The names of a text's variables, each once, in order."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def _plain(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("holds a character that is no text (NUL, or half of a surrogate pair)")
    return text


def _variable(text: str) -> str:
    if "{{" in VARIABLE.sub("", text) or "}}" in VARIABLE.sub("", text):
        raise ValueError("a variable is {{1}} or {{name}}: digits, or small letters, digits and underscores")
    names = variables(text)
    numbers = [int(name) for name in names if name.isdigit()]
    if numbers and len(numbers) < len(names):
        raise ValueError("variables are all numbered or all named")
    if numbers and sorted(numbers) != list(range(1, len(numbers) + 1)):
        raise ValueError("numbered variables are {{1}}, {{2}}, … without a gap")
    return text


def _constant(text: str) -> str:
    if "{{" in text:
        raise ValueError("has no variables")
    return text


def _at_its_end(address: str) -> str:
    found = list(VARIABLE.finditer(address))
    if len(found) > 1 or (found and found[0].end() != len(address)):
        raise ValueError("has one variable at most, at its end")
    if not re.match(r"https?://[^\s{}]+", address, re.IGNORECASE) or re.search(r"\s", VARIABLE.sub("", address)):
        raise ValueError("is a web address, https://…")
    return address


Words = Annotated[str, AfterValidator(_plain), AfterValidator(_variable)]
Constant = Annotated[str, AfterValidator(_plain), AfterValidator(_constant)]
_Label = Annotated[Constant, Field(min_length=1, max_length=25)]
# Meta wants examples for its review; who sends them is not refused, and they are not kept.
_Example = Annotated[Any, Field(exclude=True, description="Meta's examples: taken, and not kept.")]


class TemplateHeader(Request):
    """A line above the text, or a file that each message names in a parameter of its own."""

    type: Literal["HEADER"]
    format: Literal["TEXT", "IMAGE", "VIDEO", "DOCUMENT"]
    text: Annotated[Words, Field(min_length=1, max_length=60)] | None = None
    example: _Example = None

    @model_validator(mode="after")
    def _worded(self) -> Self:
        if (self.format == "TEXT") != (self.text is not None):
            raise ValueError("a TEXT header has text, the others have none")
        if self.text is not None and len(variables(self.text)) > 1:
            raise ValueError("a header has one variable at most")
        return self


class TemplateBody(Request):
    """The text."""

    type: Literal["BODY"]
    text: Annotated[Words, Field(min_length=1, max_length=1024)]
    example: _Example = None


class TemplateFooter(Request):
    """A line below the text."""

    type: Literal["FOOTER"]
    text: Annotated[Constant, Field(min_length=1, max_length=60)]


class QuickReplyButton(Request):
    """An answer to choose."""

    type: Literal["QUICK_REPLY"]
    text: _Label


class UrlButton(Request):
    """A link."""

    type: Literal["URL"]
    text: _Label
    url: Annotated[
        str, Field(min_length=1, max_length=2000), AfterValidator(_plain), AfterValidator(_variable),
        AfterValidator(_at_its_end),
    ]  # fmt: skip
    example: _Example = None


class PhoneButton(Request):
    """A number to call."""

    type: Literal["PHONE_NUMBER"]
    text: _Label
    phone_number: str = Field(pattern=r"^\+?[0-9]{3,20}$")


TemplateButton = Annotated[QuickReplyButton | UrlButton | PhoneButton, Field(discriminator="type")]


class TemplateButtons(Request):
    """What the message offers below its text."""

    type: Literal["BUTTONS"]
    buttons: list[TemplateButton] = Field(min_length=1, max_length=10)


def _type_of(value: Any) -> str | None:
    named = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return named if isinstance(named, str) else None


TemplateComponent = Annotated[
    Annotated[TemplateHeader, Tag("HEADER")]
    | Annotated[TemplateBody, Tag("BODY")]
    | Annotated[TemplateFooter, Tag("FOOTER")]
    | Annotated[TemplateButtons, Tag("BUTTONS")],
    Discriminator(_type_of),
]


class PutTemplate(Request):
    """A template of one's own, for numbers on WhatsApp Web. Its name and language are in the address."""

    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] = "UTILITY"
    components: list[TemplateComponent] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        types = [each.type for each in self.components]
        if "BODY" not in types:
            raise ValueError("a template needs a BODY")
        if len(set(types)) < len(types):
            raise ValueError("each component comes once at most")
        return self


class SyncTemplates(Request):
    """Take over what Meta has."""

    channel_id: UUID = Field(description="A number on Meta's Cloud API: its WhatsApp business account is asked.")


class SyncedTemplates(Contract):
    """What was taken over."""

    waba_id: str
    kept: int = Field(description="Templates of the account, as Meta has them now.")
    removed: int = Field(description="Those that Meta has no more.")
    passed_over: int = Field(description="Those that are larger than Meta allows, or have no name: not kept.")


class TemplateView(Contract):
    """A template in one language."""

    id: UUID
    name: str
    language: str
    category: str
    status: str = Field(description="Meta's word: it may be sent when it is APPROVED. Own ones always are.")
    source: Literal["meta", "workspace"] = Field(
        description="meta: taken over from Meta's account `waba_id`. workspace: your own, for WhatsApp Web."
    )
    waba_id: str | None
    components: list[dict[str, Any]] = Field(description="Meta's `components`.")
    status_at: AwareDatetime = Field(description="When the status was told.")
    updated_at: AwareDatetime
