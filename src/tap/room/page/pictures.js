// Small pictures of every feed, all on one connection: a browser opens only six to a server.
// Each part has a few header lines, an empty line, and as many bytes as Content-Length says.

const EMPTY_LINE = [13, 10, 13, 10];

export async function readPictures(onPicture) {
  for (;;) {
    try {
      const answer = await fetch("/thumbnails");
      if (answer.ok) await readParts(answer.body.getReader(), onPicture);
    } catch {
      // The connection broke; the event stream tells the user so.
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function readParts(reader, onPicture) {
  let rest = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest = joined(rest, value);
    for (;;) {
      const part = firstPart(rest);
      if (!part) break;
      rest = rest.subarray(part.end);
      onPicture(part.feed, new Blob([part.jpeg], { type: "image/jpeg" }));
    }
  }
}

function firstPart(bytes) {
  const headEnd = find(bytes, EMPTY_LINE);
  if (headEnd < 0) return null;
  const head = new TextDecoder().decode(bytes.subarray(0, headEnd));
  const start = headEnd + EMPTY_LINE.length;
  const end = start + Number(header(head, "Content-Length"));
  if (bytes.length < end + 2) return null;
  return { feed: header(head, "X-Feed"), jpeg: bytes.slice(start, end), end: end + 2 };
}

function header(head, name) {
  const line = head.split("\r\n").find((text) => text.startsWith(`${name}: `));
  return line ? line.slice(name.length + 2) : "";
}

function find(bytes, wanted) {
  for (let at = 0; at + wanted.length <= bytes.length; at += 1) {
    if (wanted.every((byte, n) => bytes[at + n] === byte)) return at;
  }
  return -1;
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
