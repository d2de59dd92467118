// A report's rows as a picture: over time when the first column is one, else a bar for each of the first rows.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { dateTime, number, plain, timesOfAxis } from "../format";
import { language, t } from "../i18n";
import { isDark } from "../theme";
import type { Result } from "./reports";

const BARS = 12;
const DAY = /^\d{4}-\d{2}-\d{2}/;
const HEIGHT = 220; // px
const COLOURS = ["--accent", "--ok", "--warn", "--bad"];

function isNumber(result: Result, column: number): boolean {
    return result.rows.every((row) => typeof row[column] === "number" || row[column] === null);
}

function isTime(result: Result): boolean {
    return result.rows.length > 1 && result.rows.every((row) => DAY.test(plain(row[0])));
}

/** A text and numbers; anything else is a table only. */
export function isChart(result: Result): boolean {
    return result.rows.length > 1 && result.columns.length >= 2 && result.columns.length <= COLOURS.length + 1 && result.columns.every((_, i) => (i === 0 ? !isNumber(result, 0) : isNumber(result, i)));
}

/** s since 1970; a day begins where the reader is. */
function timeOf(text: string): number {
    return Date.parse(text.length > 10 ? text.replace(" ", "T") : `${text}T00:00`) / 1000;
}

function Bars({ result }: { result: Result }) {
    const rows = result.rows.slice(0, BARS).map((row) => [plain(row[0]), Number(row[1] ?? 0)] as const);
    const most = Math.max(...rows.map(([, n]) => n), 1);
    return (
        <ul class="bars">
            {rows.map(([name, n], i) => (
                <li key={i}>
                    <span class="bars-name" title={name}>
                        {name || t("(nothing)")}
                    </span>
                    <span class="bars-track">
                        <span class="bars-bar" style={{ width: `${(Math.max(n, 0) / most) * 100}%` }} />
                    </span>
                    <span class="bars-number">{number(n)}</span>
                </li>
            ))}
        </ul>
    );
}

function OverTime({ result }: { result: Result }) {
    const box = useRef<HTMLDivElement>(null);
    const dark = isDark.value;
    const spoken = language.value;
    useEffect(() => {
        const element = box.current;
        if (!element) return undefined;
        const style = getComputedStyle(document.documentElement);
        const colour = (name: string) => style.getPropertyValue(name).trim();
        const rows = [...result.rows].sort((a, b) => (plain(a[0]) < plain(b[0]) ? -1 : 1));
        const times = rows.map((row) => timeOf(plain(row[0])));
        const axisTime = timesOfAxis((times.at(-1) ?? 0) - (times[0] ?? 0));
        const data = [times, ...result.columns.slice(1).map((_, i) => rows.map((row) => (row[i + 1] === null ? null : Number(row[i + 1]))))];
        const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
        const plot = new uPlot(
            {
                width: element.clientWidth,
                height: HEIGHT,
                axes: [
                    { ...axis, values: (_, all) => all.map(axisTime) },
                    { ...axis, values: (_, all) => all.map(number) },
                ],
                series: [{ label: t("When"), value: (_, s: number | null) => (s === null ? "--" : dateTime(s)) }, ...result.columns.slice(1).map((label, i) => ({ label, stroke: colour(COLOURS[i] ?? "--accent"), width: 2 }))],
            },
            data as uPlot.AlignedData,
            element,
        );
        const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
        resized.observe(element);
        return () => {
            resized.disconnect();
            plot.destroy();
        };
    }, [result, dark, spoken]);
    return <div class="plot" ref={box} role="img" aria-label={result.columns.slice(1).join(", ")} />;
}

export function Chart({ result }: { result: Result }) {
    const isOver = isTime(result);
    const what = isOver ? result.columns.slice(1).join(", ") : (result.columns[1] ?? "");
    const isCut = !isOver && result.rows.length > BARS;
    return (
        <figure class="chart">
            <figcaption>
                {t("{what}, by {name}", { what, name: result.columns[0] ?? "" })}
                {isCut && ` (${t("{n} of {all}", { n: BARS, all: number(result.rows.length) })})`}
            </figcaption>
            {isOver ? <OverTime result={result} /> : <Bars result={result} />}
        </figure>
    );
}
