// The start of the self-service: the ticket becomes a session, then the page is drawn, on the view that the address asks for.
import { render } from "preact";
import "../drawn";
import { link, openSession } from "../api";
import { loadPrefs } from "../prefs";
import { setQuery } from "../router";
import { followChoices } from "../theme";
import { App } from "./app";
import { follow, refreshState } from "./model";
import { followPictures } from "./pictures";

const asked = new URLSearchParams(location.hash.slice(1));
followChoices();
await openSession();
if (asked.has("ticket")) setQuery({ list: asked.get("list") ?? "", search: asked.get("search") ?? "", category: "" });
const root = document.getElementById("app");
if (root) render(<App />, root);
if (link.value !== "ended") {
    await loadPrefs();
    await refreshState();
    follow();
    followPictures();
}
