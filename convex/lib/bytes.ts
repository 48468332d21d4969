// The bytes of a still in file storage, held against what its writer says of them.

import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { hex } from "./head";
import { badValue, keyReused } from "./refusals";

export type Attachment = { key: string; storageId: Id<"_storage">; sha256: string; size: number };

// True if the bytes are the still's now; false if it had these bytes before.
export async function attach(ctx: MutationCtx, still: Doc<"productionStills">, given: Attachment): Promise<boolean> {
  const file = await ctx.db.system.get("_storage", given.storageId);
  const sha256 = given.sha256.toLowerCase();
  if (still.storageId !== undefined) {
    const kept = await ctx.db.system.get("_storage", still.storageId);
    if (kept === null || asHex(kept.sha256) !== sha256 || kept.size !== given.size) throw keyReused(given.key);
    // An upload whose answer was lost was made again: one copy is enough.
    if (file !== null && given.storageId !== still.storageId) await ctx.storage.delete(given.storageId);
    return false;
  }
  if (file === null) throw badValue(`${given.key}: nothing was uploaded under this storageId.`, given.key);
  if (file.size !== given.size || asHex(file.sha256) !== sha256) {
    throw badValue(`${given.key}: the upload has other bytes than was said; upload the still again.`, given.key);
  }
  if ((still.sha256 ?? sha256).toLowerCase() !== sha256 || (still.size ?? given.size) !== given.size) {
    throw badValue(`${given.key}: the upload isn't the file that the still's row names.`, given.key);
  }
  await ctx.db.patch("productionStills", still._id, { storageId: given.storageId, size: given.size });
  return true;
}

// Convex gives base64 where its documentation says hex: take both.
function asHex(digest: string): string {
  if (/^[0-9a-f]{64}$/i.test(digest)) return digest.toLowerCase();
  return hex(Uint8Array.from(atob(digest), (char) => char.charCodeAt(0)));
}
