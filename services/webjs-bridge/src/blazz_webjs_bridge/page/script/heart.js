// One beat a second, and what is wrong with wa-js by the bridge's list.

const BEAT = 1000;
let pending = 0; // sends under way

const alive = () => ({ kind: "alive", online: online(), authenticated: authenticated(), mode: text(mode(), 64), pending });

function beat() {
  attempt(lookAround);
  tell(attempt(alive) ?? { kind: "alive", online: false, authenticated: false });
}

const missing = () => FUNCTIONS.filter(path => attempt(() => path.split(".").reduce((object, name) => object[name], WPP)) === null);
