// A list of the server's that stays current while it is shown.
import { useEffect, useRef } from "preact/hooks";
import { onEvents, type ServerEvent } from "../events";
import { epoch } from "../local";
import type { Rows } from "./rows";

/** Reads again, not too often, when what is meant happens, something was missed, or the server is back. */
export function useLive<R>(rows: Rows<R>, isMeant: (event: ServerEvent) => boolean): void {
    const last = useRef(epoch.value); // whoever comes now reads it anyway
    useEffect(() => onEvents((event) => (event === undefined || isMeant(event)) && rows.refresh()), [rows]);
    useEffect(() => {
        if (epoch.value !== last.current) rows.refresh();
        last.current = epoch.value;
    }, [epoch.value]);
}
