"""A small task that is learned in seconds, as files that commands read."""

import json

THINGS = {
    "kitchen": "oven kettle fridge sink dishwasher toaster saucepan cutlery",
    "garden": "lawn hedge roses sprinkler greenhouse compost orchard wheelbarrow",
    "garage": "tyre engine brakes gearbox bumper clutch radiator headlight",
}
PHRASES = (
    "the {} is broken",
    "please have a look at the {} today",
    "who takes care of our {}?",
    "something is wrong with the {}, can you help",
    "there is a strange smell near the {}",
)
ROWS = [
    {"text": phrase.format(thing), "label": label}
    for phrase in PHRASES
    for label, things in THINGS.items()
    for thing in things.split()
]


def settings(model: str, listen: str) -> str:
    labels = "".join(
        f'[tasks.desk.labels.{name}]\nmeans = "Everything in the {name}"\n'
        f'emoji = {{ web = "{emoji}" }}\ndeliver_to = {{ web = "{name}" }}\n'
        for name, emoji in zip(THINGS, "🍳🌳🚗", strict=True)
    )
    return f"""
[model]
server = "{model}"
[web]
listen = "{listen}"
[conversation]
settle_seconds = 0.1
per_person_minute = 0
[platforms.web]
[tasks.desk]
question = "Where is it?"
fallback = "garage"
ask_below = 0.0
{labels}"""


def jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
