"""The exchanges that are the same in every conversation."""

from __future__ import annotations

import re
from typing import NamedTuple

from antiphon_providers.local.dialogue.choosing import phrase
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.memory import memory_of
from antiphon_providers.local.dialogue.persona import opener
from antiphon_providers.local.dialogue.results import spoken_results
from antiphon_providers.local.dialogue.values import yes_or_no
from antiphon_providers.local.dialogue.words import core, listed, words

_LONGEST_REPLY_TO_A_QUESTION = 4
JOKES = (
    "Why did the computer go to the doctor? It had a virus.",
    "I would tell you a joke about the network, but you might not get it.",
    "Why was the math book sad? It had too many problems.",
    "What do you call a bear with no teeth? A gummy bear.",
)


class Exchange(NamedTuple):
    """What is said, as a pattern of the whole plain utterance, and what may be answered."""

    said: re.Pattern[str]
    answers: tuple[str, ...]


def _exchange(said: str, *answers: str) -> Exchange:
    return Exchange(re.compile(said), answers)


_YOU = "(?: (?:today|tonight|doing|doing today|this morning|this evening|there))*"
EXCHANGES = (
    _exchange(
        rf"(?:(?:hi|hello|hey) )*(?:how are you{_YOU}|how is it going|how do you do|what is up"
        rf"|how have you been"
        rf"|are you (?:well|ok|okay|alright))(?: today)?",
        "I'm fine, thank you. How can I help?",
        "Very well, thanks for asking. What can I do for you?",
    ),
    _exchange(
        r"(?:(?:hello|hi|hey) )*(?:can you hear me|do you hear me|are you there"
        r"|are you still there|anybody there"
        r"|is anyone there|are you listening|testing|test|mic check|hello hello)(?: .{0,20})?",
        "Yes, I can hear you.",
        "I hear you. Go ahead.",
    ),
    _exchange(
        r"(?:no |great |perfect |all right |cool |many |yes )*(?:thanks|thank you"
        r"|thank you very much|cheers|much appreciated"
        r"|that is (?:very )?(?:kind|helpful|all|it|perfect|great|everything))"
        r"(?: .{0,24})?(?: thanks| thank you)?",
        "You're welcome. Is there anything else?",
        "My pleasure. Anything else?",
    ),
    _exchange(
        r"(?:thanks |thank you |okay |no |all right |well )*(?:goodbye|good bye|bye(?: bye)?"
        r"|see you.*|talk to you later|have a (?:nice|good|great) .*"
        r"|good night|take care|that will be all|i have to go(?: now)?|hang up)(?: .{0,20})?",
        "Goodbye!",
        "Bye, and take care.",
    ),
    _exchange(
        r"(?:i am )?(?:so |very |really )?sorry(?: about that)?|my (?:bad|mistake)|excuse me"
        r"|apologies",
        "No problem at all.",
        "That's quite all right.",
    ),
    _exchange(
        r"(?:please )?(?:tell me|do you know|say|i want to hear|give me|how about"
        r"|know)?(?: (?:a|any|another|some|one more))* ?"
        r"(?:good |funny )?(?:jokes?|something funny)(?: please)?|make me laugh|another(?: one)?",
        *JOKES,
    ),
    _exchange(
        r"(?:you are |that is |that was |it is )?(?:so |very |really |pretty )?(?:good|great"
        r"|nice|cool|awesome|amazing|funny|perfect"
        r"|excellent|wonderful|interesting|lovely|well done|good job|smart)(?: .{0,12})?"
        r"|i (?:like|love) (?:you|it|that)|wow|haha.*|ha",
        "Thank you.",
        "I'm glad to hear that.",
    ),
    _exchange(
        r"(?:you are |that is |this is )?(?:so |very |really )?(?:stupid|dumb|useless|wrong"
        r"|not right|bad|terrible|annoying|not what i (?:said|meant|asked).*"
        r"|incorrect)(?: .{0,20})?|you (?:do not|did not) understand.*|i hate (?:you|this)",
        "I'm sorry. Please tell me again in other words.",
        "Sorry about that. I'm only a small program. How would you put it in a few words?",
    ),
    _exchange(
        r"(?:please )?(?:stop|cancel|never ?mind|forget (?:it|that|about it)|be quiet|shut up"
        r"|quiet|enough|stop (?:it|that|talking)"
        r"|cancel (?:it|that)|nothing)(?: please)?",
        "All right, I'll stop.",
        "Okay. I'm here when you need me.",
    ),
    _exchange(
        r"(?:wait|hold on|one (?:moment|second)|just a (?:moment|second|minute)|hang on"
        r"|give me a (?:moment|second|minute)"
        r"|let me (?:think|see|check))(?: .{0,20})?",
        "Take your time.",
        "Of course. I'll wait.",
    ),
    _exchange(
        r"(?:can|could) (?:i|you) (?:ask|help|do) (?:you )?(?:a question|something|me"
        r"|me with something|me a favour|something for me)",
        "Of course. What is it?",
        "Sure, go ahead.",
    ),
    _exchange(
        r"(?:can you |could you |please )*(?:speak|talk|be)(?: up| louder| quieter"
        r"| more quietly)(?: please)?|louder|quieter",
        "I can't change my volume, but you can turn your speaker up or down.",
    ),
    _exchange(
        r"(?:what is )?(?:the )?meaning of life|what is the answer to (?:life.*|everything)",
        "Forty-two, they say. I only do the arithmetic.",
    ),
    _exchange(r"i am (?:fine|good|great|well|okay|ok|all right|very well)(?: .{0,20})?",
              "Good to hear. What can I do for you?"),
    _exchange(
        r"i am (?:\w+ )?(?:sad|tired|sick|upset|angry|lonely|not (?:good|well"
        r"|so good))(?: .{0,20})?",
              "I'm sorry to hear that. Is there something I can do?"),
)  # fmt: skip
_GREETING = re.compile(
    r"(?:(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: there"
    r"| again| everyone)*)+(?: [\w']+)?"
)
_ABILITIES = re.compile(
    r"(?:please )*(?:help(?: me)?|what (?:can|could|else can) (?:you|i) (?:do|help(?: me)? with"
    r"|say|ask)(?: .{0,24})?"
    r"|what are you (?:good|able) .*|how can you help(?: me)?|how does this work|what (?:do"
    r"|should) i (?:say|do)"
    r"|what are my options|i (?:need|want) (?:some )?help)(?: here| for me)?"
)
_AGAIN = re.compile(
    r"(?:sorry |pardon |um |i am sorry |no )*(?:(?:can|could|would"
    r"|will) you )?(?:please )?(?:say|repeat|tell me)(?: (?:that|it|this|yourself"
    r"|the last \w+))*"
    r"(?: again| once more| one more time| (?:more )?slow(?:ly|er))*(?: please)?"
    r"|(?:sorry )?(?:pardon(?: me)?|come again|what|what was that|what did you (?:just )?say"
    r"|repeat|again|once more|slower|more slowly|huh)"
    r"|(?:sorry )?i (?:did not|could not|cannot|do not) (?:catch|hear|get|understand) (?:that"
    r"|you|it|what you said)(?: .{0,30})?"
    r"|(?:can you |please )*(?:speak|talk|go) (?:more slowly|slower|slowly)(?: please)?"
)

