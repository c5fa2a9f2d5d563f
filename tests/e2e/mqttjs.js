// mqttjs.js LEVEL URL [CA] - one conversation of MQTT.js with a broker; "done" and exit code 0 when
// every answer was right.  Run by 65-mqttjs.py, in Node.
"use strict";
const fs = require("fs");
const mqtt = require("mqtt");

const [level, url, ca] = process.argv.slice(2);
const options = {
  protocolVersion: Number(level),
  protocolId: level === "3" ? "MQIsdp" : "MQTT",
  reconnectPeriod: 0,
  connectTimeout: 15000,
  ca: ca ? [fs.readFileSync(ca)] : undefined,
};

function fail(why) {
  console.error(`${url} level ${level}: ${why}`);
  process.exit(1);
}

function same(a, b, what) {
  if (!Buffer.from(a).equals(Buffer.from(b))) fail(`${what}: ${a.length} bytes, not the ${b.length} sent`);
}

async function open(name, more) {
  return mqtt.connectAsync(url, { ...options, clientId: name, ...more }, false);
}

// The next message of a topic that begins with `topic`.
function message(client, topic) {
  return new Promise((resolve) => {
    const take = (t, payload, packet) => {
      if (!t.startsWith(topic)) return;
      client.off("message", take);
      resolve({ topic: t, payload, packet });
    };
    client.on("message", take);
  });
}

async function echo(client, qos, payload) {
  const topic = `js/${qos}/${payload.length}`;
  const answer = message(client, topic);
  await client.publishAsync(topic, payload, { qos });
  same((await answer).payload, payload, topic);
}

async function main() {
  const client = await open(`js${process.pid}`);
  const [grant] = await client.subscribeAsync("js/#", { qos: 2 });
  if (grant.qos !== 2) fail(`granted ${grant.qos}`);
  for (const qos of [0, 1, 2])
    for (const size of [0, 1, 125, 126, 70000, 400000]) await echo(client, qos, Buffer.alloc(size, 7));

  await client.publishAsync("kept/js", "kept", { qos: 1, retain: true });
  const kept = message(client, "kept/");
  await client.subscribeAsync("kept/#");
  const got = await kept;
  same(got.payload, "kept", "retained");
  if (!got.packet.retain) fail("RETAIN is not set");
  await client.publishAsync("kept/js", "", { retain: true });

  const burst = 500;
  let seen = 0;
  const all = new Promise((resolve) => {
    client.on("message", (topic, payload) => {
      if (topic !== "js/burst") return;
      if (String(payload) !== String(seen)) fail(`message ${payload} came as number ${seen}`);
      if (++seen === burst) resolve();
    });
  });
  for (let i = 0; i < burst; i++) client.publish("js/burst", String(i), { qos: 1 });
  await all;

  const will = { topic: "js/will", payload: Buffer.from("gone"), qos: 1, retain: false };
  const mortal = await open(`mortal${process.pid}`, { will });
  mortal.on("error", () => {});
  const gone = message(client, "js/will");
  mortal.stream.destroy();
  same((await gone).payload, "gone", "will");

  await client.unsubscribeAsync("js/#");
  await client.endAsync();
  console.log("done");
}

main().catch((e) => fail(e.message || e));
