"""Values that were said and values that were made up, as calls of several trades have them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Case(Struct, frozen=True):
    """One argument of one call: what had been said, what the model made of it."""

    said: str
    name: str
    value: Any
    grounded: bool
    schema: dict[str, Any] = {}
    results: tuple[str, ...] = ()
    system: str = ""

    @property
    def label(self) -> str:
        """For a test's name."""
        return f"{self.name}={self.value!r} from {(self.said or self.results or self.system)!r:.60}"


def said(text: str, name: str, value: Any, **schema: Any) -> Case:
    """The caller said it; several turns are divided by ``|``."""
    return Case(text, name, value, True, schema)


def made_up(text: str, name: str, value: Any, **schema: Any) -> Case:
    """The caller did not say it."""
    return Case(text, name, value, False, schema)


def found(result: str, name: str, value: Any, *, grounded: bool = True, **schema: Any) -> Case:
    """What an earlier tool answered is all there is."""
    return Case("yes please", name, value, grounded, schema, (result,))


EMAIL: dict[str, Any] = {"format": "email"}
PHONE: dict[str, Any] = {"format": "phone"}
DATE: dict[str, Any] = {"format": "date"}

SHOP = [
    said("Where is my order 10423?", "order_id", "10423"),
    said("It's order number one oh four two three.", "order_id", "10423"),
    said("my order is one zero four, two three", "order_id", "10423"),
    said("ten four twenty three", "order_id", "10423"),
    said("order ten thousand four hundred and twenty three", "order_id", 10423),
    said("Order 1 0 4 2 3.", "order_id", "ORD-10423"),
    said("I have an order, number ORD 10423.", "order_id", "ORD-10423"),
    said("the reference is A B one two three four", "reference", "AB-1234"),
    said("alpha bravo one two three four", "reference", "AB1234"),
    said("It's a as in apple, b as in boy, then 1234.", "reference", "AB1234"),
    said("A for apple, B for Bertie, double one, double two", "reference", "AB1122"),
    said("My code is triple seven four.", "pin", "7774", pattern=r"\d{4}"),
    said("the pin is four four one nine", "pin", "4419", pattern=r"\d{4}"),
    said("I'd like two of those.", "quantity", 2),
    said("I want to return the blue sweater", "reason", "The customer wants a refund."),
    said("It broke after a day", "reason", "Product broke after one day of use"),
    said("the sku is k seven p two x q", "sku", "K7P2XQ"),
    said("S K U kay seven pee two ex queue", "sku", "K7P2XQ"),
    said("my coupon is summer twenty", "promo_code", "SUMMER20"),
    said("can I pay in dollars", "currency_code", "USD", pattern=r"[A-Z]{3}"),
    said("tracking number 1Z 999 AA1 01 2345 6784", "tracking", "1Z999AA10123456784"),
    found('{"order": {"id": "ORD-77120", "status": "late"}}', "order_id", "ORD-77120"),
    found('{"orders": [{"id": 88001}, {"id": 88002}]}', "order_id", 88002),
    found('{"items": ["sku-4471-b"]}', "sku", "SKU-4471-B"),
    found("Two orders: 5512 and 5513.", "order_id", "5513"),
    made_up("Where is my order?", "order_id", "10423"),
    made_up("Where is my order?", "order_id", "12345"),
    made_up("Where is my order?", "order_id", ""),
    made_up("Where is my order?", "order_id", 12345),
    made_up("It's order 10423.", "order_id", "10432"),
    made_up("I'd like to return it", "order_id", "ORD-001234"),
    made_up("it is order one two", "order_id", "ORD-10423"),
    made_up("I want to cancel", "reference", "AB1234"),
    made_up("I forgot my code", "pin", "0000", pattern=r"\d{4}"),
    made_up("what's my pin", "pin", "1234", pattern=r"\d{4}"),
    made_up("the one with k", "sku", "K7P2XQ"),
    made_up("any discount?", "promo_code", "SUMMER20"),
    found('{"orders": [{"id": 88001}, {"id": 88002}]}', "order_id", 88003, grounded=False),
    found('{"order": {"id": "ORD-77120"}}', "order_id", "ORD-77121", grounded=False),
    found("No orders found.", "order_id", "ORD-77121", grounded=False),
]

