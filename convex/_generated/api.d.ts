/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";
import type * as http from "../http.js";
import type * as lib_bytes from "../lib/bytes.js";
import type * as lib_content from "../lib/content.js";
import type * as lib_gate from "../lib/gate.js";
import type * as lib_head from "../lib/head.js";
import type * as lib_limits from "../lib/limits.js";
import type * as lib_pages from "../lib/pages.js";
import type * as lib_reads from "../lib/reads.js";
import type * as lib_refusals from "../lib/refusals.js";
import type * as lib_rows from "../lib/rows.js";
import type * as lib_shapes from "../lib/shapes.js";
import type * as lib_writes from "../lib/writes.js";
import type * as production from "../production.js";

/**
 * A utility for referencing Convex functions in your app's API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
declare const fullApi: ApiFromModules<{
  http: typeof http;
  "lib/bytes": typeof lib_bytes;
  "lib/content": typeof lib_content;
  "lib/gate": typeof lib_gate;
  "lib/head": typeof lib_head;
  "lib/limits": typeof lib_limits;
  "lib/pages": typeof lib_pages;
  "lib/reads": typeof lib_reads;
  "lib/refusals": typeof lib_refusals;
  "lib/rows": typeof lib_rows;
  "lib/shapes": typeof lib_shapes;
  "lib/writes": typeof lib_writes;
  production: typeof production;
}>;
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;
