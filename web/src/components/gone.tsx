// In place of a page about something that is not there.
import { A } from "./link";

/** to: where all of them are. */
export function Gone({ title, to, back }: { title: string; to: string; back: string }) {
    return (
        <div class="page">
            <h1>{title}</h1>
            <p>
                <A to={to}>{back}</A>
            </p>
        </div>
    );
}