REACHING_PEOPLE = [
    said("sam dot lee at gmail dot com", "email", "sam.lee@gmail.com", **EMAIL),
    said("It's sam.lee@gmail.com.", "email", "sam.lee@gmail.com", **EMAIL),
    said("S A M at example dot org", "email", "sam@example.org", **EMAIL),
    said("my email is Sam underscore Lee 42 at outlook.com", "email", "sam_lee42@outlook.com"),
    said("samlee forty two at hotmail dot com", "email", "samlee42@hotmail.com", **EMAIL),
    said("sam at G mail", "email", "sam@gmail.com", **EMAIL),
    said("j dash smith at my company dot co dot uk", "email", "j-smith@mycompany.co.uk", **EMAIL),
    said("Sam Lee, sierra alpha mike, at acme dot io", "email", "sam@acme.io", **EMAIL),
    said("It's info at café Rouge dot fr", "contact", "info@caferouge.fr", **EMAIL),
    said("five five five, oh one two three", "phone", "555-0123", **PHONE),
    said("My number is 415 555 0123.", "phone", "+14155550123", **PHONE),
    said("415 | um, 555 | and then 0123", "phone", "4155550123", **PHONE),
    said("four one five five five five zero one two three", "phone_number", "(415) 555-0123"),
    said("four fifteen, five fifty five, oh one twenty three", "phone", "415-555-0123", **PHONE),
    said("oh two oh, seven nine four six, double oh one eight", "phone", "02079460018", **PHONE),
    said("020 7946 0018", "phone", "+442079460018", **PHONE),
    said("555 0122, no sorry, 0123", "phone", "5550123", **PHONE),
    said("eight hundred, five five five, one two one two", "phone", "8005551212", **PHONE),
    said("area code 415. The number is 5550123.", "phone", "4155550123", pattern=r"\d{10}"),
    said("This is Ada Lovelace.", "name", "Ada Lovelace"),
    said("my name is ada, A D A, lovelace", "first_name", "Ada"),
    said("The name's Jon Smyth", "customer_name", "John Smith"),
    said("catherine o'neill", "full_name", "Kathryn O'Neil"),
    said("it's Müller, Jürgen Müller", "last_name", "Mueller"),
    said("M as in Mary, A, R, T, I, N", "last_name", "Martin"),
    said("I am doctor Nguyen", "name", "Dr. Nguyen"),
    said("It's for my wife Maria.", "passenger_name", "Maria"),
    said("j o s e garcía", "name", "José García"),
    found('{"customer": {"email": "ada@example.com", "phone": "+1 415 555 0123"}}',
          "email", "ada@example.com", **EMAIL),
    found('{"phone": "+1 415 555 0123"}', "phone", "+14155550123", **PHONE),
    found('{"name": "Ada Lovelace"}', "name", "Ada Lovelace"),
    found('{"n": "Jos\\u00e9 Garc\\u00eda"}', "name", "José García"),
    made_up("send it to my email", "email", "sam.lee@gmail.com", **EMAIL),
    made_up("I'm Sam Lee, email me", "email", "sam.lee@example.com", **EMAIL),
    made_up("My name is Sam. Send me an email.", "email", "sam@gmail.com", **EMAIL),
    made_up("it's at gmail", "email", "user@gmail.com", **EMAIL),
    made_up("sam at gmail dot com", "email", "peter@gmail.com", **EMAIL),
    made_up("email me please", "email", "customer@example.com"),
    made_up("email me please", "email", "", **EMAIL),
    made_up("call me back", "phone", "555-0123", **PHONE),
    made_up("call me back", "phone", "+15555555555", **PHONE),
    made_up("call me back on my mobile", "phone_number", "1234567890"),
    made_up("My number is 415 555 0123.", "phone", "4155550132", **PHONE),
    made_up("My number is 415.", "phone", "4155550123", **PHONE),
    made_up("I have two cars and 3 kids", "phone", "2345678901", **PHONE),
    made_up("I want a table", "name", "John Doe"),
    made_up("I want a table", "customer_name", "Jane Smith"),
    made_up("I want a table", "first_name", "Alex"),
    made_up("yes please", "last_name", "Customer"),
    made_up("this is Ada", "full_name", "Peter Miller"),
    made_up("hello there", "name", " "),
    found('{"name": "Ada Lovelace"}', "email", "ada.lovelace@example.com", grounded=False, **EMAIL),
    found('{"phone": "+1 415 555 0123"}', "phone", "+14155550199", grounded=False, **PHONE),
]  # fmt: skip

