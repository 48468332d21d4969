// What convex-test leaves out and a ledger runs into, added to its source while it is bundled.
//
// Each patch names a piece of upstream's text that must occur exactly once: if it moved, bundling
// fails, and the patch is to be looked at again. The package is pinned, so that happens on purpose.
// The tests of the functions (vitest.config.ts) run on the same patched source.
//
// `globalThis.convexLab` is how the server reaches in; without it, patched code does what it did.

const PATCHES = [
  {
    why: "a field of type v.record is checked (upstream: anything passes)",
    find: `        case "object": {
            if (typeof value !== "object") {`,
    replace: `        case "record": {
            if (typeof value !== "object" || value === null || !isSimpleObject(value)) {
                throw new Error(\`Validator error: Expected \\\`record\\\`, got \\\`\${value}\\\`\`);
            }
            for (const [name, item] of Object.entries(value)) {
                validateValidator(validator.keys, name);
                validateValidator(validator.values.fieldType, item);
            }
            return;
        }
        case "object": {
            if (typeof value !== "object" || value === null) {`,
  },
  {
    why: "documents have at most 1 MiB, 16 levels, 1024 fields, 8192 items",
    find: `    _validate(tableName, doc) {
`,
    replace: `    _validate(tableName, doc) {
        labCheckValue(doc, 16);
        const labSize = getDocumentSize(doc);
        if (labSize > 1048576) {
            throw new Error(\`Value is too large (\${(labSize / 1048576).toFixed(2)} MiB > maximum size 1 MiB)\`);
        }
`,
  },
  {
    why: "arguments keep to the limits of values, and are refused in Convex's own words",
    find: `    validateValidator(argsValidator, resolvePendingValues(args));
}`,
    replace: `    labCheckValue(args, 64);
    try {
        validateValidator(argsValidator, resolvePendingValues(args));
    }
    catch (e) {
        throw new Error("ArgumentValidationError: " + e.message);
    }
}
function labCheckValue(value, depth) {
    if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) {
        return;
    }
    if (depth < 1) {
        throw new Error("Value is too nested (maximum depth reached)");
    }
    if (Array.isArray(value) && value.length > 8192) {
        throw new Error(\`Array length is too long (\${value.length} > maximum length 8192)\`);
    }
    const items = Object.values(value);
    if (!Array.isArray(value) && items.length > 1024) {
        throw new Error(\`Object has too many fields (\${items.length} > maximum number 1024)\`);
    }
    for (const item of items) {
        labCheckValue(item, depth - 1);
    }
}`,
  },
  {
    why: "a bad return value rolls a mutation back (upstream: commits, then throws)",
    find: `handler, args, extraCtx = {}, functionPath, isNested, transactionLimits) => {`,
    replace: `handler, args, extraCtx = {}, functionPath, isNested, transactionLimits, labReturns = null) => {`,
  },
  {
    why: "the same, where the validator is known",
    find: `runMutationWithHandler(resolved.handler, args, {}, resolved.functionPath, isNested, transactionLimits);`,
    replace: `runMutationWithHandler(resolved.handler, args, {}, resolved.functionPath, isNested, transactionLimits, resolved.returns);`,
  },
  {
    why: "the same, before the commit; and faults that strike at the commit, as a conflict does",
    find: `            const commitTs = transactionManager.commit(isNested);
`,
    replace: `            validateReturnValue(labReturns, jsonToConvex(JSON.parse(rawResult)), "mutation", functionPath);
            if (!isNested) {
                await globalThis.convexLab?.atCommit(functionPath.udfPath);
            }
            const commitTs = transactionManager.commit(isNested);
`,
  },
  {
    why: "upload URLs lead to the server",
    find: `                const url = "https://some-deployment.convex.cloud/api/storage/upload?token=" +
                    Math.random();`,
    replace: `                const url = globalThis.convexLab?.uploadUrl() ?? "https://some-deployment.convex.cloud/api/storage/upload?token=" +
                    Math.random();`,
  },
  {
    why: "an unknown route gets Convex's own text",
    find: "new Response(`No HttpAction routed for ${url.pathname}`, {",
    replace: `new Response("No matching routes found", {`,
  },
  {
    why: "the server may look at the tables without a transaction, whose limits a dump would pass",
    find: `        this._componentPath = componentPath;
        this.validateSchema();`,
    replace: `        this._componentPath = componentPath;
        this.validateSchema();
        globalThis.convexLab?.database(this);`,
  },
  {
    why: "a map from the first field of each index to ids (upstream: every look-up reads the table)",
    find: `        for (const [id, write] of Object.entries(lastWrites)) {
            const _id = id;
`,
    replace: `        for (const [id, write] of Object.entries(lastWrites)) {
            const _id = id;
            if (this._writes.length === 0) {
                this._labIndex(id, this._documents[id], write);
            }
`,
  },
  {
    why: "the same map, kept",
    find: `    rollbackWrites() {`,
    replace: `    _labFirst = new Map();
    _labIndex(id, before, after) {
        const table = tableNameFromId(id);
        const fields = new Set(this._schema?.tables.get(table)?.indexes.map((index) => index.fields[0]));
        for (const field of fields) {
            const name = (doc) => table + "." + field + "=" + labText(evaluateFieldPath(field, doc));
            if (before) {
                this._labFirst.get(name(before))?.delete(id);
            }
            if (after) {
                const key = name(after);
                const ids = this._labFirst.get(key);
                ids ? ids.add(id) : this._labFirst.set(key, new Set([id]));
            }
        }
    }
    rollbackWrites() {`,
  },
  {
    why: "the same map, used: its ids hold all that match, upstream's filter still decides",
    find: `                this._iterateDocs(tableName, (doc) => {
                    if (source.range.every((filter) => evaluateRangeFilter(doc, filter))) {
                        results.push(doc);
                    }
                });`,
    replace: `                const labFilter = source.range[0];
                const labIds = labFilter?.type === "Eq" && indexName !== "by_id" && indexName !== "by_creation_time"
                    ? (this._labFirst.get(tableName + "." + labFilter.fieldPath + "=" + labText(evaluateQueryValue(labFilter.value))) ?? [])
                    : undefined;
                this._iterateDocs(tableName, (doc) => {
                    if (source.range.every((filter) => evaluateRangeFilter(doc, filter))) {
                        results.push(doc);
                    }
                }, labIds);`,
  },
  {
    why: "the same map, where documents are gone through",
    find: `    _iterateDocs(tableName, callback) {
        const isInTable = (id) => tableNameFromId(id) === tableName;
        const ids = new Set(Object.keys(this._documents).filter(isInTable));`,
    replace: `    _iterateDocs(tableName, callback, labIds) {
        const isInTable = (id) => tableNameFromId(id) === tableName;
        const ids = new Set(labIds ?? Object.keys(this._documents).filter(isInTable));`,
  },
  {
    why: "the same map, its keys",
    find: `function tableNameFromId(id) {`,
    replace: `function labText(value) {
    return value === undefined ? "" : JSON.stringify(convexToJson(value));
}
function tableNameFromId(id) {`,
  },
];

export const isPatched = (path) => /[\\/]convex-test[\\/]dist[\\/]index\.js$/.test(path);

export function patch(source) {
  return PATCHES.reduce((text, { why, find, replace }) => {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`convex-test has moved: expected once, found ${parts.length - 1} times, the text for: ${why}`);
    }
    return parts.join(replace);
  }, source);
}
