// What is drawn shows all its signs. Names are other people's words: marks that turn the direction of text, and those that nobody sees, would make
// one look like another, also in what is going to be signed. What is in fields to be changed stays as it is.
import { options } from "preact";

/** As the program tells them apart, where it asks a person itself (local_prepare.c); but a picture may be joined to another, or have a colour. */
const UNSEEN =
    /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|(?<!\p{Extended_Pictographic}\ufe0f?)[\u200d\ufe0f]/gu;

function seen(text: string): string {
    return text.replace(UNSEEN, "\ufffd");
}

const before = options.vnode;
options.vnode = (vnode) => {
    const one = vnode as { type: unknown; props: string | Record<string, unknown> };
    if (typeof one.props === "string") one.props = seen(one.props); // a text
    else if (typeof one.type === "string")
        for (const name of ["title", "aria-label"]) if (typeof one.props[name] === "string") one.props[name] = seen(one.props[name]);
    before?.(vnode);
};
