import { defineConfig } from "vitest/config";

import { isPatched, patch } from "./standin/patches.mjs";

// Convex's own style of unit tests, on convex-test with the stand-in's patches: what a test sees
// here is what a client sees there.
export default defineConfig({
  plugins: [{ name: "patch convex-test", transform: (code, id) => (isPatched(id.split("?")[0]!) ? patch(code) : undefined) }],
  test: {
    server: { deps: { inline: ["convex-test"] } },
    fileParallelism: false,
    projects: [
      { extends: true, test: { name: "convex", include: ["convex/tests/**/*.test.ts"], environment: "edge-runtime" } },
      { extends: true, test: { name: "standin", include: ["standin/tests/**/*.test.ts"], environment: "node" } },
    ],
  },
});
