// usage: node node_redis.mjs MODULE PROTOCOL PORT   (MODULE: redis5 or redis6)
import { runScenario } from "./scenario.mjs";

const [module, protocol, port] = process.argv.slice(2);
const { createClient } = await import(module);

const entries = (list) =>
  (list ?? []).map(({ id, message }) => ({ id, body: message.body }));

async function connect() {
  const redis = createClient({ socket: { host: "127.0.0.1", port: Number(port),
    reconnectStrategy: false }, RESP: Number(protocol) });
  redis.on("error", (error) => { throw error; });
  await redis.connect();
  return {
    publish: (channel, body) => redis.xAdd(channel, "*", { body }),
    publishWith: (channel, producer, id, body) =>
      redis.sendCommand(["XADD", channel, "IDMP", producer, id, "*", "body", body]),
    consume: async (destination, group, consumer, { count = 10, blockMs }) => {
      const options = { COUNT: count };
      if (blockMs !== undefined) options.BLOCK = blockMs;
      const reply = await redis.xReadGroup(group, consumer, { key: destination, id: ">" }, options);
      if (reply === null) return [];
      return entries(Array.isArray(reply) ? reply[0].messages : Object.values(reply)[0]);
    },
    acknowledge: (destination, group, ids) => redis.xAck(destination, group, ids),
    pending: async (destination, group) => {
      const { pending, consumers } = await redis.xPending(destination, group);
      return { count: pending, consumers: (consumers ?? []).map((c) => [c.name, c.deliveriesCounter]) };
    },
    takeOver: async (destination, group, consumer) =>
      entries((await redis.xAutoClaim(destination, group, consumer, 0, "0-0")).messages)
        .map((entry) => entry.id),
    claim: async (destination, group, consumer, id) =>
      entries(await redis.xClaim(destination, group, consumer, 0, id)).map((entry) => entry.id),
    createGroup: (destination, group) => redis.xGroupCreate(destination, group, "$"),
    destroyGroup: (destination, group) => redis.xGroupDestroy(destination, group),
    range: async (destination) => entries(await redis.xRange(destination, "-", "+")).map((e) => e.id),
    length: (destination) => redis.xLen(destination),
    groups: async (destination) => (await redis.xInfoGroups(destination)).map((group) => group.name),
    transaction: async (texts) => {
      const multi = redis.multi();
      for (const body of texts) multi.xAdd("in", "*", { body });
      return multi.exec().catch((error) => error.replies ?? Promise.reject(error));
    },
    close: () => redis.close(),
  };
}

await runScenario(connect);
