"""What Meta's errors mean: whether it is worth trying again, and in plain words why not."""

from __future__ import annotations

from user360.channels.bringing import Locked, Permanent, Temporary
from user360.channels.whatsapp.payload import Trouble

# These pass by themselves.
BUSY = {
    1: "WhatsApp had an error of its own",
    2: "WhatsApp is overloaded or down",
    4: "WhatsApp takes no more calls of this app for a while",
    80007: "WhatsApp takes no more calls of this account for a while",
    130429: "More messages were sent than this number may send at once",
    131000: "WhatsApp had an error of its own",
    131016: "WhatsApp is overloaded or down",
    131048: "This number may send less for now, because messages were reported as spam",
    131056: "Too many messages went to this customer in a short time",
    131057: "The WhatsApp account is being maintained",
    133004: "WhatsApp is overloaded or down",
}
# These pass when somebody mends the settings; until then messages wait.
LOCKED = {
    0: "WhatsApp refuses the access token: put in a new one",
    3: "The access token may not send messages: give it the permission for it",
    10: "The access token may not send messages: give it the permission for it",
    190: "The access token has expired: put in a new one",
}
REFUSED = {
    33: "This phone number id is not there any more",
    100: "WhatsApp does not accept this message",
    368: "WhatsApp has blocked the account for breaking its rules",
    130472: "WhatsApp leaves this customer out of an experiment",
    130497: "This account may not write to customers in this country",
    131005: "The access token may not send messages: give it the permission for it",
    131008: "WhatsApp does not accept this message",
    131009: "WhatsApp does not accept this message",
    131021: "A number cannot write to itself",
    131026: "The customer cannot be reached: the number is not on WhatsApp, or has an old version",
    131030: "This number is not among those that a test number may write to",
    131031: "WhatsApp has locked the account",
    131042: "The WhatsApp account has trouble with its payment",
    131045: "The phone number is not registered with WhatsApp",
    131047: "The customer wrote more than 24 hours ago; WhatsApp allows only templates then",
    131049: "WhatsApp chose not to deliver it, to keep people engaged",
    131050: "The customer has asked not to get such messages",
    131051: "WhatsApp does not know this kind of message",
    131052: "WhatsApp could not fetch the file",
    131053: "WhatsApp does not take this file: its type or its size",
    133010: "The phone number is not registered with WhatsApp",
}


def words_of(told: Trouble) -> str:
    """Why, for who reads the inbox; the code is in it, so that it can be looked up."""
    known = {**BUSY, **LOCKED, **REFUSED}.get(told.code, "WhatsApp refused it")
    return f"{known} (code {told.code})"


def error_of(status: int, told: Trouble | None, after: float = 0) -> Temporary | Permanent:
    """What an answer with this HTTP status means, with the error that came in it if one did."""
    if told is not None and told.code in REFUSED:
        return Permanent(words_of(told))
    if told is not None and 200 <= told.code <= 299:
        return Locked(f"{LOCKED[10]} (code {told.code})", after)
    # An answer without any code is no error of Meta's with the number 0.
    if told is not None and told.code in LOCKED and (told.code or told.message):
        return Locked(words_of(told), after)
    if told is not None and told.code in BUSY:
        return Temporary(words_of(told), after)
    if status == 401:
        return Locked(f"{LOCKED[0]} (status 401)", after)
    if status in (403, 408, 429) or status >= 500 or 300 <= status < 400:
        return Temporary(f"WhatsApp answered with status {status}", after)
    if told is not None:
        return Permanent(words_of(told))
    return Permanent(f"WhatsApp refused it with status {status}")
