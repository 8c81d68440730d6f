// Drives the public clients, unmodified, for tests: commands come as JSON lines on stdin, what happens goes to stdout.
import { createInterface } from "node:readline";
import Echo from "laravel-echo";
import PusherServer from "pusher";
import Pusher from "pusher-js";

const clients = new Map();
const tell = (message) => process.stdout.write(JSON.stringify(message) + "\n");

function watch(id, pusher) {
  pusher.connection.bind("state_change", ({ current }) =>
    tell({ id, what: "state", state: current, socket_id: pusher.connection.socket_id ?? null }),
  );
  pusher.connection.bind("error", (error) => tell({ id, what: "error", code: error?.data?.code ?? error?.error?.data?.code ?? null }));
}

const commands = {
  // A client of pusher-js, or of Laravel Echo over pusher-js.
  open({ id, kind, key, options }) {
    if (kind === "echo") {
      const echo = new Echo({ broadcaster: "reverb", Pusher, key, ...options });
      clients.set(id, { echo, pusher: echo.connector.pusher });
    } else {
      clients.set(id, { pusher: new Pusher(key, { cluster: "", ...options }) });
    }
    watch(id, clients.get(id).pusher);
  },
  // pusher-js: everything that happens on a channel.
  subscribe({ id, channel }) {
    const subscription = clients.get(id).pusher.subscribe(channel);
    subscription.bind_global((event, data) => {
      if (event === "pusher:subscription_succeeded" && channel.startsWith("presence-")) {
        data = { count: data.count, me: data.me, members: data.members };
      }
      tell({ id, what: "event", channel, event, data });
    });
  },
  unsubscribe({ id, channel }) {
    clients.get(id).pusher.unsubscribe(channel);
  },
  trigger({ id, channel, event, data }) {
    clients.get(id).pusher.channel(channel).trigger(event, data);
  },
  // Echo: `private` or `join`, with its own names for things.
  listen({ id, channel, presence, events }) {
    const { echo } = clients.get(id);
    const subscription = presence ? echo.join(channel) : echo.private(channel);
    const pass = (event) => (data) => tell({ id, what: "event", channel, event, data });
    for (const event of events) subscription.listen(event, pass(event));
    subscription.listenForWhisper("typing", pass("whisper"));
    subscription.subscribed(pass("subscribed")).error(pass("error"));
    if (presence) subscription.here(pass("here")).joining(pass("joining")).leaving(pass("leaving"));
  },
  whisper({ id, channel, presence, data }) {
    const { echo } = clients.get(id);
    (presence ? echo.join(channel) : echo.private(channel)).whisper("typing", data);
  },
  close({ id }) {
    clients.get(id).pusher.disconnect();
  },
  // Pusher's own server library, against the HTTP API.
  async server({ id, options, call, args }) {
    const server = new PusherServer(options);
    try {
      const answer = await server[call](...args);
      tell({ id, what: "answer", status: answer.status, body: await answer.json() });
    } catch (error) {
      tell({ id, what: "answer", status: error.status ?? null, body: String(error.body ?? error) });
    }
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { command, ...rest } = JSON.parse(line);
  Promise.resolve(commands[command](rest)).catch((error) => tell({ what: "crash", error: String(error.stack) }));
}).on("close", () => process.exit(0));
tell({ what: "ready" });
