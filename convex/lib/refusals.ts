// What a function refuses, with a code that says whose fault it is. In production Convex hides the
// text of every error but the data of a ConvexError, so all that a client needs lies in there.

import { ConvexError } from "convex/values";

export type RefusalCode = "KEY_REUSED" | "NO_SESSION" | "NO_STILL" | "BAD_VALUE";

export type Refusal = { code: RefusalCode; message: string; key?: string };

export function refusal(code: RefusalCode, message: string, key?: string) {
  return new ConvexError<Refusal>(key === undefined ? { code, message } : { code, message, key });
}

export const keyReused = (key: string) =>
  refusal("KEY_REUSED", `${key}: the key is taken by other content; give the fact a key of its own.`, key);

export const noSession = (sessionKey: string, key: string) =>
  refusal("NO_SESSION", `${key}: its session ${sessionKey} isn't there; start the session first.`, key);

export const badValue = (message: string, key?: string) => refusal("BAD_VALUE", message, key);
