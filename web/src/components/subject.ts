// What the browser calls a page that is about one thing: in its tabs, and in its history.
import { useEffect } from "preact/hooks";
import { subject } from "../router";

/** For as long as the component is shown. */
export function useSubject(name: string): void {
    useEffect(() => {
        subject.value = name;
    }, [name]);
    useEffect(() => () => void (subject.value = ""), []);
}
