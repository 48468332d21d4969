// A WHEP server on libwebrtc, without a browser: npm's @roamhq/wrtc, found from the folder given.
// Its pictures tell their number in 16 black or white blocks, as those of tests/chromium.py do.
import http from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const wrtc = createRequire(join(process.argv[2], "package.json"))("@roamhq/wrtc");
const WIDTH = 640;
const HEIGHT = 360;
const source = new wrtc.nonstandard.RTCVideoSource();
const track = source.createTrack();
const data = new Uint8ClampedArray(WIDTH * HEIGHT * 1.5);
let drawn = 0;
let peer = null;

function draw() {
  drawn += 1;
  data.fill(90, 0, WIDTH * HEIGHT);
  data.fill(128, WIDTH * HEIGHT);
  for (let y = 0; y < 60; y++)
    for (let bit = 0; bit < 16; bit++)
      data.fill((drawn >> bit) & 1 ? 235 : 16, y * WIDTH + bit * 40, y * WIDTH + bit * 40 + 40);
  const left = (drawn * 7) % 560;
  for (let y = 120; y < 300; y++) data.fill(200, y * WIDTH + left, y * WIDTH + left + 60);
  source.onFrame({ width: WIDTH, height: HEIGHT, data });
}

async function answer(offer) {
  peer = new wrtc.RTCPeerConnection();
  peer.addTrack(track);
  await peer.setRemoteDescription({ type: "offer", sdp: offer });
  await peer.setLocalDescription(await peer.createAnswer());
  await new Promise((done) => {
    if (peer.iceGatheringState === "complete") done();
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
  });
  return peer.localDescription.sdp;
}

async function sent() {
  for (const report of (peer ? await peer.getStats() : new Map()).values())
    if (report.type === "outbound-rtp") return report.framesSent;
  return 0;
}

setInterval(draw, 50);
http
  .createServer(async (request, response) => {
    if (request.method === "GET") {
      response.end(JSON.stringify({ drawn, frames: await sent() }));
    } else if (request.method === "DELETE") {
      peer?.close();
      peer = null;
      response.end();
    } else {
      let body = "";
      for await (const chunk of request) body += chunk;
      const sdp = await answer(body);
      response.writeHead(201, { "Content-Type": "application/sdp", Location: "/whep/1" });
      response.end(sdp);
    }
  })
  .listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  });