DATES = [
    said("tomorrow at seven", "date", "2026-11-23", **DATE),
    said("March third", "date", "2026-03-03", **DATE),
    said("on the third of March", "date", "2026-03-03"),
    said("3/3", "date", "2026-03-03", **DATE),
    said("next Friday please", "date", "2026-11-27", **DATE),
    said("in two weeks", "date", "2026-12-06", **DATE),
    said("the twenty second", "date", "2026-11-22", **DATE),
    said("the 22nd", "date", "2026-11-22", **DATE),
    said("on Christmas Eve", "date", "2026-12-24", **DATE),
    said("at the end of the month", "date", "2026-11-30", **DATE),
    said("born on the fifth of May nineteen eighty", "date_of_birth", "1980-05-05", **DATE),
    said("oh five, oh five, eighty", "date_of_birth", "1980-05-05", **DATE),
    said("May I come on May 4th", "date", "2026-05-04", **DATE),
    said("as soon as possible", "date", "2026-11-22", **DATE),
    said("am dritten März", "date", "2026-03-03", **DATE),
    said("mañana por favor", "date", "2026-11-23", **DATE),
    said("le 14 juillet", "date", "2026-07-14", **DATE),
    said("at seven thirty", "time", "19:30", format="time"),
    said("half past seven", "time", "19:30:00", format="time"),
    said("quarter to eight", "time", "19:45", format="time"),
    said("at noon", "time", "12:00", format="time"),
    said("sometime in the morning", "time", "09:00", format="time"),
    said("tomorrow at three", "start", "2026-11-23T15:00:00", format="date-time"),
    said("Friday, 3 pm", "start", "2026-11-27T15:00:00Z", format="date-time"),
    said("for 1830 on the 5th", "time", "18:30"),
    said("three three twenty six", "date", "03/03/2026", pattern=r"\d\d/\d\d/\d{4}"),
    found('{"slots": ["2026-03-03T10:00", "2026-03-04T11:30"]}', "slot", "2026-03-04T11:30"),
    found('{"slots": ["2026-03-03T10:00", "2026-03-04T11:30"]}', "date", "2026-03-03", **DATE),
    made_up("I need an appointment", "date", "2026-03-03", **DATE),
    made_up("I need an appointment", "time", "10:00", format="time"),
    made_up("May I have an appointment", "date", "2026-05-01", **DATE),
    made_up("March third", "date", "2026-04-03", **DATE),
    made_up("What do you have?", "start", "2026-03-03T10:00:00", format="date-time"),
    made_up("I am Ada Lovelace", "date_of_birth", "1980-01-01", **DATE),
    made_up("I am Ada Lovelace", "date_of_birth", "", **DATE),
    found('{"slots": ["2026-03-03T10:00"]}', "date", "2026-03-05", grounded=False, **DATE),
]

