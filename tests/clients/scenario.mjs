// What every Node client goes through: publish, repeat, consume, block, acknowledge, take over from a
// dead consumer, errors, transactions. A client is an object of these functions (see ioredis.mjs and
// node_redis.mjs), each in its library's own words, with replies brought to one form:
//
//   publish(channel, body) -> id               publishWith(channel, producer, id, body) -> id
//   consume(destination, group, consumer, {count, blockMs}) -> [{id, body}]
//   acknowledge(destination, group, ids) -> how many
//   pending(destination, group) -> {count, consumers: [[name, count]]}
//   takeOver(destination, group, consumer) -> ids      claim(destination, group, consumer, id) -> ids
//   createGroup(destination, group) / destroyGroup     range(destination) -> ids
//   length(destination)  groups(destination) -> [name]  transaction([body]) -> [id or Error]
//   close()

import assert from "node:assert/strict";

const event = (number) =>
  JSON.stringify({ messageType: "ORDER", messageId: `m-${number}`, keys: { order: `o-${number}` } });

async function refused(promise, word) {
  await assert.rejects(promise, (error) => {
    assert.ok(error.message.startsWith(word), `${error.message} does not begin with ${word}`);
    return true;
  });
}

const steps = {
  async publish_and_repeat(client) {
    const id = await client.publish("in", event(1));
    assert.match(id, /^\d+-\d+$/);
    assert.equal(await client.publish("in", event(1)), id, "a repeat gets the first's receipt");
    const given = await client.publishWith("in", "nansha", "given-1", event(2));
    assert.equal(await client.publishWith("in", "nansha", "given-1", event(2)), given);
    assert.equal(await client.length("all"), 2);
  },

  async consume_and_acknowledge(client) {
    const first = await client.consume("all", "all", "me", { count: 1 });
    assert.equal(first.length, 1);
    assert.equal(first[0].body, event(1));
    const rest = await client.consume("all", "all", "me", { count: 10 });
    assert.deepEqual(rest.map((entry) => entry.body), [event(2)]);
    assert.deepEqual(await client.consume("all", "all", "me", { count: 10 }), []);
    const ids = [...first, ...rest].map((entry) => entry.id);
    assert.equal(await client.acknowledge("all", "all", ids), 2);
    assert.equal(await client.acknowledge("all", "all", ids), 0);
  },

  async wait_for_a_message(client, another) {
    assert.deepEqual(await client.consume("all", "all", "me", { blockMs: 20 }), []);
    const waiting = client.consume("all", "all", "me", { blockMs: 5000 });
    const id = await another.publish("in", event(3));
    const got = await waiting;
    assert.deepEqual(got.map((entry) => entry.id), [id]);
    assert.equal(await client.acknowledge("all", "all", [id]), 1);
  },

  async take_over_from_a_dead_consumer(client, another, connect) {
    const dying = await connect();
    const published = [await client.publish("in", event(4)), await client.publish("in", event(5))];
    const taken = await dying.consume("all", "all", "dying", { count: 10 });
    assert.deepEqual(taken.map((entry) => entry.id), published);
    await dying.close();
    assert.deepEqual(await client.pending("all", "all"), { count: 2, consumers: [["dying", 2]] });
    assert.deepEqual(await client.claim("all", "all", "heir", published[0]), [published[0]]);
    assert.deepEqual(await client.takeOver("all", "all", "heir"), published);
    assert.deepEqual(await client.pending("all", "all"), { count: 2, consumers: [["heir", 2]] });
    assert.equal(await client.acknowledge("all", "all", published), 2);
  },

  async look_without_consuming(client) {
    assert.deepEqual(await client.groups("all"), ["all"]);
    await client.createGroup("all", "another");
    assert.deepEqual((await client.groups("all")).sort(), ["all", "another"]);
    await refused(client.createGroup("all", "another"), "BUSYGROUP");
    const id = await client.publish("in", event(6));
    assert.deepEqual((await client.range("all")).slice(-1), [id]);
    await client.destroyGroup("all", "another");
    const entries = await client.consume("all", "all", "me", { count: 10 });
    await client.acknowledge("all", "all", entries.map((entry) => entry.id));
  },

  async errors(client) {
    await refused(client.publish("in", "<"), "REJECTED");
    await refused(client.consume("all", "nobody", "me", { count: 1 }), "NOGROUP");
    await refused(client.publish("nowhere", event(7)), "ERR");
  },

  async transaction(client) {
    const replies = await client.transaction([event(8), "<", event(9)]);
    assert.equal(replies.length, 3);
    assert.match(replies[0], /^\d+-\d+$/);
    assert.ok(replies[1] instanceof Error && replies[1].message.startsWith("REJECTED"));
    assert.match(replies[2], /^\d+-\d+$/);
  },

  async many_at_once(client) {
    const ids = await Promise.all(
      Array.from({ length: 2000 }, (_, number) => client.publish("in", event(1000 + number))));
    assert.equal(new Set(ids).size, 2000);
    const got = [];
    for (let batch; (batch = await client.consume("all", "all", "me", { count: 500 })).length > 0;) {
      got.push(...batch.map((entry) => entry.id));
      await client.acknowledge("all", "all", batch.map((entry) => entry.id));
    }
    assert.deepEqual(got.slice(-2000), ids, "in the order of publication");
  },
};

export async function runScenario(connect) {
  const client = await connect();
  const another = await connect();
  for (const [name, step] of Object.entries(steps)) {
    await step(client, another, connect);
    console.log(`ok ${name}`);
  }
  await client.close();
  await another.close();
}
