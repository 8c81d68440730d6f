"""Phone numbers as people write them in lists."""

# What people put between the digits, the ones that spreadsheets add included (no-break space, narrow one, apostrophe).
_BETWEEN = str.maketrans("", "", " \t-–./()'\u00a0\u202f\u200e\u202a\u202c")
# ITU-T E.164: country code and number have 15 digits at most; 7 is the shortest number WhatsApp is known to take.
_SHORTEST, _LONGEST = 7, 15


def digits(written: str) -> str | None:
    """Return the digits in international form, or None when this can be no such number.

    Whether the number exists is for WhatsApp to say: number ranges change faster than any library of them.
    """
    bare = written.translate(_BETWEEN)
    if bare.startswith("+"):
        bare = bare[1:]
    elif bare.startswith("00"):
        bare = bare[2:]
    # No country's code begins with 0: that is a number as it is dialled inside its country.
    if not (_SHORTEST <= len(bare) <= _LONGEST and bare.isascii() and bare.isdigit() and bare[0] != "0"):
        return None
    return bare
