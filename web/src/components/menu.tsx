// A button that opens a list of things to do, by the ARIA pattern of menus.
import { useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";

export interface MenuItem {
    title: string;
    about?: string;
    /** Between those of one group and of the next there is a line. */
    group?: number;
    /** It takes something away, or stops somebody's work. */
    isDanger?: boolean;
    run: () => void;
}

export function Menu({ label, items }: { label: string; items: readonly MenuItem[] }) {
    const isOpen = useSignal(false);
    const box = useRef<HTMLDivElement>(null);
    const entries = () => [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const close = (back: boolean) => {
        isOpen.value = false;
        if (back) box.current?.querySelector("button")?.focus();
    };
    useLayoutEffect(() => {
        if (!isOpen.value) return undefined;
        entries()[0]?.focus();
        const outside = (e: Event) => {
            if (e.target instanceof Node && !box.current?.contains(e.target)) close(false);
        };
        document.addEventListener("pointerdown", outside);
        return () => document.removeEventListener("pointerdown", outside);
    }, [isOpen.value]);
    const key = (e: KeyboardEvent) => {
        const all = entries();
        const at = all.indexOf(document.activeElement as HTMLElement);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
        if (e.key === "Escape") close(true);
        else if (e.key === "Tab") return close(false);
        else if (to !== undefined) all[(to + all.length) % all.length]?.focus();
        else return;
        e.preventDefault();
        e.stopPropagation();
    };
    return (
        <div class="menu" ref={box} onKeyDown={isOpen.value ? key : undefined}>
            <button type="button" aria-haspopup="menu" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
                <span>{label}</span>
                <Icon name="down" />
            </button>
            {isOpen.value && (
                <div class="menu-list" role="menu" aria-label={label}>
                    {items.map((item, i) => (
                        <Fragment key={item.title}>
                            {i > 0 && item.group !== items[i - 1]?.group && <hr />}
                            <button
                                type="button"
                                class={item.isDanger ? "danger" : ""}
                                role="menuitem"
                                tabIndex={-1}
                                title={item.about}
                                onClick={() => {
                                    close(true);
                                    item.run();
                                }}
                            >
                                {item.title}
                            </button>
                        </Fragment>
                    ))}
                </div>
            )}
        </div>
    );
}
