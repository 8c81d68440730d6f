"""What clients send: text that no database takes is refused where its field can be named."""

import pytest
from blazz_contracts.views.campaign import CampaignText
from blazz_contracts.views.channel import CreateChannel, UpdateChannel
from blazz_contracts.views.contact import CreateContact
from blazz_contracts.views.session import CreateSession, PairSession
from pydantic import BaseModel, ValidationError

CHANNEL = {
    "name": "Shop",
    "phone_number_id": "100000000000001",
    "waba_id": "200000000000001",
    "access_token": "a",
    "app_secret": "b",
    "verify_token": "c",
}


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (CreateContact, {"phone": "+31612345678"}, "name"),
        (CreateChannel, CHANNEL, "name"),
        (CreateChannel, CHANNEL, "display_phone_number"),
        (UpdateChannel, {}, "name"),
    ],
)
def test_a_nul_character_is_refused_and_its_field_named(
    model: type[BaseModel], given: dict[str, str], field: str
) -> None:
    assert model.model_validate({**given, field: "Ada"})
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**given, field: "A\0da"})
    assert [each["loc"] for each in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(("model", "field"), [(CreateSession, "name"), (CampaignText, "body")])
def test_only_white_space_is_refused_and_its_field_named(model: type[BaseModel], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({field: " \n "})
    assert [each["loc"] for each in refused.value.errors()] == [(field,)]


def test_a_sessions_name_is_kept_without_the_space_around_it() -> None:
    assert CreateSession(name="  Shop ").name == "Shop"


@pytest.mark.parametrize("model", [CreateContact, PairSession])
def test_a_phone_that_is_none_is_told_how_to_be_written(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match=r"write digits with the country code, such as \+4915112345678"):
        model.model_validate({"phone": "0151/12345678"})
