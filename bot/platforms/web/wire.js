// The connection to the server: posts what people do, receives news, and shows when the connection is lost.
import {byId} from "./draw.js";

const LOST_AFTER = 40_000; // the server beats every 15 s
const RETRIES = [500, 1_000, 2_000, 5_000];

// Post what a person did; returns whether it was stored. If not, the page shows why. Its effects arrive as news.
export async function act(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) tell(said.problem);
    return answer.ok;
  } catch {
    tell("Switchboard does not answer. Nothing was sent; please try again.");
    return false;
  }
}

let quietLater = 0;

export function tell(text, forGood = false) {
  clearTimeout(quietLater);
  byId("toast").textContent = text;
  if (!forGood) quietLater = setTimeout(() => byId("toast").replaceChildren(), 5_000);
}

let connected = true;

export function connection(up) {
  if (up && !connected) tell("Connected again.");
  if (!up && connected) tell("Connection lost. Trying again…", true);
  connected = up;
}

// Call look() after every change and every lost connection, for as long as the page is open.
export function listen(look, attempt = 0) {
  const source = new EventSource("chat/events");
  let watchdog = 0;
  let failures = attempt;
  const again = () => {
    clearTimeout(watchdog);
    source.close();
    connection(false);
    setTimeout(() => listen(look, failures + 1), RETRIES[Math.min(failures, RETRIES.length - 1)]);
  };
  const alive = () => {
    failures = 0;
    connection(true);
    clearTimeout(watchdog);
    watchdog = setTimeout(again, LOST_AFTER);
  };
  source.addEventListener("changed", () => {
    alive();
    look();
  });
  source.addEventListener("beat", alive);
  source.addEventListener("error", again);
}
