import { createServer } from "node:net";
import { Aedes } from "aedes";
import { tellPort } from "./messages.ts";

// Bare aedes, as it comes: the measure of what a broker in Node can do.
const broker = await Aedes.createBroker();
const server = createServer({ noDelay: true }, broker.handle);
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => tellPort(server.address()));
process.on("disconnect", () => process.exit(0));
process.on("message", () => process.exit(0));
