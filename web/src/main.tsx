// The start: the ticket becomes a session, then the page is drawn.
import { render } from "preact";
import { App } from "./app";
import { link, openSession } from "./api";
import { followEvents } from "./events";
import { refreshState } from "./local";
import { loadPrefs } from "./prefs";
import { followChoices } from "./theme";

followChoices();
await openSession();
const root = document.getElementById("app");
if (root) render(<App />, root);
if (link.value !== "ended") {
    await loadPrefs();
    await refreshState();
    followEvents();
}
