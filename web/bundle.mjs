// What esbuild is told: web/build.sh runs it where node_modules are. Writes what the output depends on for ninja, too.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const [source, out, depfile] = process.argv.slice(2);
const made = await build({
    entryPoints: [
        { in: "src/main.tsx", out: "app" },
        { in: "src/css/app.css", out: "app" },
        { in: "src/selfservice/main.tsx", out: "self" },
        { in: "src/css/self.css", out: "self" },
    ],
    outdir: out,
    bundle: true,
    format: "esm",
    target: ["es2022"],
    minify: true,
    preserveSymlinks: true,
    legalComments: "none", // they are in licences.txt
    metafile: true,
    logLevel: "warning",
});
for (const name of ["index.html", "self.html", "icon.svg"]) copyFileSync(path.join(source, name), path.join(out, name));

const packages = ["preact", "@preact/signals", "@preact/signals-core", "uplot", "uqr"];
const licences = packages.map((name) => `${name}\n\n${readFileSync(path.join("node_modules", name, "LICENSE"), "utf8").trim()}\n`);
writeFileSync(path.join(out, "licences.txt"), licences.join("\n----\n\n"));

const own = Object.keys(made.metafile.inputs).filter((name) => !name.startsWith("node_modules/"));
const inputs = [...own, "index.html", "self.html", "icon.svg", "package.json", "package-lock.json", "tsconfig.json", "bundle.mjs", "build.sh"];
const escaped = inputs.map((name) => path.join(source, name).replaceAll(" ", "\\ "));
writeFileSync(depfile, `web/app.js: ${escaped.join(" ")}\n`);