MONEY_AND_NUMBERS = [
    said("twelve fifty", "amount", 12.5),
    said("send twenty dollars", "amount", "20.00"),
    said("fifteen hundred", "amount", 1500),
    said("my account is 8841 2207", "account_number", "88412207"),
    said("double eight four one, two two oh seven", "account_number", "88412207"),
    said("card ending in four two four two", "last4", "4242", pattern=r"\d{4}"),
    said("4111 1111 1111 1111", "card_number", "4111111111111111"),
    said("four one one one and then all ones, so eleven eleven eleven eleven eleven eleven",
         "card_number", "4111111111111111"),
    said("G B two nine N W B K six oh one six", "iban", "GB29NWBK6016"),
    said("ninety four one oh seven", "zip", "94107", pattern=r"\d{5}"),
    said("nine four one oh seven", "zip_code", "94107"),
    said("E C one A one B B", "postcode", "EC1A 1BB"),
    said("policy number PX dash 99 01 7", "policy_number", "PX-99017"),
    said("ein zwei drei vier", "pin", "1234", pattern=r"\d{4}"),
    said("uno dos tres cuatro", "pin", "1234", pattern=r"\d{4}"),
    said("room twelve oh four", "room_number", "1204"),
    said("flight B A one seventeen", "flight_number", "BA117"),
    said("seven", "n", "7", pattern=r"\d+"),
    said("a dozen", "quantity", 12),
    said("it's page one I think", "page_number", 1),
    said("three people", "people", 3, minimum=1),
    found('{"card": "4111111111114242"}', "last4", "4242", pattern=r"\d{4}"),
    found("account 8841-2207 is open", "account_number", "88412207"),
    found('{"id": "123e4567-e89b-12d3-a456-426614174000"}', "id",
          "123e4567-e89b-12d3-a456-426614174000", format="uuid"),
    made_up("my account, please", "account_number", "88412207"),
    made_up("pay with my card", "card_number", "4111111111111111"),
    made_up("pay with my card", "last4", "4242", pattern=r"\d{4}"),
    made_up("near San Francisco", "zip", "94107", pattern=r"\d{5}"),
    made_up("I live in London", "postcode", "EC1A 1BB"),
    made_up("check my policy", "policy_number", "PX-99017"),
    made_up("what is my balance", "account_id", 100234),
    made_up("the same as last time", "id", "123e4567-e89b-12d3-a456-426614174000", format="uuid"),
    made_up("book the flight", "flight_number", "BA117"),
    made_up("my iban is somewhere", "iban", "GB29NWBK60161331926819"),
    made_up("three people at eight", "confirmation_code", "XK83PQ"),
    found('{"card": "4111111111114242"}', "last4", "4343", grounded=False, pattern=r"\d{4}"),
    found('{"ids": ["123e4567-e89b-12d3-a456-426614174000"]}', "id",
          "123e4567-e89b-12d3-a456-426614174001", grounded=False, format="uuid"),
]  # fmt: skip

NOT_TO_BE_REFUSED = [
    said("turn it up", "level", "high", enum=["low", "high"]),
    said("turn it up", "mode", "", enum=["", "loud"]),
    said("hi", "unit", "C", const="C"),
    said("hi", "limit", "100200", default="100200"),
    said("hi", "code", "AB1234", examples=["AB1234", "CD5678"]),
    said("hi", "confirmed", True),
    said("hi", "note", None),
    said("play some jazz", "query", "jazz music"),
    said("find me something to eat", "query", "restaurants nearby"),
    said("how is it in Paris", "city", "Paris"),
    said("a flight from San Francisco", "from", "SFO", pattern=r"[A-Z]{3}"),
    said("a flight from Heathrow", "airport_code", "LHR"),
    said("in German", "language_code", "de"),
    said("1234 Main Street", "address", "1234 Main St, Springfield"),
    said("it makes a noise", "description", "Car makes noise when braking at 3000 rpm"),
    said("show me May next year", "month", "May 2027"),
    said("a blue one", "product_id", "blue-sweater"),
    said("in the living room", "room_id", "living_room"),
    said("I spend twelve fifty", "price", "$12.50"),
    said("the iphone fifteen", "model", "iPhone 15"),
    said("five kilometres", "radius_meters", 5000),
    said("latitude of Berlin", "latitude", 52.52),
    said("the newest one", "year", 2026),
    said("my own account", "account_id", "me", description="'me' for the caller's own account"),
    Case("hello", "store_phone", "+1 415 555 0100", True, PHONE, (), "Our phone: (415) 555-0100."),
    Case("hello", "queue_id", "Q-20045", True, {}, (), "Route billing calls to queue Q-20045."),
]