_BARE = re.compile(
    r"(yes|yeah|yep|yup|sure|correct|right|of course|definitely|absolutely|true|okay|ok|exactly"
    r"|indeed"
    r"|no|nope|nah|not (?:now|really|today|yet)|go ahead|please do)\b"
)


def chatted(conversation: Conversation) -> Answer | None:
    """Greetings, thanks, goodbyes and the like."""
    told = core(conversation.utterance or "")
    for said, answers in EXCHANGES:
        if said.fullmatch(told):
            return Answer(varied(conversation, answers))
    if not _GREETING.fullmatch(told):
        return None
    name = memory_of(conversation.heard).name
    if name and conversation.last_said:
        return Answer(varied(conversation, (f"Hello, {name}.", f"Hi {name}. How can I help?")))
    return Answer(opener(conversation))


def helped(conversation: Conversation) -> Answer | None:
    """Says what it can do: the tools first, because they are why it was called."""
    if not _ABILITIES.fullmatch(core(conversation.utterance or "")):
        return None
    own = ["tell the time", "do arithmetic", "spell words", "remember what you tell me"]
    tools = [phrase(tool) for tool in conversation.tools[:4]]
    if conversation.rules:
        own = ["answer questions about us", *own[:2]]
    return Answer(f"I can {listed(tools + own, 'or')}. What would you like?")


def repeated(conversation: Conversation) -> Answer | None:
    """Says the last words again."""
    if not _AGAIN.fullmatch(core(conversation.utterance or "")):
        return None
    before = conversation.turns[:-1]
    if before and before[-1].role == "tool":
        return Answer(spoken_results([before[-1]]))
    said = conversation.last_said
    if not said:
        return Answer("I haven't said anything yet. What can I do for you?")
    opening = "I said: "
    return Answer(f"{opening}{said.removeprefix(opening)}")


def agreed(conversation: Conversation) -> Answer | None:
    """A bare yes or no, understood from what was asked before."""
    utterance = conversation.utterance or ""
    answer = yes_or_no(utterance)
    if answer is None or not _BARE.match(core(utterance)):
        return None
    if len(words(utterance)) > _LONGEST_REPLY_TO_A_QUESTION:
        return None
    asked = conversation.last_said.endswith("?")
    more = re.search(r"(?i)anything else|something (?:else|i can)", conversation.last_said)
    if answer:
        return Answer(
            varied(conversation, ("Good. Please go ahead.", "All right. What would you like?"))
        )
    if more:
        return Answer("All right. Have a nice day!")
    return Answer(varied(conversation, (
        "All right. What can I do instead?" if asked else "Okay. What would you like?",
        "No problem. Just tell me what you need.",
    )))  # fmt: skip
