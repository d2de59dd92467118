// A few line drawings, 20 by 20. They say nothing by themselves: a text stands beside them, or a label.
const paths = {
    home: "M3 9l7-6 7 6v8h-5v-5H8v5H3z",
    hosts: "M3 4h14v9H3zM7 17h6M10 13v4",
    box: "M10 2l7 4v8l-7 4-7-4V6zM3 6l7 4 7-4M10 10v8",
    tasks: "M4 5l1.5 1.5L8 4M4 10.5L5.5 12 8 9.5M4 16l1.5 1.5L8 15M11 5.5h6M11 11h6M11 16.5h6",
    assign: "M4 4h5v5H4zM11 11h5v5h-5zM9 6.5h4.5V11",
    rollout: "M3 16h3v-4H3zM8.5 16h3V8h-3zM14 16h3V4h-3z",
    people: "M7 9a3 3 0 100-6 3 3 0 000 6zM2 17c0-3 2-5 5-5s5 2 5 5M13 4a2.5 2.5 0 010 5M14 12c2.5.5 4 2.4 4 5",
    key: "M7 13a4 4 0 113.5-2.1L17 17h-2.5v-2h-2v-2l-1.5-1.5M6 8h.01",
    journal: "M5 3h10v14H5zM8 7h4M8 10h4M8 13h2",
    report: "M4 16V4M4 16h13M7 13v-3M11 13V7M15 13V9",
    code: "M7 6l-4 4 4 4M13 6l4 4-4 4M11.500 4l-3 12",
    send: "M3 10l14-7-5 14-3-6zM9 11l8-8",
    search: "M9 14A5 5 0 109 4a5 5 0 000 10zM13 13l4 4",
    close: "M5 5l10 10M15 5L5 15",
    up: "M5 12l5-5 5 5",
    down: "M5 8l5 5 5-5",
    left: "M12 5l-5 5 5 5",
    columns: "M3 4h14v12H3zM8 4v12M13 4v12",
    save: "M5 3h10v14l-5-4-5 4z",
    copy: "M7 7h9v10H7zM4 13V3h9",
    download: "M10 3v9M6 9l4 4 4-4M4 16h12",
    filter: "M3 4h14l-5.5 6v6l-3-2v-4z",
    sun: "M10 13.5a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5l1.3 1.3M14.2 14.2l1.3 1.3M4.5 15.5l1.3-1.3M14.2 5.8l1.3-1.3",
    moon: "M15.5 12A6.5 6.5 0 018 4.5a6.5 6.5 0 107.5 7.5z",
    screen: "M3 4h14v9H3zM7 17h6",
    help: "M10 18a8 8 0 100-16 8 8 0 000 16zM7.8 7.8a2.2 2.2 0 113.2 2c-.7.4-1 .9-1 1.700M10 14.2v.1",
    play: "M6 4l10 6-10 6z",
    refresh: "M16 6v4h-4M4 14v-4h4M5 8a5.5 5.5 0 019.5-1L16 10M15 12a5.5 5.5 0 01-9.5 1L4 10",
    trash: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
    warn: "M10 3l8 14H2zM10 8v4M10 14.5v.1",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
    return (
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <path d={paths[name]} />
        </svg>
    );
}
