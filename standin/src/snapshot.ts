// All tables as a snapshot export of Convex lays them out.

import { convexToJson } from "convex/values";

import type { Backend, Document } from "./backend";
import { write } from "./json";
import { type Entry, zip } from "./zip";

const lines = (texts: string[]) => Buffer.from(texts.map((text) => `${text}\n`).join(""), "utf8");

export async function snapshot(backend: Backend): Promise<Buffer> {
  const { _storage = [], ...tables } = backend.dump();
  const names = Object.keys(tables).sort();
  const entries: Entry[] = [
    { name: "README.md", bytes: Buffer.from("# A snapshot in the layout of `npx convex export`, by a stand-in for tests\n") },
    { name: "_tables/documents.jsonl", bytes: lines(names.map((name, i) => JSON.stringify({ name, id: 10001 + i }))) },
  ];
  for (const name of names) {
    const documents = tables[name]!.map((document) => write(convexToJson(document)));
    entries.push({ name: `${name}/documents.jsonl`, bytes: lines(documents) });
    entries.push({ name: `${name}/generated_schema.jsonl`, bytes: lines(['"uniform"']) });
  }
  return zip([...entries, ...(await files(backend, _storage))]);
}

async function files(backend: Backend, documents: Document[]): Promise<Entry[]> {
  if (documents.length === 0) return [];
  const entries: Entry[] = [];
  const rows: string[] = [];
  for (const document of documents) {
    const blob = backend.file(document._id);
    if (!blob) continue;
    rows.push(write({ ...(convexToJson(document) as object), contentType: blob.type, internalId: document._id }));
    entries.push({ name: `_storage/${document._id}`, bytes: Buffer.from(await blob.arrayBuffer()) });
  }
  return [{ name: "_storage/documents.jsonl", bytes: lines(rows) }, ...entries];
}
