// usage: node ioredis.mjs MODULE PROTOCOL PORT      (MODULE: ioredis5 or ioredis6)
import { runScenario } from "./scenario.mjs";

const [module, protocol, port] = process.argv.slice(2);
const { Redis } = await import(module);

const body = (fields) => Buffer.from(fields[fields.indexOf("body") + 1]).toString();
const entries = (list) => (list ?? []).map(([id, fields]) => ({ id, body: body(fields) }));
// What Redis answers as a map comes as pairs in RESP2, and in RESP3 as the library maps it.
const first = (reply) => (reply === null ? [] : entries(reply[0][1]));
const field = (pairs, name) => pairs[pairs.indexOf(name) + 1];

async function connect() {
  const redis = new Redis({ port: Number(port), lazyConnect: true, maxRetriesPerRequest: 0,
    protocol: Number(protocol) });
  await redis.connect();
  return {
    publish: (channel, text) => redis.xadd(channel, "*", "body", text),
    publishWith: (channel, producer, id, text) =>
      redis.call("XADD", channel, "IDMP", producer, id, "*", "body", text),
    consume: async (destination, group, consumer, { count = 10, blockMs }) => {
      const block = blockMs === undefined ? [] : ["BLOCK", blockMs];
      return first(await redis.xreadgroup("GROUP", group, consumer, "COUNT", count, ...block,
        "STREAMS", destination, ">"));
    },
    acknowledge: (destination, group, ids) => redis.xack(destination, group, ...ids),
    pending: async (destination, group) => {
      const [count, , , consumers] = await redis.xpending(destination, group);
      return { count, consumers: (consumers ?? []).map(([name, n]) => [name, Number(n)]) };
    },
    takeOver: async (destination, group, consumer) => {
      const [, list] = await redis.xautoclaim(destination, group, consumer, 0, "0-0");
      return entries(list).map((entry) => entry.id);
    },
    claim: async (destination, group, consumer, id) =>
      entries(await redis.xclaim(destination, group, consumer, 0, id)).map((entry) => entry.id),
    createGroup: (destination, group) => redis.xgroup("CREATE", destination, group, "$"),
    destroyGroup: (destination, group) => redis.xgroup("DESTROY", destination, group),
    range: async (destination) => entries(await redis.xrange(destination, "-", "+")).map((e) => e.id),
    length: (destination) => redis.xlen(destination),
    groups: async (destination) =>
      (await redis.xinfo("GROUPS", destination)).map((group) => field(group, "name")),
    transaction: async (texts) => {
      const multi = redis.multi();
      for (const text of texts) multi.xadd("in", "*", "body", text);
      return (await multi.exec()).map(([error, id]) => error ?? id);
    },
    close: () => redis.quit(),
  };
}

await runScenario(connect);
