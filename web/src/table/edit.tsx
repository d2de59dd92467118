// A cell in which one types. Enter and going elsewhere in the page take the text, Escape leaves it as it was; another window in front leaves it open.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
    label: string;
    text: string;
    /** undefined: it stays as it was. */
    onDone: (text: string | undefined) => void;
}

export function CellEditor({ label, text, onDone }: Props) {
    const ref = useRef<HTMLInputElement>(null);
    const isOver = useRef(false); // taken away, it loses the focus once more
    useLayoutEffect(() => ref.current?.select(), []);
    useEffect(() => () => end(undefined), []); // the row has gone: nothing is asked for it
    const end = (typed: string | undefined) => {
        if (isOver.current) return;
        isOver.current = true;
        onDone(typed === text ? undefined : typed);
    };
    return (
        <input
            ref={ref}
            class="t-edit"
            type="text"
            aria-label={label}
            spellcheck={false}
            defaultValue={text}
            onKeyDown={(e) => {
                if (e.isComposing || (e.key !== "Enter" && e.key !== "Escape")) return;
                e.preventDefault();
                end(e.key === "Enter" ? e.currentTarget.value.trim() : undefined);
            }}
            onBlur={(e) => document.hasFocus() && end(e.currentTarget.value.trim())}
        />
    );
}
