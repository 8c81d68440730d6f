"""Meta's error codes: title, usual HTTP status, and a sentence.

Source: "Cloud API error codes" at developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes.
"""

from typing import NamedTuple


class ErrorCode(NamedTuple):
    """What is known of a code."""

    title: str
    http: int
    details: str


_CODES: dict[int, ErrorCode] = {
    0: ErrorCode("AuthException", 401, "We were unable to authenticate the app user."),
    1: ErrorCode("API Unknown", 400, "Invalid request or possible server error."),
    2: ErrorCode("API Service", 503, "Temporary due to downtime or due to being overloaded."),
    3: ErrorCode("API Method", 500, "Capability or permissions issue."),
    4: ErrorCode("API Too Many Calls", 400, "The app has reached its API call rate limit."),
    10: ErrorCode("Permission Denied", 403, "Permission is either not granted or has been removed."),
    33: ErrorCode("Parameter value is not valid", 400, "The business phone number has been deleted."),
    100: ErrorCode("Invalid parameter", 400, "The request included an unsupported or misspelled parameter."),
    104: ErrorCode("An access token is required to request this resource.", 401, "Send Authorization: Bearer."),
    190: ErrorCode("Invalid OAuth access token - Cannot parse access token", 401, "The access token is not valid."),
    200: ErrorCode("API Permission", 403, "Permission is either not granted or has been removed."),
    368: ErrorCode("Temporarily blocked for policies violations", 403, "The account has been restricted or disabled."),
    80007: ErrorCode("Rate limit issues", 400, "The WhatsApp Business Account has reached its rate limit."),
    130403: ErrorCode("Business restricted from messaging this user", 403, "Messages to this user are not allowed."),
    130429: ErrorCode("Rate limit hit", 429, "Cloud API message throughput has been reached."),
    130472: ErrorCode("User's number is part of an experiment", 400, "Failed as the user is part of an experiment."),
    130497: ErrorCode(
        "Business account is restricted from messaging users in this country.",
        403,
        "The account is restricted from messaging users in certain countries.",
    ),
    131000: ErrorCode("Something went wrong", 500, "Message failed to send due to an unknown error."),
    131005: ErrorCode("Access denied", 403, "Permission is either not granted or has been removed."),
    131008: ErrorCode("Required parameter is missing", 400, "The request is missing a required parameter."),
    131009: ErrorCode("Parameter value is not valid", 400, "One or more parameter values are invalid."),
    131016: ErrorCode("Service unavailable", 503, "A service is temporarily unavailable."),
    131021: ErrorCode("Recipient cannot be sender", 400, "Sender and recipient phone number is the same."),
    131026: ErrorCode("Message undeliverable", 400, "Unable to deliver message: the recipient may not use WhatsApp."),
    131030: ErrorCode("Recipient phone number not in allowed list", 400, "Add the recipient to the allowed list."),
    131031: ErrorCode("Account has been locked", 403, "The account has been restricted or disabled."),
    131042: ErrorCode("Business eligibility payment issue", 400, "There was an error related to the payment method."),
    131045: ErrorCode("Incorrect certificate", 500, "Message failed due to a phone number registration error."),
    131047: ErrorCode(
        "Re-engagement message",
        400,
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131048: ErrorCode("Spam rate limit hit", 400, "Too many previous messages were blocked or flagged as spam."),
    131049: ErrorCode(
        "Meta chose not to deliver",
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
    ),
    131050: ErrorCode(
        "User has stopped marketing messages",
        400,
        "The recipient has chosen to stop receiving marketing messages from your business.",
    ),
    131051: ErrorCode("Message type unknown", 400, "Message type is currently not supported."),
    131052: ErrorCode("Media download error", 400, "Unable to download the media sent by the user."),
    131053: ErrorCode("Media upload error", 400, "Unable to upload the media used in the message."),
    131056: ErrorCode(
        "(Business Account, Consumer Account) pair rate limit hit",
        400,
        "Too many messages sent from the sender phone number to the same recipient phone number.",
    ),
    131057: ErrorCode("Account in maintenance mode", 500, "The business account is in maintenance mode."),
    131063: ErrorCode("Account messaging is restricted", 403, "The account cannot send messages for now."),
    131064: ErrorCode("Account has reached its messaging limit", 403, "Template classification violations."),
    132000: ErrorCode(
        "Number of parameters does not match the expected number of params",
        400,
        "The number of variable parameter values did not match the number of variables of the template.",
    ),
    132001: ErrorCode(
        "Template name does not exist in the translation",
        404,
        "The template does not exist in the specified language or has not been approved.",
    ),
    132005: ErrorCode("Template hydrated text too long", 400, "Translated text is too long."),
    132007: ErrorCode("Template format character policy violated", 400, "Template content violates a policy."),
    132012: ErrorCode("Parameter format does not match format in the created template", 400, "Check the parameters."),
    132015: ErrorCode("Template is paused", 400, "Template is paused due to low quality."),
    132016: ErrorCode("Template is disabled", 400, "Template has been paused too many times and is now disabled."),
    132068: ErrorCode("Flow is blocked", 400, "Flow is in blocked state."),
    133004: ErrorCode("Server temporarily unavailable", 503, "Server is temporarily unavailable."),
    133010: ErrorCode(
        "Phone number not registered", 400, "Phone number not registered on the WhatsApp Business Platform."
    ),
    135000: ErrorCode("Generic user error", 400, "Message failed to send because of an unknown error."),
}

_TRANSIENT = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004})


def describe(code: int) -> ErrorCode:
    """Return title, HTTP status and sentence of a code; a general one for codes not listed."""
    return _CODES.get(code) or ErrorCode("Error", 400, "An error occurred.")


def is_transient(code: int) -> bool:
    """Say whether Meta marks this code as worth another try."""
    return code in _TRANSIENT
