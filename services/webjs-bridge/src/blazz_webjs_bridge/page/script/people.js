// People, by every id that the page knows of them.

// `123:4@c.us` is the fourth device of `123@c.us`.
const bare = address => address.replace(/:\d+@/, "@");
const server = address => address.slice(address.indexOf("@") + 1);
const user = address => bare(address).split("@")[0];
const isGroup = address => server(address) === "g.us";
const isPerson = address => ["c.us", "lid", "s.whatsapp.net"].includes(server(address));
const wid = address => attempt(() => WPP.util.createWid(address));

// The other one of a person's two addresses, out of what the page has in memory: nothing is asked of the server.
function otherAddress(address) {
  const cache = WPP.whatsapp.lidPnCache;
  const other = attempt(() => (server(address) === "lid" ? cache.getPhoneNumber(wid(address)) : cache.getCurrentLid(wid(address))));
  const found = other && idText(other);
  return found ? bare(found) : null;
}

function contactName(...addresses) {
  for (const address of addresses) {
    const contact = address && attempt(() => WPP.whatsapp.ContactStore.get(address));
    const name = contact && (text(attempt(() => contact.pushname), 512) ?? text(attempt(() => contact.verifiedName), 512));
    if (name) return name;
  }
  return null;
}

function somebody(address, name) {
  const chat = bare((idText(address) ?? "").replace("@s.whatsapp.net", "@c.us")).slice(0, 128);
  if (!chat.includes("@")) return null;
  const person = { chat, phone: null, lid: null, name: text(name, 512) };
  if (isPerson(chat)) {
    const other = otherAddress(chat);
    for (const known of [chat, other]) {
      if (known && server(known) === "lid") person.lid = user(known).slice(0, 32);
      if (known && server(known) === "c.us") person.phone = user(known).slice(0, 32);
    }
    person.name ??= contactName(chat, other);
  }
  return person;
}

const myNumber = () => attempt(() => idText(WPP.conn.getMyUserWid()));
const myLid = () => attempt(() => idText(WPP.conn.getMyUserLid()));

function me() {
  const number = myNumber(), lid = myLid();
  if (!number && !lid) return null;
  return {
    chat: bare(number ?? lid).slice(0, 128),
    phone: number ? user(number) : null,
    lid: lid ? user(lid) : null,
    name: text(attempt(() => WPP.profile.getMyProfileName()), 512),
  };
}

const isMe = address => Boolean(address) && [myNumber(), myLid()].some(mine => mine && bare(mine) === bare(address));
