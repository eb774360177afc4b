"""Fictional replies to customer messages, by the queue that they belong to: the right one is a good answer, any other a bad one.

All are written in one style, so that what tells a good answer from a bad one is what it says.
"""

from __future__ import annotations

REPLIES: dict[str, tuple[str, ...]] = {
    "billing": (
        "Your payment reached us this morning and the order is now marked as paid.",
        "The second charge was a reservation by your bank and will disappear within five days.",
        "I have sent a corrected invoice with your company's name to the address on file.",
        "The discount was taken off the total, as the third line of the invoice shows.",
        "Please send us the reference of the transfer so that we can look for the money.",
        "Paying in three parts is possible; the first part is due when the goods leave us.",
        "We have cancelled the reminder, since your transfer crossed it on the way.",
        "A receipt for each month is kept under the heading Documents of your customer page.",
        "The currency was converted by your card's bank, at the rate of the day of booking.",
    ),
    "delivery": (
        "The parcel is with the carrier and should be at your door before Thursday evening.",
        "I have asked the driver to leave it with the neighbour that you named.",
        "It was sent to the old address; we have had it turned round and pay for the way.",
        "A new delivery date can be chosen under the link in the message from the carrier.",
        "The second box travels separately and is one day behind the first.",
        "We have started a search for the parcel, which takes two working days.",
        "Customs have let it through, so the last part of the way begins tonight.",
        "The large item comes with two people who carry it up to the flat.",
        "Your order waits at the shop in the station until the end of next week.",
    ),
    "returns": (
        "The label for sending it back is attached; any post office will take the box.",
        "You may return it within thirty days, also when the box has been opened.",
        "The refund leaves us as soon as the goods have been looked over in the warehouse.",
        "We will exchange it for the next size, and you keep the first until then.",
        "Please put the screws into the bag again, since parts that are missing are charged.",
        "The broken one may stay with you; a new one is already being packed.",
        "A courier collects the old machine on the day that suits you best.",
        "Gifts can be returned as well, and the giver is not told about it.",
        "For goods on sale there is a voucher in place of the money.",
    ),
    "account": (
        "A link for a new password is on its way and works for one hour.",
        "We have merged both profiles, and the points of the older one are kept.",
        "Your birthday can be hidden with the switch at the end of the profile page.",
        "The e-mail address is changed once you have confirmed it from the new one.",
        "The account was locked after five wrong passwords and is open again now.",
        "To leave for good, choose Close account; your data is deleted after a month.",
        "Newsletters are switched off, which can take until tomorrow to show.",
        "A second person can be given access under the heading Household.",
        "The code is sent to the old telephone; give us the new number in the form.",
    ),
    "technical": (
        "Hold the button for ten seconds until the light turns white, then connect it again.",
        "The update of last night had a fault; the one of today puts it right.",
        "Place the hub nearer to the router, because the thick wall weakens the signal.",
        "The lamp works with the older app only, which can be had on the support page.",
        "Clean the contacts of the battery with a dry cloth and charge it over night.",
        "The noise comes from the fan, and the guide shows how to take out the dust.",
        "Delete the device in the app and add it again with the number on its back.",
        "The sensor needs a free view of the door; a finger's breadth to the left will do.",
        "Error seven means that the water is turned off at the tap.",
    ),
}
