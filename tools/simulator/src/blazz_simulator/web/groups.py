"""Groups: made by the phone's owner, or on one of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .addresses import new_group_address
from .group import Group
from .line import Line

if TYPE_CHECKING:
    from .state import Web


def make_group(state: Web, line: Line, subject: str, members: list[str]) -> Group:
    """Make a group of the phone and customers; every linked phone among them knows it at once."""
    everybody = list(dict.fromkeys([line.display_phone_number, *members]))
    group = Group(new_group_address(), subject, line.display_phone_number, everybody)
    for number in everybody:
        known = state.lines.get(number)
        if known is not None:
            known.groups[group.address] = group
            state.register.keep(known)
            known.tell({"e": "group", "group": group.view()})
    return group
