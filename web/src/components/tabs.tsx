// Tabs by the ARIA pattern: arrows go from one to the next. Which one is open stands in the address.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { number } from "../format";
import { place, setQuery } from "../router";

export interface Tab {
    id: string;
    title: string;
    count?: number | undefined;
    body: () => ComponentChildren;
}

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
    const ref = useRef<HTMLDivElement>(null);
    const wanted = place.value.query.get("tab");
    const open = tabs.find((tab) => tab.id === wanted) ?? tabs[0];
    const go = (index: number) => {
        const tab = tabs[(index + tabs.length) % tabs.length];
        if (!tab) return;
        setQuery({ tab: tab === tabs[0] ? "" : tab.id });
        ref.current?.querySelector<HTMLElement>(`#tab-${tab.id}`)?.focus();
    };
    const key = (e: KeyboardEvent, index: number) => {
        const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[e.key];
        if (to === undefined) return;
        e.preventDefault();
        go(to);
    };
    return (
        <>
            <div class="tabs" role="tablist" aria-label={label} ref={ref}>
                {tabs.map((tab, i) => (
                    <button
                        key={tab.id}
                        type="button"
                        role="tab"
                        id={`tab-${tab.id}`}
                        aria-selected={tab === open}
                        aria-controls="tab-panel"
                        tabIndex={tab === open ? 0 : -1}
                        onClick={() => go(i)}
                        onKeyDown={(e) => key(e, i)}
                    >
                        {tab.title}
                        {tab.count !== undefined && <span class="count">{number(tab.count)}</span>}
                    </button>
                ))}
            </div>
            <div class="tab-panel" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${open?.id}`} key={open?.id}>
                {open?.body()}
            </div>
        </>
    );
}
