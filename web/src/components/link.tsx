// A link to a page of ours.
import type { ComponentChildren } from "preact";
import { navigate } from "../router";

interface Props {
    to: string;
    children: ComponentChildren;
    class?: string;
    current?: boolean;
    title?: string;
    tabIndex?: number;
}

export function A({ to, children, class: name, current, title, tabIndex }: Props) {
    const click = (e: MouseEvent) => {
        if (e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
        e.preventDefault();
        navigate(to);
    };
    return (
        <a href={to} onClick={click} class={name} title={title} aria-current={current ? "page" : undefined} tabIndex={tabIndex}>
            {children}
        </a>
    );
}
