"""A message whose fields are missing or odd never throws, and what is told of it is a message to the bridge."""

import json
from importlib import resources

from blazz_webjs_bridge.page.facts import FACT, Arrived

from tests.integration.webjs_bridge.page.conftest import Driven

ROUNDS = 4000

FUZZ = """rounds => {
  let seed = 42;
  const random = most => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % most; };
  const pick = list => list[random(list.length)];
  const fail = () => { throw new Error("no"); };
  const long = "x".repeat(70000);
  const odd = [
    null, undefined, "", 0, -1, NaN, Infinity, 1e20, true, [], {}, "text", long, "\\ud800", "a\\u0000b", ["x"],
    { _serialized: "1@c.us" }, { _serialized: 7 }, { toString: fail }, Symbol("s"), () => 1, 12n, "1@lid",
    new Proxy({}, { get: fail }), Object.create(null), "2@g.us", new Date(NaN), "true_1@c.us_AA",
  ];
  const fields = [
    "from", "to", "author", "type", "body", "t", "caption", "notifyName", "mimetype", "filename", "size", "filehash",
    "duration", "lat", "lng", "loc", "clientUrl", "vcardList", "vcardFormattedName", "quotedStanzaID", "title",
    "quotedParticipant", "quotedRemoteJid", "isForwarded", "ack", "isCaptionByUser", "isAnimated", "pollName", "text",
  ];
  const types = [
    "chat", "image", "document", "ptt", "sticker", "location", "vcard", "multi_vcard", "poll_creation", "list_response",
  ];
  const told = [];
  for (let round = 0; round < rounds; round++) {
    const remote = pick(["1@c.us", "2@lid", "3@g.us", long + "@c.us"]);
    const fromMe = pick([true, false]), key = `${fromMe}_${remote}_3EB0${round}`;
    const message = { type: pick(types), t: 1, from: remote, to: remote, id: { _serialized: key, fromMe, remote } };
    for (let change = random(6); change > 0; change--) message[pick(fields)] = pick(odd);
    if (random(10) === 0) message.id = pick(odd);
    if (random(10) === 0) message.id = { _serialized: key, get remote() { return fail(); } };
    const said = isTold(message) ? describe(message) : null;
    if (said) told.push(JSON.stringify({ kind: "message", message: said }));
  }
  return JSON.stringify(told);
}"""


async def test_thousands_of_odd_messages_are_all_told_as_messages(linked: Driven) -> None:
    folder = resources.files("blazz_webjs_bridge.page") / "script"
    script = "\n".join((folder / f"{name}.js").read_text() for name in ("core", "people", "messages"))
    told = await linked.page._page.evaluate(
        f'(rounds) => {{ const TELL = ""; {script}\nreturn ({FUZZ})(rounds); }}', ROUNDS
    )

    facts = [json.loads(each) for each in json.loads(told)]
    assert len(facts) > ROUNDS * 0.6
    for fact in facts:
        read = FACT.validate_python(fact)
        assert isinstance(read, Arrived)
        json.dumps(fact, ensure_ascii=False).encode()
        assert "\0" not in (read.message.text or "")


async def test_a_message_larger_than_a_fact_may_be_is_told_as_unsupported(linked: Driven) -> None:
    folder = resources.files("blazz_webjs_bridge.page") / "script"
    script = (folder / "core.js").read_text()
    person = {"chat": "2@lid"}
    message = {
        "id": "false_2@lid_AA",
        "from_me": False,
        "person": person,
        "type": "contacts",
        "raw_type": "multi_vcard",
        "text": "x",
        "at": 1_800_000_000,
    }
    told = await linked.page._page.evaluate(
        f"""message => {{ {script}
          message.type = "contacts";
          message.raw_type = "multi_vcard";
          message.content = {{ contacts: Array(256).fill({{ vcard: "x".repeat(20000) }}) }};
          return [{{ kind: "message", message }}, {{ kind: "message", message: fitting(message) }}].map(asJson);
        }}""",
        message,
    )
    for each in told:
        fact = FACT.validate_json(each)
        assert isinstance(fact, Arrived)
        assert (fact.message.type, fact.message.raw_type, fact.message.text) == ("unsupported", "multi_vcard", "x")
        assert fact.message.content == {}
