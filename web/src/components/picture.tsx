// A package's icon. One that is light, or dark, and transparent around - as apps bring them for a ground of their own - would not be seen on a
// page of that colour: it gets a plate behind it.
import { useSignal } from "@preact/signals";

type Plate = "" | "plate-light" | "plate-dark";
const SIDE = 24; // px that are looked at
const [OPAQUE, LIGHT, DARK] = [128, 205, 75]; // of 255
const MOST = 0.8;
const FULL = 0.9; // so much of it is there: it is its own ground

function plateFor(image: HTMLImageElement): Plate {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const pen = canvas.getContext("2d");
    if (!pen) return "";
    pen.drawImage(image, 0, 0, SIDE, SIDE);
    const { data } = pen.getImageData(0, 0, SIDE, SIDE);
    let [seen, light, dark] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(i, i + 4);
        const how = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        if (alpha < OPAQUE) continue;
        seen++;
        if (how > LIGHT) light++;
        if (how < DARK) dark++;
    }
    if (seen === 0 || seen > FULL * SIDE * SIDE) return "";
    return light > MOST * seen ? "plate-dark" : dark > MOST * seen ? "plate-light" : "";
}

/** src: a data: address. */
export function Picture({ src, alt, size = 48 }: { src: string; alt: string; size?: number }) {
    const plate = useSignal<Plate>("");
    return <img class={`picture ${plate.value}`} src={src} alt={alt} width={size} height={size} onLoad={(e) => (plate.value = plateFor(e.currentTarget))} />;
}
