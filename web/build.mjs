// Bundles the dashboard's scripts and styles into internal/web/dist, under names that
// carry a hash of their content, with a manifest that says which is which. The Go
// package embeds that directory.
import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "../internal/web/dist");

for (const name of await readdir(dist)) {
  if (name !== ".gitignore") await rm(path.join(dist, name), { recursive: true });
}

const result = await build({
  absWorkingDir: root,
  entryPoints: ["overview.ts", "instrument.ts", "convert.ts", "status.ts", "page.ts", "style.css", "favicon.svg"].map(
    (name) => path.join("src", name),
  ),
  outdir: dist,
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  loader: { ".svg": "copy" },
  metafile: true,
});

const manifest = { entries: {}, files: [] };
for (const [output, { entryPoint }] of Object.entries(result.metafile.outputs)) {
  const file = path.basename(output);
  manifest.files.push(file);
  if (entryPoint) manifest.entries[path.basename(entryPoint).replace(/\.ts$/, ".js")] = file;
}
manifest.files.sort();
await writeFile(path.join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
