// A QR code, drawn here: what it says leaves this machine for nobody.
import { encode } from "uqr";

const QUIET = 4; // modules of white around it, as readers want them

export function Qr({ text, label }: { text: string; label: string }) {
    const { data, size } = encode(text, { ecc: "M", border: QUIET });
    const path = data.flatMap((row, y) => row.map((is, x) => (is ? `M${x} ${y}h1v1h-1z` : ""))).join("");
    return (
        <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
            <path d={path} />
        </svg>
    );
}
