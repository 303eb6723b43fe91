"""The words in which numbers, letters and dates are said: tables of ``spoken``.

Folded: without capitals and accents. English, and of the other languages of the hosted service
(German, Spanish, French, Italian, Portuguese) what reads out a number or a date.
"""

from __future__ import annotations


def table(text: str) -> list[str]:
    """The words of a table that is written as text."""
    return text.split()


UNITS = {
    word: value
    for value, words in enumerate(
        (
            "zero oh o nought null nil cero", "one eins ein uno un",
            "two zwei zwo dos deux dois duas",
            "three drei tres trois tre", "four vier cuatro quatre quattro quatro",
            "five funf cinco cinq cinque", "six sechs seis sei", "seven sieben siete sette sete",
            "eight acht ocho huit otto oito", "nine neun nueve neuf nove",
            "ten zehn diez dieci dez",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen",
        )
    )
    for word in table(words)
}  # fmt: skip
TENS = {
    word: 10 * value
    for value, word in enumerate(table("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
} | {"fourty": 40}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
ORDINALS = {
    word: value
    for value, word in enumerate(
        table("""first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
        thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"""),
        1,
    )
} | {"thirtieth": 30}
AMOUNTS = {"once": 1, "single": 1, "couple": 2, "pair": 2, "both": 2, "twice": 2, "dozen": 12}
TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
ORDINAL_ENDS = frozenset({"st", "nd", "rd", "th"})

ALPHABET = {
    word: word[0]
    for word in table("""alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet
        juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor
        whiskey whisky xray yankee zulu""")
}
LETTER_NAMES = {
    word: letter
    for letter, words in {
        "a": "ay eh", "b": "bee be", "c": "see cee sea", "d": "dee", "e": "ee", "f": "eff ef",
        "g": "gee jee", "h": "aitch haitch", "i": "eye", "j": "jay", "k": "kay", "l": "el ell",
        "m": "em", "n": "en", "p": "pee", "q": "queue cue", "r": "are ar", "s": "ess",
        "t": "tea tee", "u": "you", "v": "vee", "x": "ex", "y": "why", "z": "zee zed",
    }.items()
    for word in table(words)
}  # fmt: skip
SIGNS = frozenset(table("at dot point period dash hyphen minus underscore plus space slash hash"))
INSTEAD = frozenset({"as", "for", "like"})

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar enero janvier gennaio janeiro",
            "february feb februar febrero fevrier febbraio fevereiro",
            "march mar marz marzo mars marco", "april apr abril avril aprile",
            "may mai mayo maggio maio", "june jun juni junio juin giugno junho",
            "july jul juli julio juillet luglio julho", "august aug agosto aout",
            "september sept sep septiembre septembre settembre setembro",
            "october oct oktober octubre octobre ottobre outubro",
            "november nov noviembre novembre novembro",
            "december dec dezember diciembre decembre dicembre dezembro",
        ),
        1,
    )
    for word in table(words)
}  # fmt: skip
MAY = "may"

DAY_WORDS = frozenset(
    table("""today tonight tomorrow yesterday now soon asap later immediately day days week weeks
    weekend month months year years fortnight monday tuesday wednesday thursday friday saturday
    sunday mon tue tues wed thu thurs fri sat sun morning afternoon evening night christmas eve
    easter halloween thanksgiving valentine birthday anniversary earliest latest soonest
    heute morgen ubermorgen gestern jetzt woche wochen monat montag dienstag mittwoch donnerstag
    freitag samstag sonnabend sonntag wochenende
    hoy manana ayer ahora semana semanas mes lunes martes miercoles jueves viernes sabado domingo
    aujourd'hui demain hier maintenant semaine semaines mois lundi mardi mercredi jeudi vendredi
    samedi dimanche oggi domani ieri adesso settimana mese lunedi martedi mercoledi giovedi venerdi
    domenica hoje amanha ontem agora segunda terca quarta quinta sexta""")
)
"""After one of these any date may be meant."""
HOUR_WORDS = frozenset(
    table("""noon midday midnight morning afternoon evening tonight night lunch lunchtime dinner
    breakfast now soon asap later immediately anytime half quarter past hour hours minute
    minutes o'clock clock earliest soonest mittag abend morgen nachmittag
    mitternacht uhr mediodia medianoche tarde noche midi minuit soir
    matin apres heures mezzogiorno mezzanotte sera mattina noite manha""")
)
"""After one of these any time may be meant."""
