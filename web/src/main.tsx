// The start: the ticket becomes a session, then the page is drawn.
import { render } from "preact";
import "./drawn";
import { App } from "./app";
import { link, openSession } from "./api";
import { followEvents } from "./events";
import { refreshStateAfter } from "./local";
import { loadPrefs } from "./prefs";
import { followChoices } from "./theme";

followChoices();
await openSession();
const root = document.getElementById("app");
if (root) render(<App />, root);
if (link.value !== "ended") {
    await refreshStateAfter(loadPrefs()); // both are asked for at once; the page shows itself as it was left
    followEvents();
}