# Corrections, slips, codes read out in odd ways, what models write when they know nothing.
ODD = [
    said(
        "No, with a K. | katherine | it was catherine at gmail dot com",
        "email",
        "katherine@gmail.com",
        **EMAIL,
    ),
    said(
        "catherine at gmail dot com | no, catherine with a k",
        "email",
        "katherine@gmail.com",
        **EMAIL,
    ),
    said("I'm at bob@acme.com", "contact_email", "Bob@acme.com", **EMAIL),
    said("one-800-555-0199", "phone", "18005550199", **PHONE),
    said("It's 0176 55 51 23 4", "phone", "+491765551234", **PHONE),
    said(
        "plus four nine one seven six five five five one two three four",
        "phone",
        "+491765551234",
        **PHONE,
    ),
    said("six one seven five five five one two one two", "phone", "6175551212", **PHONE),
    said("six seventeen five five five twelve twelve", "phone", "6175551212", **PHONE),
    said("order number five thousand and twelve", "order_id", "5012"),
    said("a hundred and five", "room_number", "105"),
    said("number one hundred twenty three", "order_number", "123"),
    said("ticket 0 0 0 4 2 1", "ticket_id", "000421"),
    said("invoice 2026 dash 17", "invoice_id", "INV-2026-0017"),
    said("INV2026-17", "invoice_number", "INV-2026-17"),
    said("zero zero seven", "agent_id", "007"),
    said("the second one | ok", "date", "2026-12-02", **DATE),
    said("Can we do next month", "date", "2026-12-15", **DATE),
    said("around quarter past", "time", "10:15", format="time"),
    said("eleven fifteen", "time", "11:15"),
    said("four thirty in the afternoon", "time", "16:30"),
    said("sixteen hundred hours", "time", "16:00"),
    said("my name is Xi, x i", "first_name", "Xi"),
    said("I'm Bo", "name", "Bo"),
    said("this is Dr Van der Berg", "last_name", "van der Berg"),
    said("Ms. Lee-Smith", "last_name", "Lee-Smith"),
    said("D'Angelo", "last_name", "D'Angelo"),
    said("McDonald", "last_name", "McDonald"),
    said("mac donald", "last_name", "MacDonald"),
    said("It's Ng, N G", "last_name", "Ng"),
    said("меня зовут Иван Петров", "name", "Ivan Petrov"),
    said("私は田中です", "name", "Tanaka"),
    said("電話番号は 03 1234 5678", "phone", "+81312345678", **PHONE),
    said("my id's A 1 B 2 C 3", "user_id", "a1b2c3"),
    said("user name is cool cat ninety nine", "username", "coolcat99"),
    said("cool underscore cat", "username", "cool_cat"),
    said("at sign karen wong", "handle", "@karenwong"),
    said("the big white one", "product_id", "WHITE-LARGE"),
    said("Let's book a dentist appointment", "name", "Dentist Appointment"),
    said("I need milk and eggs", "name", "Shopping list"),
    said("for two people at seven", "party_size", 2),
    said("forty two dollars", "amount_cents", 4200),
    said("the meeting with Tom", "title", "Meeting with Tom"),
    said("v as in victor eleven o two", "code", "V1102"),
    said("m like mary n like nancy 4 4 5", "code", "MN445"),
    said("code is L, 0, S, T", "code", "LOST"),
    said("double u w w dot acme dot com", "website", "https://www.acme.com", format="uri"),
    said(
        "vin is one H G C M eight two six three three A zero zero four three five two",
        "vin",
        "1HGCM82633A004352",
    ),
    made_up("hi", "vin", "1HGCM82633A004352"),
    made_up("what are my bookings", "user_id", "user_123"),
    made_up("what are my bookings", "customer_id", "CUST-001"),
    made_up("what are my bookings", "customer_id", "12345"),
    made_up("what are my bookings", "customer_id", 12345),
    made_up("what are my bookings", "account_id", "default"),
    made_up("set a reminder", "phone", "123-456-7890"),
    made_up("hello", "order_id", "unknown"),
    made_up("hello", "order_id", "N/A"),
    made_up("hello", "email", "unknown@unknown.com"),
    made_up("hello", "email", "not provided", **EMAIL),
    made_up("hello", "phone", "unknown", **PHONE),
    made_up("hello", "name", "Unknown"),
    made_up("hello", "name", "User"),
    made_up("book it for ten", "confirmation_number", "10101010"),
    made_up("i am 25 and have 2 kids born in 2014 and 2016", "ssn", "252-20-1416"),
]

CASES = {
    "shop": SHOP,
    "reaching people": REACHING_PEOPLE,
    "dates": DATES,
    "money and numbers": MONEY_AND_NUMBERS,
    "not to be refused": NOT_TO_BE_REFUSED,
    "odd": ODD,
}
