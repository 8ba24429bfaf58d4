import { connect, createServer, type Server, type Socket } from "node:net";

export interface Wire {
  port: number;
  /** From now on nothing passes, and no connection breaks: a phone that left the coverage. */
  silence(): void;
  restore(): void;
  close(): Promise<void>;
}

/** A TCP relay to `port`, which can go silent. */
export async function openWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let silent = false;
  const server: Server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => !silent && to.write(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("the relay has no port");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    silence: () => {
      silent = true;
    },
    restore: () => {
      silent = false;
      cut();
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
