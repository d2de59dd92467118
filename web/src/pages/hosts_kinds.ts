// The kinds of orders, as persons choose them.
import { t, type Text } from "../i18n";

export interface Kind {
    kind: string;
    title: Text;
    about: Text;
    packages: "none" | "some" | "any";
    text?: boolean;
    spares?: boolean; // it can leave out what is in use
    group: number; // of the menu: software, the machine's people, the machine itself
    isDanger?: boolean;
}

export const KINDS: readonly Kind[] = [
    { kind: "upgrade", title: "Upgrade", about: "Installs what is missing, brings what is old up to date.", packages: "none", spares: true, group: 0 },
    { kind: "install", title: "Install", about: "Installs these packages and what they depend on.", packages: "some", spares: true, group: 0 },
    { kind: "remove", title: "Remove", about: "Removes these packages and what depends on them.", packages: "some", spares: true, group: 0 },
    { kind: "update", title: "Update", about: "Reads the lists of packages again.", packages: "none", group: 0 },
    { kind: "audit", title: "Run audits", about: "Runs the audits of all packages, or of these.", packages: "any", group: 0 },
    { kind: "update-status", title: "Send the inventory", about: "Sends the inventory anew.", packages: "none", group: 0 },
    { kind: "message", title: "Send a message", about: "Shows a text to those who are logged on, on their desktops and terminals.", packages: "none", text: true, group: 1 },
    { kind: "propose-upgrade", title: "Propose the upgrade", about: "Tells those who are logged on that software is waiting, where some is, and opens the upgrade for them.", packages: "none", group: 1 },
    { kind: "restart-agent", title: "Restart the agent", about: "Starts the agent's service again, and with it its connection.", packages: "none", group: 2 },
    { kind: "reboot", title: "Restart", about: "Restarts the machines, where their own configuration allows it.", packages: "none", group: 2, isDanger: true },
    { kind: "shutdown", title: "Switch off", about: "Switches the machines off, where their own configuration allows it.", packages: "none", group: 2, isDanger: true },
    { kind: "forget", title: "Forget packages", about: "Forgets these packages; what they installed stays.", packages: "some", group: 2, isDanger: true },
];

/** What one was ordered is called; a kind that is none of these as the server says it. */
export function kindText(kind: string): string {
    const known = KINDS.find((k) => k.kind === kind);
    return known ? t(known.title) : kind;
}
