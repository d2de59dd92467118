// Fields of forms, each with its label.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface FieldProps {
    label: string;
    value: string;
    onInput: (value: string) => void;
    type?: "text" | "password" | "number" | "search" | "datetime-local" | "date" | "time";
    autofocus?: boolean;
    hint?: string;
    autoComplete?: string;
    list?: string;
}

export function Field({ label, value, onInput, type = "text", autofocus, hint, autoComplete = "off", list }: FieldProps) {
    const id = useId();
    const ref = useRef<HTMLInputElement>(null);
    useLayoutEffect(() => {
        if (autofocus) ref.current?.focus(); // where it comes later; what a dialog begins with it looks for itself
    }, []);
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <input
                id={id}
                ref={ref}
                type={type as "text"}
                value={value}
                autoComplete={autoComplete}
                spellcheck={false}
                list={list}
                data-autofocus={autofocus || undefined}
                aria-describedby={hint ? `${id}-hint` : undefined}
                onInput={(e) => onInput(e.currentTarget.value)}
            />
            {hint && (
                <small id={`${id}-hint`} class="muted">
                    {hint}
                </small>
            )}
        </div>
    );
}

/** More than one line. */
export function Area({ label, value, onInput, hint, rows = 5, autofocus, spellcheck }: Pick<FieldProps, "label" | "value" | "onInput" | "hint" | "autofocus"> & { rows?: number; spellcheck?: boolean }) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <textarea id={id} rows={rows} value={value} spellcheck={spellcheck} data-autofocus={autofocus || undefined} aria-describedby={hint ? `${id}-hint` : undefined} onInput={(e) => onInput(e.currentTarget.value)} />
            {hint && (
                <small id={`${id}-hint`} class="muted">
                    {hint}
                </small>
            )}
        </div>
    );
}

interface ChoiceProps {
    label: string;
    value: string;
    options: readonly (readonly [value: string, text: string])[];
    onChange: (value: string) => void;
    inline?: boolean;
    /** What stands before it says what it is about: the label is only read out. */
    bare?: boolean;
}

export function Choice({ label, value, options, onChange, inline, bare }: ChoiceProps) {
    const id = useId();
    return (
        <div class={inline ? "field field-inline" : "field"}>
            {!bare && <label for={id}>{label}</label>}
            <select id={id} aria-label={bare ? label : undefined} title={bare ? label : undefined} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
                {options.map(([v, text]) => (
                    <option key={v} value={v}>
                        {text}
                    </option>
                ))}
            </select>
        </div>
    );
}

export function Check({ label, checked, onChange, hint }: { label: string; checked: boolean; onChange: (on: boolean) => void; hint?: string }) {
    return (
        <label class="check-field">
            <input type="checkbox" checked={checked} onChange={(e) => onChange(e.currentTarget.checked)} />
            <span>
                {label}
                {hint && <small class="muted">{hint}</small>}
            </span>
        </label>
    );
}

/** Names and values, one below the other. */
export function Facts({ rows }: { rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
    return (
        <dl class="facts">
            {rows.map(([name, value]) => (
                <div key={name}>
                    <dt>{name}</dt>
                    <dd>{value === "" || value === undefined || value === null ? <span class="muted">-</span> : value}</dd>
                </div>
            ))}
        </dl>
    );
}
