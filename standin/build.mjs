// Bundles the stand-in, the functions of convex/ and the patched convex-test into one file.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { isPatched, patch } from "./patches.mjs";

const here = dirname(fileURLToPath(import.meta.url));

let patched = 0;
const patching = {
  name: "patch convex-test",
  setup(esbuild) {
    esbuild.onLoad({ filter: /convex-test/ }, async ({ path }) => {
      if (!isPatched(path)) return undefined;
      patched += 1;
      return { contents: patch(await readFile(path, "utf8")), loader: "js" };
    });
  },
};

await build({
  entryPoints: [join(here, "src/main.ts")],
  outfile: join(here, "dist/server.mjs"),
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  legalComments: "eof",
  // ws is CommonJS and asks for Node's modules, and for two helpers that it does without.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  external: ["bufferutil", "utf-8-validate"],
  define: { "import.meta.glob": "undefined" },
  plugins: [patching],
  logLevel: "warning",
});

if (patched !== 1) throw new Error(`Expected to patch convex-test once, patched it ${patched} times.`);
